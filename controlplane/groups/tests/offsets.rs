//! Committed offsets: visible when durable, alive after a replay.

use precursor_groups::Response;
use precursor_groups::{Command, GroupConfig, GroupCoordinator, Now, Request, RequestContext};
use precursor_model::ErrorCode;
use precursor_protocol::messages::OffsetCommitRequest;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;

fn commit(offset: i64) -> Request {
    Request::OffsetCommit(OffsetCommitRequest {
        group_id: "g".into(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: offset,
                committed_metadata: Some("note".into()),
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    })
}

fn fetched(coordinator: &mut GroupCoordinator) -> Option<i64> {
    let request = Request::OffsetFetch {
        group: OffsetFetchRequestGroup {
            group_id: "g".into(),
            ..OffsetFetchRequestGroup::default()
        },
        require_stable: false,
    };
    let request = match request {
        Request::OffsetFetch { mut group, .. } => {
            group.topics = None;
            Request::OffsetFetch {
                group,
                require_stable: true,
            }
        }
        other => other,
    };
    let mut out = Vec::new();
    coordinator.request(&RequestContext::default(), request, &mut out);
    match out.pop() {
        Some(Command::Reply {
            response: Response::OffsetFetch(group),
            ..
        }) => group
            .topics
            .first()
            .map(|t| t.partitions[0].committed_offset),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_commit_is_visible_when_it_is_durable_and_survives_a_replay() {
    let now = Now::default();
    let mut coordinator = GroupCoordinator::new(GroupConfig::default());
    let mut out = Vec::new();
    coordinator.loaded(now, &mut out);
    coordinator.request(&RequestContext::default(), commit(5), &mut out);
    let Some(Command::Append { append_id, records }) = out.pop() else {
        panic!("no append")
    };
    assert!(out.is_empty());
    assert_eq!(fetched(&mut coordinator), None);
    coordinator.appended(append_id, Ok(0), now, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(fetched(&mut coordinator), Some(5));

    out.clear();
    coordinator.request(&RequestContext::default(), commit(6), &mut out);
    let Some(Command::Append { append_id, .. }) = out.pop() else {
        panic!("no append")
    };
    coordinator.appended(append_id, Err(ErrorCode::NotEnoughReplicas), now, &mut out);
    let Some(Command::Reply {
        response: Response::OffsetCommit(response),
        ..
    }) = out.pop()
    else {
        panic!("no answer")
    };
    let error = response.topics[0].partitions[0].error_code;
    assert_eq!(error, ErrorCode::CoordinatorNotAvailable.code());
    assert_eq!(fetched(&mut coordinator), Some(5));

    let mut again = GroupCoordinator::new(GroupConfig::default());
    for record in &records {
        again.load(&record.key, record.value.as_deref()).unwrap();
    }
    again.loaded(now, &mut out);
    assert_eq!(fetched(&mut again), Some(5));
}
