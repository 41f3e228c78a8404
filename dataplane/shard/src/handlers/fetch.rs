//! Fetch, key 1, versions 4–18.

use crate::answer::Waits;
use crate::core::{CloseReason, Core, Handled, Request};
use crate::fetch::session::SessionUse;
use crate::fetch::{self, FetchEntry, FetchWork};
use precursor_model::TopicId;
use precursor_protocol::views::FetchRequestView;
use precursor_protocol::views::fetch_request::FetchPartitionView;
use std::rc::Rc;

/// More than this is not put into one answer, whatever a client asks for: its bytes stay pinned
/// until the client has taken them. Kafka's `fetch.max.bytes` is as large.
const RESPONSE_BYTES_MAX: usize = 55 << 20;
/// `READ_COMMITTED` in FetchRequest.IsolationLevel.
const READ_COMMITTED: i8 = 1;

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = FetchRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.fetch_requests.add(1);
    let answer = core.begin_answer(request);
    let now_ms = core.now_ms();
    // KIP-516: from here on topics have no names.
    let by_id = request.version >= 13;
    let opened = core
        .sessions
        .open(view.session_id, view.session_epoch, by_id, now_ms);
    let session = match opened {
        Ok(session) => session,
        Err(error) => {
            let written = fetch::respond::refuse(core, answer, request.version, error);
            return super::end(core, answer, written);
        }
    };
    if core.throttle_ms > 0 {
        // As Kafka does: nothing is read for a client that is over its quota, and a session that
        // would begin does not.
        let session_id = core.sessions.leave_out(session);
        let written = fetch::respond::throttle(core, answer, request.version, session_id);
        return super::end(core, answer, written);
    }
    let key = core.fetches.take();
    let mut work = std::mem::take(&mut core.fetches[key]);
    collect(core, &view, session, &mut work);
    let wait_us = u64::try_from(view.max_wait_ms).unwrap_or(0) * 1_000;
    work.answer = Some(answer);
    work.version = request.version;
    work.session = Some(session);
    work.read_committed = view.isolation_level == READ_COMMITTED;
    work.bytes_max = usize::try_from(view.max_bytes)
        .unwrap_or(0)
        .min(RESPONSE_BYTES_MAX);
    if let Some(account) = core.throttle_account {
        work.bytes_max = work.bytes_max.min(account.burst());
        work.account = Some(account);
    }
    work.bytes_min = usize::try_from(view.min_bytes).unwrap_or(0);
    work.deadline_us = core.now.monotonic_us + wait_us;
    core.answers[answer].waits = Waits::Fetch(key);
    core.fetches[key] = work;
    fetch::advance(core, key);
    if let Some(answer) = core.answers.get_mut(answer) {
        answer.waited = !answer.ready;
    }
    Handled::Done
}

/// Gathers the partitions to be read: those of the request, or those of the session with the
/// request's changes.
fn collect(
    core: &mut Core,
    view: &FetchRequestView<'_>,
    session: SessionUse,
    work: &mut FetchWork,
) {
    let id = session.id();
    if let SessionUse::Incremental(id) = session {
        (work.entries, work.rotation) = core.sessions.take_entries(id);
        forget(core, view, id, &mut work.entries);
    } else if id != 0 {
        // Marks the session as in use.
        (work.entries, work.rotation) = core.sessions.take_entries(id);
    }
    for topic in view.topics {
        let named = (topic.topic, topic.topic_id);
        for asked in topic.partitions {
            let known = if id == 0 {
                None
            } else {
                core.sessions
                    .find(id, &work.entries, named, asked.partition)
            };
            match known {
                Some(place) => update(&mut work.entries[place], &asked),
                None => {
                    let entry = new_entry(core, named, &asked);
                    if id == 0 {
                        work.entries.push(entry);
                    } else {
                        core.sessions.add(id, &mut work.entries, entry);
                    }
                }
            }
        }
    }
}

/// Drops what the request names as forgotten.
fn forget(core: &mut Core, view: &FetchRequestView<'_>, id: i32, entries: &mut Vec<FetchEntry>) {
    let mut any = false;
    for topic in view.forgotten_topics_data {
        for partition in topic.partitions {
            let named = (topic.topic, topic.topic_id);
            let place = core.sessions.find(id, entries, named, partition);
            if let Some(place) = place {
                entries[place].forgotten = true;
                any = true;
            }
        }
    }
    if any {
        core.sessions.forget(id, entries);
    }
}

fn new_entry(core: &Core, named: (&str, TopicId), asked: &FetchPartitionView) -> FetchEntry {
    let (topic, id) = named;
    // The image's own name where there is one: nothing is allocated for a known topic.
    let name = match core.image.topic(topic) {
        _ if topic.is_empty() => core.image.nameless.clone(),
        Some(topic) => topic.name.clone(),
        None => Rc::from(topic),
    };
    let mut entry = FetchEntry::new(name, id);
    entry.partition = asked.partition;
    update(&mut entry, asked);
    entry
}

fn update(entry: &mut FetchEntry, asked: &FetchPartitionView) {
    entry.offset = asked.fetch_offset;
    entry.bytes_max = asked.partition_max_bytes;
    entry.leader_epoch = asked.current_leader_epoch;
}
