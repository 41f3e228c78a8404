//! A native client asks to read a partition's newest records where they lie
//! ([`precursor_protocol::native::follow`]).

use crate::answer::Waits;
use crate::connection::is_own;
use crate::core::{CloseReason, Core, Handled, Request};
use crate::follows::{self, Held};
use crate::partitions::{self, Place, TopicRef};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::native::follow::{Follow, Followed as Response};
use precursor_storage::{LogId, ReadError};
use precursor_transport_port::ConnectionId;

/// Handles one frame (without its length prefix).
pub(crate) fn handle(core: &mut Core, connection: ConnectionId, frame: &[u8]) -> Handled {
    let Some(follow) = Follow::parse(frame).filter(|_| !is_own(connection)) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.fetch_requests.add(1);
    let request = Request {
        connection,
        key: ApiKey::Fetch,
        version: 0,
        correlation_id: follow.correlation_id,
        client_id: None,
        frame,
        body: &[],
    };
    let answer = core.begin_forwarded_answer(&request);
    let topic = TopicRef::Id(follow.topic_id);
    let shard = partitions::find_partition(core, topic, follow.partition)
        .map_or(-1, |(_, partition)| partition.shard as i16);
    let error = match partitions::locate(core, topic, follow.partition, -1) {
        Ok(Place::Local(log)) => match hold(core, connection, log, &follow) {
            Ok(Some(followed)) => {
                let waiting = (answer, follow.correlation_id);
                let loan = core
                    .follows
                    .hold(connection, Held::Followed(followed), waiting);
                core.answers[answer].waits = Waits::Follow(loan);
                return Handled::Done;
            }
            // A fetch says so too when it is as busy as that, and waits.
            Ok(None) | Err(ReadError::Busy) => ErrorCode::None,
            Err(error) => error.code(),
        },
        Ok(Place::Remote { .. }) => ErrorCode::NotLeaderOrFollower,
        Err(error) => error,
    };
    let response = Response {
        correlation_id: follow.correlation_id,
        error,
        shard,
        granted: None,
    };
    follows::write(core, answer, &response);
    Handled::Done
}

/// Holds the extent; `None` where the client has to fetch.
fn hold(
    core: &mut Core,
    connection: ConnectionId,
    log: LogId,
    follow: &Follow,
) -> Result<Option<precursor_storage::Followed>, ReadError> {
    core.follows.pass(connection, log);
    // What is read from afar cannot be counted, so that no quota could be kept.
    if !core.follows.is_on() || core.quotas.is_active() {
        return Ok(None);
    }
    let Some(followed) = core.store.follow(log, follow.offset, follow.place)? else {
        return Ok(None);
    };
    if !core.follows.has_room(followed.bytes as usize) {
        core.store.unfollow(followed);
        return Ok(None);
    }
    Ok(Some(followed))
}
