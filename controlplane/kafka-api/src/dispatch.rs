//! From a frame to its handler and back.

use crate::api::Api;
use crate::handlers::{
    alter_client_quotas, alter_configs, alter_partition_reassignments, create_partitions,
    create_topics, delete_groups, delete_topics, describe_client_quotas, describe_cluster,
    describe_configs, describe_groups, describe_log_dirs, describe_topic_partitions, elect_leaders,
    get_telemetry_subscriptions, heartbeat, incremental_alter_configs, init_producer_id,
    join_group, leave_group, list_config_resources, list_groups, list_partition_reassignments,
    offset_commit, offset_delete, offset_fetch, push_telemetry, sync_group,
};
use crate::telemetry::Reporter;
use precursor_bridge::{Answer, Request, Unanswerable};
use precursor_coordinator::Client;
use precursor_protocol::header::response_header;
use precursor_protocol::messages::OffsetCommitResponse;
use precursor_protocol::{ApiKey, DecodeError, EncodeError, RequestHeader};
use std::net::SocketAddr;

/// One API that is answered here: its versions, and how.
macro_rules! handlers {
    ($($key:ident $min:literal..=$max:literal => $module:ident),+ $(,)?) => {
        /// Every API that is answered here with its range of versions.
        #[cfg(test)]
        const ANSWERED: &[(ApiKey, i16, i16)] = &[$((ApiKey::$key, $min, $max)),+];

        async fn handle(
            api: &Api,
            key: ApiKey,
            version: i16,
            body: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), Unanswerable> {
            match key {
                $(ApiKey::$key if ($min..=$max).contains(&version) => {
                    let request = $module::Request::decode(body, version).map_err(unreadable)?;
                    let response = $module::handle(api, version, request).await;
                    response.encode(out, version).map_err(unwritable)
                })+
                _ => Err(Unanswerable(format!(
                    "{key:?} version {version} is not answered by the control plane"
                ))),
            }
        }
    };
}

handlers! {
    CreateTopics 2..=7 => create_topics,
    DeleteTopics 1..=6 => delete_topics,
    InitProducerId 0..=5 => init_producer_id,
    DescribeConfigs 1..=4 => describe_configs,
    AlterConfigs 0..=2 => alter_configs,
    DescribeLogDirs 1..=5 => describe_log_dirs,
    CreatePartitions 0..=3 => create_partitions,
    ElectLeaders 0..=2 => elect_leaders,
    IncrementalAlterConfigs 0..=1 => incremental_alter_configs,
    AlterPartitionReassignments 0..=1 => alter_partition_reassignments,
    ListPartitionReassignments 0..=0 => list_partition_reassignments,
    DescribeClientQuotas 0..=1 => describe_client_quotas,
    AlterClientQuotas 0..=1 => alter_client_quotas,
    DescribeCluster 0..=2 => describe_cluster,
    ListConfigResources 0..=1 => list_config_resources,
    DescribeTopicPartitions 0..=0 => describe_topic_partitions,
}

/// As [`handlers`], of those that also need to know who asks, which a type says.
macro_rules! handlers_to_somebody {
    (
        $answered:ident, $is_one:ident, $handle:ident, $who:ty;
        $($key:ident $min:literal..=$max:literal => $module:ident),+ $(,)?
    ) => {
        #[cfg(test)]
        const $answered: &[(ApiKey, i16, i16)] = &[$((ApiKey::$key, $min, $max)),+];

        fn $is_one(key: ApiKey) -> bool {
            matches!(key, $(ApiKey::$key)|+)
        }

        async fn $handle(
            api: &Api,
            who: $who,
            key: ApiKey,
            version: i16,
            body: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), Unanswerable> {
            match key {
                $(ApiKey::$key if ($min..=$max).contains(&version) => {
                    let request = $module::Request::decode(body, version).map_err(unreadable)?;
                    let response = $module::handle(api, who, version, request).await;
                    response.encode(out, version).map_err(unwritable)
                })+
                _ => Err(Unanswerable(format!(
                    "{key:?} version {version} is not answered by the control plane"
                ))),
            }
        }
    };
}

handlers_to_somebody! {
    ANSWERED_TO_MEMBERS, is_of_groups, handle_of_groups, Client;
    OffsetFetch 1..=10 => offset_fetch,
    JoinGroup 0..=9 => join_group,
    Heartbeat 0..=4 => heartbeat,
    LeaveGroup 0..=5 => leave_group,
    SyncGroup 0..=5 => sync_group,
    DescribeGroups 0..=6 => describe_groups,
    ListGroups 0..=5 => list_groups,
    DeleteGroups 0..=3 => delete_groups,
    OffsetDelete 0..=0 => offset_delete,
}

handlers_to_somebody! {
    ANSWERED_TO_REPORTERS, is_of_telemetry, handle_of_telemetry, Reporter;
    GetTelemetrySubscriptions 0..=0 => get_telemetry_subscriptions,
    PushTelemetry 0..=0 => push_telemetry,
}

/// The answer to a frame: header and body.
pub(crate) async fn answer(api: &Api, request: &Request) -> Result<Answer, Unanswerable> {
    let (header, body) = RequestHeader::parse(&request.frame).map_err(unreadable)?;
    let key = ApiKey::from_i16(header.api_key)
        .ok_or_else(|| Unanswerable(format!("{} is not the key of an API", header.api_key)))?;
    if key == ApiKey::OffsetCommit {
        return commit_offsets(api, request, &header, body).await;
    }
    let mut out = Vec::new();
    response_header(&mut out, key, header.api_version, header.correlation_id);
    if is_of_groups(key) {
        let client = client(&header, request);
        handle_of_groups(api, client, key, header.api_version, body, &mut out).await?;
    } else if is_of_telemetry(key) {
        let reporter = Reporter::new(header.client_id, &request.origin);
        handle_of_telemetry(api, reporter, key, header.api_version, body, &mut out).await?;
    } else {
        handle(api, key, header.api_version, body, &mut out).await?;
    }
    Ok(Answer::Frame(out))
}

/// OffsetCommit's version range.
const COMMITS: std::ops::RangeInclusive<i16> = 2..=10;

/// Answers an OffsetCommit, whose answer may have left by the time that it is known here.
async fn commit_offsets(
    api: &Api,
    request: &Request,
    header: &RequestHeader<'_>,
    body: &[u8],
) -> Result<Answer, Unanswerable> {
    let (version, correlation_id) = (header.api_version, header.correlation_id);
    if !COMMITS.contains(&version) {
        return Err(Unanswerable(format!("OffsetCommit version {version}")));
    }
    let commit = offset_commit::Request::decode(body, version).map_err(unreadable)?;
    let frame = move |response: &OffsetCommitResponse| {
        let mut out = Vec::new();
        response_header(&mut out, ApiKey::OffsetCommit, version, correlation_id);
        response.encode(&mut out, version).map(|()| out)
    };
    let asked = offset_commit::Asked {
        client: client(header, request),
        version,
        shard: request.shard,
        token: request.token,
    };
    let early = move |response: &OffsetCommitResponse| frame(response).ok();
    match offset_commit::handle(api, asked, commit, early).await {
        Some(response) => frame(&response).map(Answer::Frame).map_err(unwritable),
        None => Ok(Answer::Sent),
    }
}

fn client(header: &RequestHeader<'_>, request: &Request) -> Client {
    let peer = request.origin.peer.parse::<SocketAddr>();
    Client {
        id: header.client_id.unwrap_or_default().to_owned(),
        // As Java writes an address that has no name.
        host: peer.map_or_else(|_| String::new(), |peer| format!("/{}", peer.ip())),
    }
}

fn unreadable(error: DecodeError) -> Unanswerable {
    Unanswerable(error.to_string())
}

/// Our own mistake: logged, because nobody else will say it.
fn unwritable(error: EncodeError) -> Unanswerable {
    tracing::error!(%error, "an answer cannot be written");
    Unanswerable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{ANSWERED, ANSWERED_TO_MEMBERS, ANSWERED_TO_REPORTERS, COMMITS};
    use precursor_protocol::ApiKey;
    use precursor_protocol::api::{AnsweredBy, SERVED};

    #[test]
    fn what_the_shards_forward_is_answered_here() {
        let forwarded: Vec<_> = SERVED
            .iter()
            .filter(|served| served.answered_by == AnsweredBy::ControlPlane)
            .map(|served| (served.key, served.version_min, served.version_max))
            .collect();
        for served in &forwarded {
            let commits = [(ApiKey::OffsetCommit, *COMMITS.start(), *COMMITS.end())];
            let to_somebody = ANSWERED_TO_MEMBERS.iter().chain(ANSWERED_TO_REPORTERS);
            let to_somebody = to_somebody.chain(&commits);
            let mut answered = ANSWERED.iter().chain(to_somebody);
            assert!(answered.any(|a| a == served), "{served:?} has no handler");
        }
    }
}
