//! The response to Fetch: fields in the head, record bytes by reference.

use super::session::SessionUse;
use super::work::{FetchEntry, FetchWork, Outcome};
use crate::answer::{Body, BodyBytes};
use crate::core::{CloseReason, Core};
use precursor_memory::SlabKey as Key;
use precursor_model::ErrorCode;
use precursor_protocol::EncodeError;
use precursor_protocol::writers::{
    AbortedTransaction, FetchHead, FetchPartition, FetchResponseWriter,
};

/// Answers the whole fetch with an error of its session.
pub(crate) fn refuse(
    core: &mut Core,
    answer: Key,
    version: i16,
    error: ErrorCode,
) -> Result<(), EncodeError> {
    let refused = FetchHead {
        throttle_time_ms: core.throttle_ms,
        error,
        session_id: 0,
    };
    FetchResponseWriter::new(&mut core.answers[answer].head, version, &refused, 0).finish()
}

/// Answers a fetch of a client that is over its quota: nothing, and how long it waits.
pub(crate) fn throttle(
    core: &mut Core,
    answer: Key,
    version: i16,
    session_id: i32,
) -> Result<(), EncodeError> {
    let empty = FetchHead {
        throttle_time_ms: core.throttle_ms,
        error: ErrorCode::None,
        session_id,
    };
    FetchResponseWriter::new(&mut core.answers[answer].head, version, &empty, 0).finish()
}

/// Writes the answer, hands it over to its connection and the entries back to their session.
pub(super) fn respond(core: &mut Core, work: &mut FetchWork) {
    let Some(key) = work.answer else { return };
    let session = work.session.unwrap_or(SessionUse::None);
    for entry in &work.entries {
        if let (Outcome::Data(gather), Some(log)) = (&entry.outcome, entry.log) {
            core.traffic.bytes_out(log, gather.len());
        }
    }
    let mut head = std::mem::take(&mut core.answers[key].head);
    let mut bodies = std::mem::take(&mut core.answers[key].bodies);
    let failed = work.has_failure();
    let written = write(&mut head, work, session, &mut bodies);
    let records: u64 = bodies.iter().map(|body| body.length).sum();
    core.stats.bytes_out.add(records);
    if work.account.is_some() {
        let bytes = head.len() as u64 + records;
        let now_us = core.now.monotonic_us;
        core.quotas.charge(work.account, bytes, now_us);
    }
    let answer = &mut core.answers[key];
    answer.failed = failed;
    answer.head = head;
    answer.bodies = bodies;
    match (written, answer.connection) {
        (Ok(()), _) => core.finish_answer(key),
        (Err(_), Some(connection)) => core.close_later(connection, CloseReason::Unanswerable),
        (Err(_), None) => {}
    }
    return_to_session(core, work);
}

/// Whether an incremental answer has anything to say of a partition (KIP-227).
fn has_news(entry: &FetchEntry) -> bool {
    match entry.outcome {
        Outcome::Data(_) | Outcome::Transferred(_) | Outcome::Failed(_) => true,
        _ => {
            entry.told_high_watermark != entry.high_watermark
                || entry.told_log_start_offset != entry.log_start_offset
        }
    }
}

/// Writes the response's body. Neighbouring partitions of one topic share its array element; the
/// same topic may come again.
fn write(
    out: &mut Vec<u8>,
    work: &mut FetchWork,
    session: SessionUse,
    bodies: &mut Vec<Body>,
) -> Result<(), EncodeError> {
    let incremental = matches!(session, SessionUse::Incremental(_));
    let told = |entry: &FetchEntry| !incremental || has_news(entry);
    let count = work.entries.len();
    let head = FetchHead {
        throttle_time_ms: 0,
        error: ErrorCode::None,
        session_id: session.id(),
    };
    let groups = count_groups(work, &told);
    let mut w = FetchResponseWriter::new(out, work.version, &head, groups);
    let mut step = 0;
    let mut last_with_data = None;
    while step < count {
        let first = (work.rotation + step) % count;
        if !told(&work.entries[first]) {
            step += 1;
            continue;
        }
        let (end, members) = group(work, step, &told);
        let entry = &work.entries[first];
        w.topic(&entry.topic, entry.topic_id, members);
        for step in step..end {
            let place = (work.rotation + step) % count;
            let aborted = work.read_committed.then_some(&mut work.aborted);
            let entry = &mut work.entries[place];
            if told(entry) && write_partition(&mut w, entry, aborted, bodies) {
                last_with_data = Some(place);
            }
        }
        step = end;
    }
    if let Some(place) = last_with_data {
        work.rotation = place + 1;
    }
    w.finish()
}

/// How many array elements the told partitions make, in the order of service.
fn count_groups(work: &FetchWork, told: &dyn Fn(&FetchEntry) -> bool) -> usize {
    let count = work.entries.len();
    let order = (0..count).map(|step| &work.entries[(work.rotation + step) % count]);
    let mut groups = 0;
    let mut previous: Option<&FetchEntry> = None;
    for entry in order.filter(|entry| told(entry)) {
        groups += usize::from(previous.is_none_or(|p| !p.same_topic(entry)));
        previous = Some(entry);
    }
    groups
}

/// The group that begins at `step`: where it ends, and how many of it are told.
fn group(work: &FetchWork, step: usize, told: &dyn Fn(&FetchEntry) -> bool) -> (usize, usize) {
    let count = work.entries.len();
    let first = &work.entries[(work.rotation + step) % count];
    let (mut end, mut members) = (step, 0);
    while end < count {
        let entry = &work.entries[(work.rotation + end) % count];
        if told(entry) {
            if !entry.same_topic(first) {
                break;
            }
            members += 1;
        }
        end += 1;
    }
    (end, members)
}

/// Writes one partition and takes its outcome; true when it had records. `aborted`: of a consumer of
/// committed records, a list to fill.
fn write_partition(
    w: &mut FetchResponseWriter<'_>,
    entry: &mut FetchEntry,
    mut aborted: Option<&mut Vec<AbortedTransaction>>,
    bodies: &mut Vec<Body>,
) -> bool {
    if let Some(aborted) = &mut aborted {
        aborted.clear();
        match &entry.outcome {
            Outcome::Data(gather) => aborted.extend(super::aborted_of(gather)),
            Outcome::Transferred(records) => aborted.extend_from_slice(&records.aborted),
            _ => {}
        }
    }
    let (error, length, bytes) = match std::mem::take(&mut entry.outcome) {
        Outcome::Failed(error) => (error, 0, None),
        Outcome::Data(gather) => {
            let length = gather.len();
            (ErrorCode::None, length, Some(BodyBytes::Gather(gather)))
        }
        Outcome::Transferred(records) => {
            let bytes = BodyBytes::Transfer(records.bytes);
            (ErrorCode::None, records.length as usize, Some(bytes))
        }
        _ => (ErrorCode::None, 0, None),
    };
    if error.is_error() {
        entry.high_watermark = -1;
        entry.last_stable_offset = -1;
        entry.log_start_offset = -1;
    }
    entry.told_high_watermark = entry.high_watermark;
    entry.told_log_start_offset = entry.log_start_offset;
    w.partition(&FetchPartition {
        high_watermark: entry.high_watermark,
        last_stable_offset: entry.last_stable_offset,
        log_start_offset: entry.log_start_offset,
        aborted_transactions: aborted.map(|aborted| &aborted[..]),
        records_length: length,
        ..FetchPartition::refused(entry.partition, error)
    });
    let found = bytes.is_some();
    if let Some(bytes) = bytes {
        bodies.push(Body {
            at: w.position() as u32,
            length: length as u64,
            bytes,
        });
    }
    found
}

/// Returns the entries of a session fetch to their session, for the next one.
pub(super) fn return_to_session(core: &mut Core, work: &mut FetchWork) {
    let id = work.session.map_or(0, SessionUse::id);
    if id != 0 {
        for entry in &mut work.entries {
            // Whatever was not told is read anew.
            entry.outcome = Outcome::Unread;
        }
        let entries = std::mem::take(&mut work.entries);
        core.sessions.return_entries(id, entries, work.rotation);
    }
}
