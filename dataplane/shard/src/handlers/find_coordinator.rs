//! FindCoordinator, key 10, versions 0–6: answered from the image. A group's coordinator is the
//! leader of its partition of `__consumer_offsets`, which is made when it is first asked for.

use crate::control::Caller;
use crate::core::{CloseReason, Core, Handled, Request};
use precursor_model::{ErrorCode, OFFSETS_TOPIC, coordinator_partition};
use precursor_protocol::messages::FindCoordinatorResponse;
use precursor_protocol::messages::find_coordinator_response::Coordinator;
use precursor_protocol::views::FindCoordinatorRequestView;

/// `key_type` of the request.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
const SHARE: i8 = 2;

/// The control plane is asked for the topic at most this often.
const ASK_INTERVAL_MS: u64 = 1_000;

/// Why there is no coordinator to be told.
type Refusal = (ErrorCode, &'static str);

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = FindCoordinatorRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    core.stats.other_requests.add(1);
    if view.key_type == GROUP && core.image.topic(OFFSETS_TOPIC).is_none() {
        ask_for_topic(core);
    }
    let mut response = FindCoordinatorResponse {
        throttle_time_ms: core.throttle_ms,
        ..FindCoordinatorResponse::default()
    };
    if request.version < 4 {
        let found = coordinator(core, view.key, view.key_type);
        response.error_code = found.error_code;
        response.error_message = found.error_message.filter(|_| request.version >= 1);
        response.node_id = found.node_id;
        response.host = found.host;
        response.port = found.port;
    } else {
        let keys = view.coordinator_keys;
        response.coordinators = keys
            .map(|key| coordinator(core, key, view.key_type))
            .collect();
    }
    super::answer_message(core, request, |out| response.encode(out, request.version))
}

fn coordinator(core: &Core, key: &str, key_type: i8) -> Coordinator {
    let found = match key_type {
        GROUP => find_group(core, key),
        TRANSACTION => Err((
            ErrorCode::CoordinatorNotAvailable,
            "this broker does not coordinate transactions yet",
        )),
        SHARE if share_key_is_sound(key) => Err((
            ErrorCode::CoordinatorNotAvailable,
            "this broker does not coordinate share groups yet",
        )),
        SHARE => Err((
            ErrorCode::InvalidRequest,
            "the key of a share coordinator is group:topicId:partition",
        )),
        _ => Err((ErrorCode::InvalidRequest, "an unknown kind of coordinator")),
    };
    let mut answer = Coordinator {
        key: key.to_owned(),
        ..Coordinator::default()
    };
    match found {
        Ok((node_id, host, port)) => {
            answer.node_id = node_id;
            host.clone_into(&mut answer.host);
            answer.port = i32::from(port);
        }
        // Kafka's own "no node": id -1, no host, port -1.
        Err((error, why)) => {
            answer.node_id = -1;
            answer.port = -1;
            answer.error_code = error.code();
            answer.error_message = Some(why.to_owned());
        }
    }
    answer
}

/// The broker that leads the group's partition: id, host and port.
fn find_group<'a>(core: &'a Core, group_id: &str) -> Result<(i32, &'a str, u16), Refusal> {
    let missing = (
        ErrorCode::CoordinatorNotAvailable,
        "the topic of committed offsets is being made",
    );
    let topic = core.image.topic(OFFSETS_TOPIC).ok_or(missing)?;
    if topic.partitions.is_empty() {
        return Err(missing);
    }
    let place = coordinator_partition(group_id, topic.partitions.len());
    let leader = topic.partitions[place].leader;
    let broker = core.image.brokers.iter().find(|broker| broker.id == leader);
    let broker = broker.ok_or((
        ErrorCode::CoordinatorNotAvailable,
        "the group's partition has no leader",
    ))?;
    let (host, port) = core.address_of(broker);
    Ok((broker.id, host, port))
}

/// `group:topicId:partition` (KIP-932); a group id may have colons itself.
fn share_key_is_sound(key: &str) -> bool {
    let mut parts = key.rsplitn(3, ':');
    let partition = parts.next().and_then(|text| text.parse::<u32>().ok());
    let topic = parts.next().filter(|id| id.len() == 22);
    let group = parts.next().filter(|group| !group.is_empty());
    partition.is_some() && topic.is_some() && group.is_some()
}

fn ask_for_topic(core: &mut Core) {
    let now_ms = core.now_ms();
    let due = core.offsets_topic_due_ms <= now_ms;
    if due && core.control.has_room() {
        core.offsets_topic_due_ms = now_ms + ASK_INTERVAL_MS;
        core.control
            .ensure_topics(Caller::Nobody, vec![OFFSETS_TOPIC]);
    }
}
