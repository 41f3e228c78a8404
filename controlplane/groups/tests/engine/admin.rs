//! DescribeGroups, ListGroups, DeleteGroups.

use crate::harness::{GROUP, Harness, commit, error, join};
use precursor_groups::{GroupConfig, GroupCoordinator, Request, RequestContext, Response};
use precursor_model::ErrorCode;
use precursor_protocol::messages::describe_groups_response::DescribedGroup;

fn describe(h: &mut Harness, version: i16) -> DescribedGroup {
    h.version = version;
    let request = Request::DescribeGroups {
        group_ids: vec![GROUP.into()],
    };
    match h.ask(request) {
        Response::DescribeGroups(mut groups) => groups.remove(0),
        other => panic!("{other:?}"),
    }
}

fn list(h: &mut Harness, states: &[&str], types: &[&str]) -> Vec<String> {
    let texts = |filter: &[&str]| filter.iter().map(|text| (*text).to_owned()).collect();
    let request = Request::ListGroups {
        states_filter: texts(states),
        types_filter: texts(types),
    };
    match h.ask(request) {
        Response::ListGroups(Ok(groups)) => groups.into_iter().map(|g| g.group_id).collect(),
        other => panic!("{other:?}"),
    }
}

fn delete(h: &mut Harness, groups: &[&str]) -> Vec<ErrorCode> {
    let group_ids = groups.iter().map(|id| (*id).to_owned()).collect();
    match h.ask(Request::DeleteGroups { group_ids }) {
        Response::DeleteGroups(results) => results.iter().map(|r| error(r.error_code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn groups_are_described_as_they_stand() {
    let mut h = Harness::new();
    let dead = describe(&mut h, 5);
    assert_eq!((dead.error_code, dead.group_state.as_str()), (0, "Dead"));
    let dead = describe(&mut h, 6);
    assert_eq!(error(dead.error_code), ErrorCode::GroupIdNotFound);
    assert!(dead.error_message.is_some());
    h.version = 9;
    let (id, _) = h.stable();
    let stable = describe(&mut h, 6);
    assert_eq!(stable.group_state, "Stable");
    assert_eq!(
        (stable.protocol_type.as_str(), stable.protocol_data.as_str()),
        ("consumer", "range")
    );
    assert_eq!(stable.members[0].member_assignment, b"all");
    assert_eq!(stable.members[0].client_host, "/127.0.0.1");
    h.version = 5;
    h.leave(&[(&id, None)]);
    let empty = describe(&mut h, 6);
    assert_eq!(
        (empty.group_state.as_str(), empty.members.len()),
        ("Empty", 0)
    );
}

#[test]
fn an_assignment_is_told_until_there_is_a_new_one() {
    let mut h = Harness::new();
    let (id, _) = h.stable();
    // The leader joins again, and is not assigned anything yet.
    let token = h.send(Request::JoinGroup(join(&id, None)));
    assert_eq!(h.joined(token).error_code, 0);
    let between = describe(&mut h, 6);
    assert_eq!(between.group_state, "CompletingRebalance");
    let member = &between.members[0];
    assert_eq!(member.member_assignment, b"all");
    assert!(member.member_metadata.is_empty());
}

#[test]
fn lists_are_filtered_without_regard_to_case() {
    let mut h = Harness::new();
    h.stable();
    let mut simple = commit("", -1, "t", 1);
    simple.group_id = "simple".into();
    h.commit_error(Request::OffsetCommit(simple));
    assert_eq!(list(&mut h, &[], &[]), [GROUP, "simple"]);
    assert_eq!(list(&mut h, &["stable"], &["Classic"]), [GROUP]);
    assert_eq!(list(&mut h, &["EMPTY"], &[]), ["simple"]);
    assert_eq!(list(&mut h, &[], &["consumer"]), [""; 0]);
}

#[test]
fn an_empty_group_can_be_deleted_and_stays_deleted() {
    let mut h = Harness::new();
    let (id, generation) = h.stable();
    h.commit_error(Request::OffsetCommit(commit(&id, generation, "t", 1)));
    let both = [GROUP, "none"];
    assert_eq!(
        delete(&mut h, &both),
        [ErrorCode::NonEmptyGroup, ErrorCode::GroupIdNotFound]
    );
    h.leave(&[(&id, None)]);
    h.hold = true;
    let token = h.send(Request::DeleteGroups {
        group_ids: vec![GROUP.into(), GROUP.into()],
    });
    assert!(h.answer(token).is_none(), "not before it is durable");
    h.fail_held(ErrorCode::NotEnoughReplicas);
    let Some(Response::DeleteGroups(results)) = h.answer(token) else {
        panic!("no answer")
    };
    assert_eq!(
        error(results[0].error_code),
        ErrorCode::CoordinatorNotAvailable
    );
    assert_eq!(h.fetched().len(), 1, "it is still there");
    h.hold = false;
    assert_eq!(delete(&mut h, &both)[0], ErrorCode::None);
    assert_eq!(h.coordinator.group_count(), 0);
    h.restart(GroupConfig::default());
    assert_eq!(h.coordinator.group_count(), 0);
}

#[test]
fn large_deletions_go_in_pieces_and_are_answered_once() {
    let mut config = GroupConfig::default();
    config.limits.append_bytes_max = 100;
    let mut h = Harness::with(config.clone());
    for topic in 0..20 {
        h.commit_error(Request::OffsetCommit(commit(
            "",
            -1,
            &format!("topic-{topic}"),
            1,
        )));
    }
    assert_eq!(delete(&mut h, &[GROUP]), [ErrorCode::None]);
    h.restart(config);
    assert_eq!(h.coordinator.group_count(), 0);
}

#[test]
fn a_loading_coordinator_says_so() {
    let mut coordinator = GroupCoordinator::new(GroupConfig::default());
    let mut out = Vec::new();
    let request = Request::ListGroups {
        states_filter: vec![],
        types_filter: vec![],
    };
    coordinator.request(&RequestContext::default(), request, &mut out);
    let precursor_groups::Command::Reply { response, .. } = &out[0] else {
        panic!("{out:?}")
    };
    let loading = Response::ListGroups(Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(*response, loading);
    coordinator
        .load(&[0, 3, 0, 1, b'g'], Some(&[0, 0]))
        .unwrap();
    assert_eq!(coordinator.records_unknown(), 1);
    assert!(coordinator.load(&[0, 1, 0], None).is_err());
}
