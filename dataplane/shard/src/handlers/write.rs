//! A native client asks for memory of a log to write a batch into, and says that it has
//! ([`precursor_protocol::native::write`]).

use super::produce::native;
use crate::answer::Waits;
use crate::connection::is_own;
use crate::core::{CloseReason, Core, Handled, Request};
use crate::follows::Held;
use crate::partitions::{self, Place, TopicRef};
use crate::writes;
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::native::write::{Commit, Lend, Lent};
use precursor_storage::{Blank, LogId};
use precursor_transport_port::ConnectionId;

/// Handles one frame (without its length prefix) that asks for memory.
pub(crate) fn lend(core: &mut Core, connection: ConnectionId, frame: &[u8]) -> Handled {
    let Some(lend) = Lend::parse(frame).filter(|_| !is_own(connection)) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let answer = core.begin_forwarded_answer(&request(connection, lend.correlation_id, frame));
    let topic = TopicRef::Id(lend.topic_id);
    let (shard, internal) = partitions::find_partition(core, topic, lend.partition)
        .map_or((-1, false), |(topic, partition)| {
            (partition.shard as i16, topic.internal)
        });
    let error = match partitions::locate(core, topic, lend.partition, -1) {
        Ok(_) if internal => ErrorCode::InvalidTopicException,
        Ok(Place::Local(log)) => match blank(core, connection, log, lend.bytes) {
            Ok(Some(blank)) => {
                let waiting = (answer, lend.correlation_id);
                let loan = core.follows.hold(connection, Held::Blank(blank), waiting);
                core.answers[answer].waits = Waits::Follow(loan);
                return Handled::Done;
            }
            Ok(None) => ErrorCode::None,
            Err(error) => error,
        },
        Ok(Place::Remote { .. }) => ErrorCode::NotLeaderOrFollower,
        Err(error) => error,
    };
    let response = Lent {
        correlation_id: lend.correlation_id,
        error,
        shard,
        room: None,
    };
    writes::write(core, answer, &response);
    Handled::Done
}

fn request(connection: ConnectionId, correlation_id: i32, frame: &[u8]) -> Request<'_> {
    Request {
        connection,
        key: ApiKey::Produce,
        version: native::AS_VERSION,
        correlation_id,
        client_id: None,
        frame,
        body: &[],
    }
}

/// Lends an extent; `None` where the client has to send its batch.
fn blank(
    core: &mut Core,
    connection: ConnectionId,
    log: LogId,
    bytes: u32,
) -> Result<Option<Blank>, ErrorCode> {
    core.follows.pass_blank(connection, log);
    // What is written from afar is not counted before it is there, so that no quota could be kept.
    if !core.follows.is_on() || core.quotas.is_active() {
        return Ok(None);
    }
    // What waits to be copied holds memory that is not counted any more: no more of it meanwhile.
    if !core.writes.is_empty() {
        return Ok(None);
    }
    let lent = core.store.lend_blank(log, bytes, core.now);
    let Some(blank) = lent.map_err(|error| error.code())? else {
        return Ok(None);
    };
    if !core.follows.has_room(blank.extent_bytes as usize) {
        core.store.return_blank(blank);
        return Ok(None);
    }
    Ok(Some(blank))
}

/// Handles one frame that says that a batch was written. Who can write there is stopped first; the
/// answer comes when that is done.
pub(crate) fn commit(core: &mut Core, connection: ConnectionId, frame: &[u8]) -> Handled {
    let Some(commit) = Commit::parse(frame).filter(|_| !is_own(connection)) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.produce_requests.add(1);
    let request = request(connection, commit.correlation_id, frame);
    let is_lent = core.follows.is_lent(connection, &commit);
    let shard = core.options.shard as i16;
    let error = match is_lent {
        true => None,
        false => Some(ErrorCode::InvalidRequest),
    };
    let ticket = native::answer_later(core, &request, shard, error);
    if let Some(ticket) = ticket {
        core.follows.commit(commit.number, ticket, commit.length);
    }
    Handled::Done
}
