//! Metadata, key 3, versions 0–13: answered from the image. Topics that are to be made on the way
//! are asked of the control plane first, and the answer waits for the image that has them.

use crate::answer::Waits;
use crate::control::Caller;
use crate::core::{CloseReason, Core, Handled, Request, Timer};
use crate::image::Topic;
use crate::timer::TimerId;
use precursor_memory::SlabKey as Key;
use precursor_model::{ErrorCode, Operations, TopicId, validate_topic_name};
use precursor_protocol::EncodeError;
use precursor_protocol::views::MetadataRequestView;
use precursor_protocol::views::metadata_request::MetadataRequestTopicView;
use precursor_protocol::writers::{MetadataPartition, MetadataResponseWriter, MetadataTopic};
use std::collections::HashSet;

/// How long an answer waits for topics to be made; after it the client is told to ask again.
const CREATION_US_MAX: u64 = 10_000_000;
/// Topics made for one request at most: what one message to the control plane should carry.
const CREATED_PER_REQUEST_MAX: usize = 100;

/// A Metadata request that waits for topics.
#[derive(Default)]
pub(crate) struct MetadataWait {
    answer: Option<Key>,
    version: i16,
    body: Vec<u8>,
    timer: Option<TimerId>,
}

impl MetadataWait {
    fn clear(&mut self) {
        *self = MetadataWait::default();
    }
}

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = MetadataRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    if request.version < 12 && names_by_id(&view) {
        return refuse_ids(core, request, &view);
    }
    let missing = topics_to_make(core, request, &view);
    if missing.is_empty() {
        return answer_now(core, request, &view);
    }
    if !core.control.has_room() {
        core.out_of_control.push(request.connection);
        return Handled::Blocked;
    }
    let answer = core.begin_answer(request);
    let wait = core.metadata_waits.take();
    core.answers[answer].waits = Waits::Metadata(wait);
    let deadline = core.now.monotonic_us + CREATION_US_MAX;
    core.metadata_waits[wait] = MetadataWait {
        answer: Some(answer),
        version: request.version,
        body: request.body.to_vec(),
        timer: Some(core.timers.arm(deadline, Timer::Metadata(wait))),
    };
    core.control.ensure_topics(Caller::Metadata(wait), missing);
    Handled::Done
}

/// Whether a request asks by topic id, or for a topic without a name.
fn names_by_id(view: &MetadataRequestView<'_>) -> bool {
    let mut topics = view.topics.into_iter().flatten();
    topics.any(|topic| topic.name.is_none() || topic.topic_id != TopicId::ZERO)
}

/// Versions 10 and 11 have ids in their layout, but Kafka takes them from version 12 on: it refuses
/// every topic of such a request.
fn refuse_ids(core: &mut Core, request: &Request<'_>, view: &MetadataRequestView<'_>) -> Handled {
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let mut w = MetadataResponseWriter::new(&mut head, request.version, core.throttle_ms, 0);
    let topics = view.topics.into_iter().flatten();
    w.cluster(None, -1, topics.clone().count());
    for topic in topics {
        let refused = MetadataTopic {
            error: ErrorCode::InvalidRequest,
            name: Some(topic.name.unwrap_or_default()),
            id: topic.topic_id,
            is_internal: false,
            authorized_operations: None,
        };
        w.topic(&refused, 0);
    }
    let written = w.finish(None, ErrorCode::None);
    core.answers[key].head = head;
    core.stats.metadata_requests.add(1);
    super::end(core, key, written)
}

/// Names that the request allows to be made and that may be.
fn topics_to_make<'a>(
    core: &Core,
    request: &Request<'_>,
    view: &MetadataRequestView<'a>,
) -> Vec<&'a str> {
    // Before version 4 a client could not say no.
    let allowed = request.version < 4 || view.allow_auto_topic_creation;
    let Some(topics) = view
        .topics
        .filter(|_| allowed && core.options.auto_create_topics)
    else {
        return Vec::new();
    };
    let named = topics.filter_map(|topic| topic.name);
    let missing = named.filter(|name| core.image.topic(name).is_none());
    let makeable = missing.filter(|name| validate_topic_name(name).is_ok());
    let mut names: Vec<&str> = makeable.take(CREATED_PER_REQUEST_MAX).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn answer_now(core: &mut Core, request: &Request<'_>, view: &MetadataRequestView<'_>) -> Handled {
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let written = write(core, &mut head, request.version, view, &[]);
    core.answers[key].head = head;
    core.stats.metadata_requests.add(1);
    super::end(core, key, written)
}

/// The control plane that was asked is gone: asks its successor.
pub(crate) fn ask_again(core: &mut Core, key: Key) {
    let Some(wait) = core.metadata_waits.get_mut(key) else {
        return;
    };
    let body = std::mem::take(&mut wait.body);
    if let Ok(view) = MetadataRequestView::parse(&body, wait.version) {
        let named = view
            .topics
            .into_iter()
            .flatten()
            .filter_map(|topic| topic.name);
        let missing = named.filter(|name| core.image.topic(name).is_none());
        let names = missing.take(CREATED_PER_REQUEST_MAX).collect();
        core.control.ensure_topics(Caller::Metadata(key), names);
    }
    if let Some(wait) = core.metadata_waits.get_mut(key) {
        wait.body = body;
    }
}

/// The control plane has made the topics, or said why not.
pub(crate) fn topics_ensured(core: &mut Core, key: Key, outcomes: &[(&str, ErrorCode)]) {
    complete(core, key, outcomes);
}

/// The control plane did not answer in time.
pub(crate) fn expire(core: &mut Core, key: Key) {
    if let Some(wait) = core.metadata_waits.get_mut(key) {
        wait.timer = None;
        complete(core, key, &[]);
    }
}

fn complete(core: &mut Core, key: Key, outcomes: &[(&str, ErrorCode)]) {
    let Some(wait) = core.metadata_waits.get_mut(key) else {
        return;
    };
    let mut wait = std::mem::take(wait);
    core.metadata_waits.give_back(key);
    if let Some(timer) = wait.timer.take() {
        core.timers.cancel(timer);
    }
    let Some(answer) = wait.answer else { return };
    // Parsed once before: it cannot fail now.
    let Ok(view) = MetadataRequestView::parse(&wait.body, wait.version) else {
        return;
    };
    let Some(connection) = core.answers.get(answer).and_then(|a| a.connection) else {
        return;
    };
    let mut head = std::mem::take(&mut core.answers[answer].head);
    let written = write(core, &mut head, wait.version, &view, outcomes);
    core.answers[answer].head = head;
    core.stats.metadata_requests.add(1);
    match written {
        Ok(()) => core.finish_answer(answer),
        Err(_) => core.close_later(connection, CloseReason::Unanswerable),
    }
}

/// The connection is gone.
pub(crate) fn abandon(core: &mut Core, key: Key) {
    if let Some(wait) = core.metadata_waits.get_mut(key) {
        if let Some(timer) = wait.timer.take() {
            core.timers.cancel(timer);
        }
        wait.clear();
        core.metadata_waits.give_back(key);
    }
}

/// Writes the response's body.
fn write(
    core: &Core,
    out: &mut Vec<u8>,
    version: i16,
    view: &MetadataRequestView<'_>,
    outcomes: &[(&str, ErrorCode)],
) -> Result<(), EncodeError> {
    let image = &core.image;
    let throttle_ms = core.throttle_ms;
    let mut w = MetadataResponseWriter::new(out, version, throttle_ms, image.brokers.len());
    for broker in &image.brokers {
        let (host, port) = core.address_of(broker);
        w.broker(broker.id, host, i32::from(port), broker.rack.as_deref());
    }
    // Version 0 asks for all topics by naming none; later ones by null.
    let named = view.topics.filter(|topics| version > 0 || topics.len() > 0);
    let named = named.map(each_once);
    let count = named
        .as_ref()
        .map_or_else(|| image.topics().count(), Vec::len);
    w.cluster(Some(&image.cluster_id), image.controller_id, count);
    let allowed = view
        .include_topic_authorized_operations
        .then_some(Operations::TOPIC);
    match named {
        None => image
            .topics()
            .for_each(|topic| write_topic(&mut w, topic, allowed)),
        Some(topics) => topics.iter().for_each(|asked| {
            write_asked(core, &mut w, version, asked, outcomes, allowed);
        }),
    }
    let cluster = view
        .include_cluster_authorized_operations
        .then_some(Operations::CLUSTER);
    w.finish(cluster, ErrorCode::None)
}

/// The topics that a request names, each where it is named first.
fn each_once<'a>(
    topics: impl Iterator<Item = MetadataRequestTopicView<'a>>,
) -> Vec<MetadataRequestTopicView<'a>> {
    let mut topics: Vec<_> = topics.collect();
    if topics.len() > 1 {
        let mut seen = HashSet::with_capacity(topics.len());
        topics.retain(|topic| seen.insert(topic.name.ok_or(topic.topic_id)));
    }
    topics
}

/// Writes what is known of a topic that the request names.
fn write_asked(
    core: &Core,
    w: &mut MetadataResponseWriter<'_>,
    version: i16,
    asked: &MetadataRequestTopicView<'_>,
    outcomes: &[(&str, ErrorCode)],
    allowed: Option<i32>,
) {
    let found = match asked.name {
        Some(name) => core.image.topic(name),
        None => core.image.topic_by_id(asked.topic_id),
    };
    if let Some(topic) = found {
        write_topic(w, topic, allowed);
        return;
    }
    let error = match asked.name {
        None => ErrorCode::UnknownTopicId,
        Some(name) => missing_topic_error(name, outcomes),
    };
    let refused = MetadataTopic {
        error,
        // Before version 12 a name cannot be null.
        name: asked.name.or((version < 12).then_some("")),
        id: asked.topic_id,
        is_internal: false,
        // Of an id that nothing is known of nothing may be done.
        authorized_operations: allowed.filter(|_| asked.name.is_some()),
    };
    w.topic(&refused, 0);
}

fn missing_topic_error(name: &str, outcomes: &[(&str, ErrorCode)]) -> ErrorCode {
    let told = outcomes.iter().find(|(n, e)| *n == name && e.is_error());
    match told {
        Some((_, error)) => *error,
        None if validate_topic_name(name).is_err() => ErrorCode::InvalidTopicException,
        None => ErrorCode::UnknownTopicOrPartition,
    }
}

fn write_topic(w: &mut MetadataResponseWriter<'_>, topic: &Topic, allowed: Option<i32>) {
    let head = MetadataTopic {
        error: ErrorCode::None,
        name: Some(&topic.name),
        id: topic.id,
        is_internal: topic.internal,
        authorized_operations: allowed,
    };
    w.topic(&head, topic.partitions.len());
    for (index, partition) in topic.partitions.iter().enumerate() {
        let error = if partition.leader < 0 {
            ErrorCode::LeaderNotAvailable
        } else {
            ErrorCode::None
        };
        w.partition(&MetadataPartition {
            error,
            index: index as i32,
            leader_id: partition.leader,
            leader_epoch: partition.leader_epoch,
            replicas: &partition.replicas,
            in_sync_replicas: &partition.isr,
            offline_replicas: &partition.offline,
        });
    }
}
