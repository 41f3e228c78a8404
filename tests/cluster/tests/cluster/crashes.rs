//! Processes die under load; no acknowledged record is lost.

use std::time::Duration;

use precursor_tests_cluster::crash::{self, CrashLoop, Victim};
use precursor_tests_cluster::load::{self, Writing};
use precursor_tests_cluster::node::{Node, wait_until};
use precursor_tests_cluster::proc;

fn plan(victim: Victim, kills: u32) -> CrashLoop {
    CrashLoop {
        victim,
        kills,
        partitions: 4,
        topic_options: Vec::new(),
        settings: vec!["dataplane.shards=2"],
        seed: 20261123,
    }
}

#[test]
fn the_data_plane_dies_twenty_times_and_nothing_acknowledged_is_lost() {
    let report = crash::run(&plan(Victim::DataPlane, 20));
    println!("{report:?}");
    assert!(report.disconnections > 0, "the kills were felt");
    // Twenty deaths in a row, so most of it is the supervisor's back-off.
    assert!(
        report.longest_outage < Duration::from_secs(12),
        "{report:?}"
    );
}

#[test]
fn the_control_plane_dies_and_connected_clients_notice_nothing() {
    let report = crash::run(&plan(Victim::ControlPlane, 8));
    println!("{report:?}");
    assert_eq!(
        (report.disconnections, report.refusals),
        (0, 0),
        "{report:?}"
    );
}

#[test]
fn a_shard_that_is_stuck_is_noticed_and_its_clients_are_served_again() {
    let node = Node::start(&["dataplane.shards=1", "dataplane.watchdog.ms=1000"]);
    node.connect().create_topic("stuck", 1, &[]).unwrap();
    let record = |text: &str| vec![text.as_bytes().to_vec()];
    let offset = node.connect().produce("stuck", 0, &record("before"));
    assert_eq!(offset.unwrap(), 0);
    // Sleeping for longer than the limit is no reason.
    std::thread::sleep(Duration::from_secs(3));
    let pid = node.dataplane_pid().unwrap();
    assert!(proc::freeze(pid, "shard-0"));
    let another = || node.dataplane_pid().is_some_and(|now| now != pid);
    assert!(wait_until(Duration::from_secs(20), another));
    let open = || std::net::TcpStream::connect(node.address()).is_ok();
    assert!(wait_until(Duration::from_secs(20), open));
    let fetched = node.connect().fetch_when_open("stuck", 0, 0);
    assert_eq!(fetched.high_watermark, 1, "what was acknowledged is there");
    let offset = node.connect().produce("stuck", 0, &record("after"));
    assert_eq!(offset.unwrap(), 1);
    let log = node.log();
    assert_eq!(log.matches("has taken no turn").count(), 1, "{log}");
}

#[test]
fn everything_dies_at_once_and_nothing_acknowledged_is_lost() {
    let report = crash::run(&plan(Victim::Everything, 6));
    println!("{report:?}");
    assert!(report.disconnections > 0, "the kills were felt");
}

#[test]
fn segments_roll_while_the_data_plane_dies() {
    let report = crash::run(&CrashLoop {
        topic_options: vec![("segment.bytes", "1048576")],
        ..plan(Victim::DataPlane, 5)
    });
    println!("{report:?}");
}

#[test]
fn every_write_is_there_after_the_region_is_lost() {
    let report = crash::run(&CrashLoop {
        topic_options: vec![("flush.policy", "every-write")],
        ..plan(Victim::Power, 6)
    });
    println!("{report:?}");
}

#[test]
fn the_interval_policy_keeps_what_is_older_than_its_interval() {
    let mut node = Node::start(&[]);
    let options = [("flush.policy", "interval"), ("flush.ms", "200")];
    node.connect()
        .create_topic("interval", 1, &options)
        .unwrap();
    let writer = load::write(
        node.address(),
        Writing {
            topic: "interval".to_owned(),
            partition: 0,
            idempotent: false,
            acks: 1,
            filler_bytes: 200,
            pause: Duration::from_millis(1),
        },
    );
    assert!(writer.wait_for_progress(2000));
    let written = writer.finish();
    // The interval, and as much again for the write itself on a busy machine.
    std::thread::sleep(Duration::from_millis(1000));
    node.kill_everything();
    node.lose_region();
    node.serve();
    let stored = load::read_whole(&mut node.connect(), "interval", 0);
    load::check(&stored, &written, false);
}

#[test]
fn the_children_of_a_killed_supervisor_stop_by_themselves() {
    let mut node = Node::start(&[]);
    node.connect().create_topic("orphan", 1, &[]).unwrap();
    for n in 0..50 {
        node.connect()
            .produce("orphan", 0, &[format!("record {n}").into_bytes()])
            .unwrap();
    }
    let children = [
        node.dataplane_pid().unwrap(),
        node.controlplane_pid().unwrap(),
    ];
    node.kill_supervisor();
    let gone = wait_until(Duration::from_secs(10), || {
        !children.iter().any(|pid| proc::alive(*pid))
    });
    assert!(gone, "both children end when their supervisor is gone");
    node.serve();
    let fetched = node.connect().fetch_when_open("orphan", 0, 0);
    assert_eq!(fetched.high_watermark, 50);
    assert!(node.stop().success());
}

#[test]
fn a_clean_stop_leaves_no_region_and_keeps_every_record() {
    let mut node = Node::start(&["dataplane.shards=2"]);
    node.connect().create_topic("stop", 3, &[]).unwrap();
    for partition in 0..3 {
        for n in 0..100 {
            let value = format!("record {n}").into_bytes();
            assert_eq!(
                node.connect().produce("stop", partition, &[value]).unwrap(),
                n
            );
        }
    }
    assert!(node.stop().success());
    let left = regular_files(node.region_dir());
    assert!(
        left.is_empty(),
        "the region is unlinked by a clean stop, but {left:?} is left"
    );
    node.serve();
    for partition in 0..3 {
        let fetched = node.connect().fetch_when_open("stop", partition, 0);
        let values: Vec<Vec<u8>> = fetched.records.into_iter().map(|r| r.value).collect();
        let wanted: Vec<Vec<u8>> = (0..100)
            .map(|n| format!("record {n}").into_bytes())
            .collect();
        assert_eq!(values, wanted);
    }
    assert!(node.stop().success());
}

fn regular_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            found.extend(regular_files(&path));
        } else if path
            .metadata()
            .is_ok_and(|m| m.is_file() && m.len() >= 1 << 20)
        {
            found.push(path);
        }
    }
    found
}
