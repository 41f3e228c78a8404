//! Members: joining, syncing, heartbeats, leaving, static members, generations.

use crate::harness::{GROUP, Harness, error, join, protocol, sync};
use precursor_groups::{GroupConfig, Request, Response};
use precursor_model::ErrorCode;

#[test]
fn two_members_share_and_the_leader_alone_is_told_of_both() {
    let mut h = Harness::new();
    let (a_token, a) = h.join_new();
    h.pass(1_000);
    let (b_token, b) = h.join_new();
    h.pass(2_000);
    // A second member came during the delay: it begins once more.
    assert!(h.answer(a_token).is_none());
    h.pass(3_000);
    let (a_joined, b_joined) = (h.joined(a_token), h.joined(b_token));
    assert_eq!((a_joined.generation_id, b_joined.generation_id), (1, 1));
    assert_eq!(a_joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(a_joined.leader, b_joined.leader);
    let (leader, follower) = if a_joined.leader == a { (a, b) } else { (b, a) };
    let told = a_joined.members.len() + b_joined.members.len();
    assert_eq!(told, 2, "the leader is told of two, the follower of none");

    h.hold = true;
    let follower_sync = h.send(sync(&follower, 1, &[]));
    let leader_sync = h.send(sync(&leader, 1, &[(&leader, b"l"), (&follower, b"f")]));
    assert!(
        h.answer(follower_sync).is_none(),
        "not before it is durable"
    );
    h.release();
    assert_eq!(h.synced(follower_sync).assignment, b"f");
    assert_eq!(h.synced(leader_sync).assignment, b"l");
    assert_eq!(h.heartbeat(&follower, 1), ErrorCode::None);
    assert_eq!(h.heartbeat(&follower, 2), ErrorCode::IllegalGeneration);
    assert_eq!(h.heartbeat("nobody", 1), ErrorCode::UnknownMemberId);

    // The coordinator's successor knows the generation and both assignments.
    h.hold = false;
    h.restart(GroupConfig::default());
    assert_eq!(h.heartbeat(&follower, 1), ErrorCode::None);
    let token = h.send(sync(&follower, 1, &[]));
    assert_eq!(h.synced(token).assignment, b"f");

    // The follower dies; the leader hears of a rebalance and goes on alone.
    for _ in 0..3 {
        h.pass(4_000);
        h.heartbeat(&leader, 1);
    }
    assert_eq!(h.heartbeat(&leader, 1), ErrorCode::RebalanceInProgress);
    let token = h.send(Request::JoinGroup(join(&leader, None)));
    assert_eq!(h.joined(token).generation_id, 2);
}

#[test]
fn an_assignment_that_is_not_durable_is_no_assignment() {
    let mut h = Harness::new();
    let (token, id) = h.join_new();
    h.pass(3_000);
    assert_eq!(h.joined(token).generation_id, 1);
    h.hold = true;
    let token = h.send(sync(&id, 1, &[(&id, b"all")]));
    h.fail_held(ErrorCode::RequestTimedOut);
    let refused = h.synced(token);
    assert_eq!(
        error(refused.error_code),
        ErrorCode::CoordinatorNotAvailable
    );
    assert_eq!(h.heartbeat(&id, 1), ErrorCode::RebalanceInProgress);
    let token = h.send(Request::JoinGroup(join(&id, None)));
    assert_eq!(h.joined(token).generation_id, 2);
}

#[test]
fn requests_that_cannot_be_are_refused() {
    let mut h = Harness::new();
    let mut request = join("", None);
    request.group_id = String::new();
    let token = h.send(Request::JoinGroup(request));
    assert_eq!(error(h.joined(token).error_code), ErrorCode::InvalidGroupId);
    for session_timeout_ms in [5_999, 1_800_001, -1, 0] {
        let mut request = join("", None);
        request.session_timeout_ms = session_timeout_ms;
        let token = h.send(Request::JoinGroup(request));
        assert_eq!(
            error(h.joined(token).error_code),
            ErrorCode::InvalidSessionTimeout
        );
    }
    let token = h.send(Request::JoinGroup(join("stranger", None)));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::UnknownMemberId
    );
    let mut request = join("", None);
    request.protocols.clear();
    let token = h.send(Request::JoinGroup(request));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(h.coordinator.group_count(), 0, "nothing of it stays");

    let (id, generation) = h.stable();
    let mut request = join("", None);
    request.protocol_type = "connect".into();
    let token = h.send(Request::JoinGroup(request));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    let mut request = join("", None);
    request.protocols = vec![protocol("sticky", &["t"])];
    let token = h.send(Request::JoinGroup(request));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );

    let Request::SyncGroup(mut request) = sync(&id, generation, &[]) else {
        unreachable!()
    };
    request.protocol_name = Some("sticky".into());
    let token = h.send(Request::SyncGroup(request.clone()));
    assert_eq!(
        error(h.synced(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    request.protocol_name = Some("range".into());
    request.protocol_type = Some("connect".into());
    let token = h.send(Request::SyncGroup(request.clone()));
    assert_eq!(
        error(h.synced(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    request.protocol_type = Some("consumer".into());
    request.protocol_name = None;
    let token = h.send(Request::SyncGroup(request.clone()));
    assert_eq!(
        error(h.synced(token).error_code),
        ErrorCode::InconsistentGroupProtocol
    );
    // Before version 5 the protocol was not told.
    h.version = 4;
    request.protocol_type = None;
    let token = h.send(Request::SyncGroup(request));
    assert_eq!(h.synced(token).assignment, b"all");
}

#[test]
fn old_versions_join_without_an_id_of_their_own() {
    let mut h = Harness::new();
    h.version = 0;
    let mut request = join("", None);
    request.rebalance_timeout_ms = -1;
    let token = h.send(Request::JoinGroup(request));
    h.pass(3_000);
    let response = h.joined(token);
    assert_eq!((response.error_code, response.generation_id), (0, 1));
    assert_eq!(response.leader, response.member_id);
    assert_eq!(response.members.len(), 1);
    let mut out = Vec::new();
    response
        .encode(&mut out, 0)
        .expect("version 0 can carry it");
    // An error of an old version is one that it can carry, too.
    let token = h.send(Request::JoinGroup(join("stranger", None)));
    h.joined(token).encode(&mut out, 0).expect("so can errors");
    // LeaveGroup names one member, and the error is the answer's own.
    let mut leave = precursor_protocol::messages::LeaveGroupRequest {
        group_id: GROUP.into(),
        member_id: response.member_id.clone(),
        ..Default::default()
    };
    let Response::LeaveGroup(left) = h.ask(Request::LeaveGroup(leave.clone())) else {
        unreachable!()
    };
    assert_eq!((left.error_code, left.members.len()), (0, 0));
    leave.member_id = "stranger".into();
    let Response::LeaveGroup(left) = h.ask(Request::LeaveGroup(leave)) else {
        unreachable!()
    };
    assert_eq!(error(left.error_code), ErrorCode::UnknownMemberId);
}

#[test]
fn a_static_member_comes_back_without_a_rebalance_and_fences_its_past() {
    let mut h = Harness::new();
    let token = h.send(Request::JoinGroup(join("", Some("i"))));
    h.pass(3_000);
    let first = h.joined(token);
    let old = first.member_id.clone();
    assert!(old.starts_with("i-"), "{old}");
    let token = h.send(sync(&old, 1, &[(&old, b"all")]));
    assert_eq!(h.synced(token).error_code, 0);

    for (version, skipped) in [(9, true), (8, false)] {
        h.version = version;
        let token = h.send(Request::JoinGroup(join("", Some("i"))));
        let again = h.joined(token);
        assert_eq!((again.error_code, again.generation_id), (0, 1));
        assert_eq!(again.skip_assignment, skipped);
        // Before KIP-814 it must not take itself for the leader.
        assert_eq!(again.leader == again.member_id, skipped);
        let token = h.send(sync(&again.member_id, 1, &[]));
        assert_eq!(h.synced(token).assignment, b"all");
    }
    h.version = 9;
    let fenced = h.send(Request::JoinGroup(join(&old, Some("i"))));
    assert_eq!(
        error(h.joined(fenced).error_code),
        ErrorCode::FencedInstanceId
    );

    // Durable: the successor knows the new id.
    h.restart(GroupConfig::default());
    let token = h.send(Request::JoinGroup(join(&old, Some("i"))));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::FencedInstanceId
    );

    // A refused takeover is undone.
    h.hold = true;
    let token = h.send(Request::JoinGroup(join("", Some("i"))));
    h.fail_held(ErrorCode::NotEnoughReplicas);
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::CoordinatorNotAvailable
    );
    h.hold = false;

    // Another subscription needs another assignment.
    let mut request = join("", Some("i"));
    request.protocols = vec![protocol("sticky", &["t"]), protocol("range", &["t"])];
    let token = h.send(Request::JoinGroup(request));
    assert_eq!(h.joined(token).generation_id, 2);

    let left = h.leave(&[("", Some("i")), ("", Some("unknown")), ("x", None)]);
    let codes: Vec<i16> = left.members.iter().map(|m| m.error_code).collect();
    let unknown = ErrorCode::UnknownMemberId.code();
    assert_eq!(codes, [0, unknown, unknown]);
}

#[test]
fn a_full_group_takes_nobody_more() {
    let mut h = Harness::with(GroupConfig {
        group_size_max: 1,
        ..GroupConfig::default()
    });
    let (id, generation) = h.stable();
    let token = h.send(Request::JoinGroup(join("", None)));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::GroupMaxSizeReached
    );
    assert_eq!(h.heartbeat(&id, generation), ErrorCode::None);
}

#[test]
fn the_protocol_with_most_votes_among_those_of_all_is_chosen() {
    let mut h = Harness::new();
    h.version = 3;
    let offers: [&[&str]; 3] = [&["x", "b", "a"], &["a", "b"], &["b", "a"]];
    let tokens = offers.map(|names| {
        let mut request = join("", None);
        request.protocols = names.iter().map(|name| protocol(name, &["t"])).collect();
        h.send(Request::JoinGroup(request))
    });
    h.pass(6_000);
    for token in tokens {
        assert_eq!(h.joined(token).protocol_name.as_deref(), Some("b"));
    }
}

#[test]
fn a_member_that_lives_but_does_not_join_again_is_left_out() {
    let mut h = Harness::new();
    let (id, generation) = h.stable();
    let (token, _) = h.join_new();
    // The rebalance waits for as long as its members asked, one minute.
    for _ in 0..11 {
        h.pass(5_000);
        let told = h.heartbeat(&id, generation);
        assert_eq!(told, ErrorCode::RebalanceInProgress);
        assert!(h.answer(token).is_none());
    }
    h.pass(6_000);
    let joined = h.joined(token);
    assert_eq!((joined.error_code, joined.members.len()), (0, 1));
    assert_eq!(h.heartbeat(&id, generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_that_does_not_sync_is_left_out() {
    let mut h = Harness::new();
    let (a_token, a) = h.join_new();
    let (b_token, b) = h.join_new();
    h.pass(6_000);
    let leader = h.joined(a_token).leader;
    h.joined(b_token);
    let (leader, silent) = if leader == a { (a, b) } else { (b, a) };
    let token = h.send(sync(&leader, 1, &[]));
    assert_eq!(h.synced(token).error_code, 0);
    for _ in 0..12 {
        h.pass(5_000);
        h.heartbeat(&leader, 1);
        h.heartbeat(&silent, 1);
    }
    assert_eq!(h.heartbeat(&silent, 1), ErrorCode::UnknownMemberId);
    assert_eq!(h.heartbeat(&leader, 1), ErrorCode::RebalanceInProgress);
}

#[test]
fn an_id_that_is_not_taken_up_expires() {
    let mut h = Harness::new();
    let token = h.send(Request::JoinGroup(join("", None)));
    let given = h.joined(token).member_id;
    h.pass(10_000);
    let token = h.send(Request::JoinGroup(join(&given, None)));
    assert_eq!(
        error(h.joined(token).error_code),
        ErrorCode::UnknownMemberId
    );
    assert_eq!(h.coordinator.group_count(), 0);
}

#[test]
fn unloading_answers_everybody() {
    let mut h = Harness::new();
    let (token, _) = h.join_new();
    let mut out = Vec::new();
    h.coordinator.unload(&mut out);
    let [
        precursor_groups::Command::Reply {
            token: answered, ..
        },
    ] = &out[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!(*answered, token);
    let token = h.send(Request::JoinGroup(join("", None)));
    assert_eq!(error(h.joined(token).error_code), ErrorCode::NotCoordinator);
}
