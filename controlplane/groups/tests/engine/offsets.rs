//! Committed offsets: visible when durable, alive after a replay, gone when expired.

use crate::harness::{GROUP, Harness, commit, error, join};
use precursor_groups::{GroupConfig, Request, Response};
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::messages::OffsetDeleteRequest;
use precursor_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn simple(topic: &str, offset: i64) -> Request {
    Request::OffsetCommit(commit("", -1, topic, offset))
}

#[test]
fn a_commit_is_visible_when_it_is_durable_and_survives_a_replay() {
    let mut h = Harness::new();
    h.hold = true;
    let token = h.send(simple("t", 5));
    assert_eq!(h.fetched(), []);
    assert!(h.answer(token).is_none());
    h.release();
    assert!(h.answer(token).is_some());
    assert_eq!(h.fetched(), [("t".to_owned(), 1, 5)]);

    let token = h.send(simple("t", 6));
    h.fail_held(ErrorCode::NotEnoughReplicas);
    let Some(Response::OffsetCommit(response)) = h.answer(token) else {
        panic!("no answer")
    };
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(error(code), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(h.fetched(), [("t".to_owned(), 1, 5)]);

    h.restart(GroupConfig::default());
    assert_eq!(h.fetched(), [("t".to_owned(), 1, 5)]);
}

#[test]
fn metadata_and_leader_epoch_come_back_also_after_a_replay() {
    let mut h = Harness::new();
    let mut request = commit("", -1, "t", 5);
    request.topics[0].partitions[0].committed_leader_epoch = 7;
    assert_eq!(
        h.commit_error(Request::OffsetCommit(request)),
        ErrorCode::None
    );
    for _ in 0..2 {
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        };
        let request = Request::OffsetFetch {
            group,
            require_stable: true,
        };
        let Response::OffsetFetch(told) = h.ask(request) else {
            panic!("another answer")
        };
        let partition = &told.topics[0].partitions[0];
        assert_eq!(partition.committed_offset, 5);
        assert_eq!(partition.committed_leader_epoch, 7);
        assert_eq!(partition.metadata.as_deref(), Some("note"));
        h.restart(GroupConfig::default());
    }
}

#[test]
fn outcomes_told_out_of_order_take_effect_in_the_logs_order() {
    let mut h = Harness::new();
    h.hold = true;
    h.send(simple("t", 1));
    h.send(simple("t", 2));
    h.held.reverse();
    h.release();
    assert_eq!(h.fetched(), [("t".to_owned(), 1, 2)]);
}

#[test]
fn who_may_commit() {
    let mut h = Harness::new();
    let unknown = |generation| Request::OffsetCommit(commit("m", generation, "t", 1));
    h.version = 8;
    assert_eq!(h.commit_error(unknown(3)), ErrorCode::IllegalGeneration);
    h.version = 9;
    assert_eq!(h.commit_error(unknown(3)), ErrorCode::GroupIdNotFound);
    let (id, generation) = h.stable();
    let by = |id: &str, generation| Request::OffsetCommit(commit(id, generation, "t", 1));
    assert_eq!(h.commit_error(by(&id, generation)), ErrorCode::None);
    assert_eq!(h.commit_error(by(&id, 0)), ErrorCode::IllegalGeneration);
    assert_eq!(
        h.commit_error(by("other", generation)),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(h.commit_error(by("", -1)), ErrorCode::UnknownMemberId);
    // While the next generation is being made, the old one may still commit.
    h.send(Request::JoinGroup(join(&id, None)));
    h.leave(&[(&id, None)]);
    assert_eq!(h.commit_error(by("", -1)), ErrorCode::None);
}

#[test]
fn metadata_has_a_length_counted_as_java_counts() {
    let mut h = Harness::new();
    let with = |text: String| {
        let mut request = commit("", -1, "t", 1);
        request.topics[0].partitions[0].committed_metadata = Some(text);
        Request::OffsetCommit(request)
    };
    assert_eq!(h.commit_error(with("x".repeat(4_096))), ErrorCode::None);
    assert_eq!(
        h.commit_error(with("x".repeat(4_097))),
        ErrorCode::OffsetMetadataTooLarge
    );
    // 4,096 units in 8,192 bytes.
    assert_eq!(h.commit_error(with("ß".repeat(4_096))), ErrorCode::None);
}

#[test]
fn simple_offsets_expire_after_their_own_commit() {
    let mut h = Harness::new();
    h.commit_error(simple("old", 1));
    h.pass(3 * DAY_MS);
    h.commit_error(simple("young", 1));
    h.pass(4 * DAY_MS + 600_000);
    assert_eq!(h.fetched(), [("young".to_owned(), 1, 1)]);
    h.pass(3 * DAY_MS + 600_000);
    assert_eq!(h.fetched(), []);
    assert_eq!(h.coordinator.group_count(), 0);
    h.restart(GroupConfig::default());
    assert_eq!(h.coordinator.group_count(), 0);
}

#[test]
fn a_groups_offsets_expire_after_it_became_empty() {
    let mut h = Harness::new();
    let (id, generation) = h.stable();
    h.commit_error(Request::OffsetCommit(commit(&id, generation, "t", 9)));
    // Stable, and subscribed: nothing expires.
    for _ in 0..8 * 24 * 60 * 12 {
        h.pass(5_000);
        assert_eq!(h.heartbeat(&id, generation), ErrorCode::None);
    }
    assert_eq!(h.fetched().len(), 1);
    h.leave(&[(&id, None)]);
    h.pass(6 * DAY_MS);
    assert_eq!(h.fetched().len(), 1);
    h.pass(DAY_MS + 600_000);
    assert_eq!(h.fetched(), []);
    assert_eq!(h.coordinator.group_count(), 0);
    h.restart(GroupConfig::default());
    assert_eq!(h.coordinator.group_count(), 0);
}

#[test]
fn a_commit_with_its_own_retention_expires_by_it() {
    let mut h = Harness::new();
    let mut request = commit("", -1, "t", 1);
    request.retention_time_ms = 3_600_000;
    h.version = 4;
    h.commit_error(Request::OffsetCommit(request));
    h.restart(GroupConfig::default());
    h.pass(3_000_000);
    assert_eq!(h.fetched().len(), 1);
    h.pass(1_200_000);
    assert_eq!(h.fetched(), []);
}

fn delete(topic: &str) -> Request {
    Request::OffsetDelete(OffsetDeleteRequest {
        group_id: GROUP.into(),
        topics: vec![OffsetDeleteRequestTopic {
            name: topic.into(),
            partitions: vec![OffsetDeleteRequestPartition { partition_index: 1 }],
        }],
    })
}

fn deleted(response: Response) -> (ErrorCode, Option<ErrorCode>) {
    let Response::OffsetDelete(response) = response else {
        panic!("{response:?}")
    };
    let first = response.topics.first().map(|t| t.partitions[0].error_code);
    (error(response.error_code), first.map(error))
}

#[test]
fn offsets_of_topics_that_nobody_reads_can_be_deleted() {
    let mut h = Harness::new();
    assert_eq!(deleted(h.ask(delete("t"))).0, ErrorCode::GroupIdNotFound);
    let (id, generation) = h.stable();
    for topic in ["t", "other"] {
        h.commit_error(Request::OffsetCommit(commit(&id, generation, topic, 1)));
    }
    let subscribed = Some(ErrorCode::GroupSubscribedToTopic);
    assert_eq!(deleted(h.ask(delete("t"))), (ErrorCode::None, subscribed));
    assert_eq!(
        deleted(h.ask(delete("other"))),
        (ErrorCode::None, Some(ErrorCode::None))
    );
    assert_eq!(h.fetched(), [("t".to_owned(), 1, 1)]);
    h.leave(&[(&id, None)]);
    assert_eq!(
        deleted(h.ask(delete("t"))),
        (ErrorCode::None, Some(ErrorCode::None))
    );
    assert_eq!(h.fetched(), []);
}

#[test]
fn a_deleted_topic_takes_its_offsets_along_even_those_on_their_way() {
    let mut h = Harness::new();
    h.commit_error(simple("keep", 1));
    h.hold = true;
    h.send(simple("gone", 1));
    let mut out = Vec::new();
    let now = h.now();
    h.coordinator
        .topics_deleted(&["gone".to_owned()], now, &mut out);
    let [precursor_groups::Command::Append { append_id, records }] = &out[..] else {
        panic!("{out:?}")
    };
    h.held.push((*append_id, records.clone()));
    h.release();
    assert_eq!(h.fetched(), [("keep".to_owned(), 1, 1)]);
}

#[test]
fn a_topic_id_is_kept_and_a_successors_is_not_taken_for_it() {
    let mut h = Harness::new();
    let mut request = commit("", -1, "t", 7);
    request.topics[0].topic_id = TopicId([7; 16]);
    h.commit_error(Request::OffsetCommit(request));
    assert_eq!(h.log[0].value.as_ref().unwrap()[..2], [0, 4]);
    h.restart(GroupConfig::default());
    for (topic_id, offset) in [([7; 16], 7), ([8; 16], -1), ([0; 16], 7)] {
        use precursor_protocol::messages::offset_fetch_request as fetch;
        let topic = fetch::OffsetFetchRequestTopics {
            name: "t".into(),
            topic_id: TopicId(topic_id),
            partition_indexes: vec![1],
            ..fetch::OffsetFetchRequestTopics::default()
        };
        let group = fetch::OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: Some(vec![topic]),
            ..fetch::OffsetFetchRequestGroup::default()
        };
        let response = h.ask(Request::OffsetFetch {
            group,
            require_stable: false,
        });
        let Response::OffsetFetch(group) = response else {
            panic!("{response:?}")
        };
        assert_eq!(group.topics[0].partitions[0].committed_offset, offset);
    }
}
