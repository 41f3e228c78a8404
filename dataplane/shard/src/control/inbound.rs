//! Messages of the control plane, as they come.

use super::Caller;
use crate::core::{CloseReason, Core};
use crate::handlers::metadata;
use crate::image::ImageChange;
use crate::own;
use crate::runtime_options;
use precursor_model::ErrorCode;
use precursor_shm::control::{ToControl, ToData};
use precursor_shm::ring;
use precursor_storage::{LogId, LogSpec};

/// Messages handled in one turn: an image of 10,000 partitions must not stall the data path.
const MESSAGES_PER_TURN: usize = 64;

/// Longest response that the control plane may give, as a bound on what is kept for it.
const RESPONSE_BYTES_MAX: usize = 128 << 20;

/// Handles what is in the ring, as far as one turn goes. Returns whether there was anything.
pub(crate) fn receive(core: &mut Core, inbox: &mut ring::Consumer) -> bool {
    for handled in 0..MESSAGES_PER_TURN {
        match inbox.peek() {
            Ok(None) => return handled > 0,
            Ok(Some(bytes)) => match ToData::decode(bytes) {
                Ok(message) => handle(core, &message),
                Err(_) => core.stats.control_malformed.add(1),
            },
            Err(_) => {
                // Whatever is between here and the writer is lost: ask for everything again.
                core.stats.control_malformed.add(1);
                inbox.reset();
                core.image.abandon();
                hello(core);
                return true;
            }
        }
        inbox.release();
    }
    true
}

/// Tells the control plane who we are, and asks for the image. Requests that an earlier control
/// plane took are lost, and with them their connections.
pub(crate) fn hello(core: &mut Core) {
    let hello = ToControl::Hello {
        generation: core.options.generation,
        shard: core.options.shard,
        shards: core.options.shards,
    };
    own::forget_all(core);
    core.describing.clear();
    for caller in core.control.begin_anew(&hello) {
        match caller {
            Caller::Request { connection, .. } => {
                core.close_later(connection, CloseReason::RequestLost);
            }
            // Making topics twice makes them once: ask again.
            Caller::Metadata(wait) => metadata::ask_again(core, wait),
            Caller::Nobody => core.offsets_topic_due_ms = 0,
        }
    }
}

fn handle(core: &mut Core, message: &ToData<'_>) {
    match message {
        ToData::Hello { .. } => {
            core.image.abandon();
            hello(core);
        }
        ToData::DescribeLogs { token } => super::describe::ask(core, *token),
        ToData::OwnRequest { token, last, bytes } => own::take(core, *token, *last, bytes),
        ToData::Held {
            own,
            token,
            last,
            bytes,
        } => own::hold(core, *own, *token, *last, bytes),
        ToData::Response { token, last, bytes } => respond(core, *token, *last, bytes),
        ToData::Refused { token } => lost(core, *token),
        ToData::TopicsEnsured { token, outcomes } => {
            if let Some(Caller::Metadata(wait)) = core.control.end_call(*token) {
                metadata::topics_ensured(core, wait, outcomes);
            }
        }
        image => {
            let mut changes = Vec::new();
            let shard = core.options.shard;
            if core.image.apply(image, shard, &mut changes) {
                apply(core, changes);
            }
        }
    }
}

/// A request will not be answered: its connection is closed.
pub(crate) fn lost(core: &mut Core, token: u64) {
    if let Some(Caller::Request { connection, .. }) = core.control.end_call(token) {
        answered(core, connection);
        core.close_later(connection, CloseReason::RequestLost);
    }
}

/// A fragment of a response: appended to its answer, which goes with the last one.
pub(crate) fn respond(core: &mut Core, token: u64, last: bool, bytes: &[u8]) {
    let Some(Caller::Request { answer, connection }) = core.control.caller(token) else {
        return;
    };
    let Some(pending) = core.answers.get_mut(answer) else {
        core.control.end_call(token);
        return;
    };
    if pending.head.len() + bytes.len() > RESPONSE_BYTES_MAX {
        core.control.end_call(token);
        core.close_later(connection, CloseReason::RequestLost);
        return;
    }
    pending.head.extend_from_slice(bytes);
    if last {
        core.control.end_call(token);
        answered(core, connection);
        core.stats.control_answered.add(1);
        core.finish_answer(answer);
    }
}

fn answered(core: &mut Core, id: precursor_transport_port::ConnectionId) {
    if let Some(connection) = core.connections.get_mut(id) {
        connection.forwarded = connection.forwarded.saturating_sub(1);
    }
}

/// A whole image is in: makes the store hold what it says. A change is reported as applied once the
/// logs that came with it are served, so that whoever made a topic can write to it at once, and as
/// soon as they are: it does not wait for the logs of an earlier one. A full image is reported at
/// once, because recovery of a large log must not hold up everything else.
fn apply(core: &mut Core, changes: Vec<ImageChange>) {
    let mut opening = Vec::new();
    for change in changes {
        match change {
            ImageChange::NodeOptions { full, named } => set_options(core, full, &named),
            ImageChange::Quotas { full, named } => core.quotas.apply(full, named),
            ImageChange::Removed { log } => {
                crate::handlers::produce::offline(core, log, ErrorCode::UnknownTopicOrPartition);
                log_settled(core, log);
                core.store.remove_log(log);
            }
            ImageChange::Log {
                uid,
                topic,
                name,
                partition,
                config,
                leader_epoch,
                local,
            } => {
                if let Some(log) = local {
                    core.store.set_config(log, config);
                    core.store.set_leader_epoch(log, leader_epoch);
                    continue;
                }
                let spec = LogSpec {
                    uid,
                    topic_id: topic,
                    topic: &name,
                    partition,
                    config,
                    leader_epoch,
                    // A whole image names what was there before.
                    is_new: !core.image.is_full(),
                };
                let made = core.store.ensure_log(spec, core.now).ok();
                match made {
                    Some(log) => {
                        core.waiters.prepare(log, uid);
                        core.traffic.prepare(log);
                        opening.push(log);
                    }
                    None => core.control.tell(&ToControl::LogState {
                        log: uid,
                        error: Some(ErrorCode::KafkaStorageError),
                    }),
                }
                core.image.set_local(topic, partition, made);
            }
        }
    }
    let version = core.image.version;
    core.stats.image_version.set(version);
    if core.image.is_full() {
        core.control.applying.forget();
        opening.clear();
    }
    if core.control.applying.begin(version, opening) {
        core.control.tell(&ToControl::ImageApplied { version });
    }
}

/// A log is served, or cannot be: nobody waits for it any more.
pub(crate) fn log_settled(core: &mut Core, log: LogId) {
    if let Some(version) = core.control.applying.settled(log) {
        core.control.tell(&ToControl::ImageApplied { version });
    }
}

/// Options of the node that changed; a whole image puts those that it lacks back to how they were at
/// the start.
fn set_options(core: &mut Core, full: bool, named: &[(Box<str>, Box<str>)]) {
    if full {
        core.options = core.first_options.clone();
    }
    for (name, value) in named {
        if !runtime_options::set(&mut core.options, name, value) {
            core.stats.options_ignored.add(1);
        }
    }
    for (log, config) in core.image.set_defaults(&core.options.topic_defaults) {
        core.store.set_config(log, config);
    }
}
