//! Metrics and health of a running broker.

use std::net::TcpListener;
use std::time::Duration;

use precursor_tests_cluster::groups::{commit, wait_for_coordinator};
use precursor_tests_cluster::node::{Node, page, sample, wait_until};

#[test]
fn metrics_tell_what_was_written_read_and_committed() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("metrics.listen=127.0.0.1:{port}");
    let mut node = Node::start(&["dataplane.shards=2", &listen]);
    let mut connection = node.connect();
    let synced = [("flush.policy", "every-write")];
    connection.create_topic("seen", 2, &synced).unwrap();
    let values = vec![vec![b'v'; 100]; 10];
    for _ in 0..3 {
        connection.produce("seen", 1, &values).unwrap();
    }
    connection.fetch("seen", 1, 0, 0).unwrap();
    wait_for_coordinator(&mut connection, "watchers");
    assert_eq!(
        commit(&mut connection, "watchers", "seen", 2, 12).unwrap(),
        0
    );

    assert_eq!(page(port, "/readyz").unwrap(), (200, "ready\n".to_owned()));
    let (status, metrics) = page(port, "/metrics").unwrap();
    assert_eq!(status, 200);
    let expected = [
        ("precursor_ready", 1.0),
        ("precursor_topic_records_in_total{topic=\"seen\"}", 30.0),
        (
            "precursor_partition_high_watermark{topic=\"seen\",partition=\"1\"}",
            30.0,
        ),
        (
            "precursor_partition_log_end_offset{topic=\"seen\",partition=\"0\"}",
            0.0,
        ),
        (
            "precursor_partition_segments{topic=\"seen\",partition=\"1\"}",
            1.0,
        ),
        ("precursor_groups{state=\"Empty\"}", 1.0),
        (
            "precursor_group_committed_offset{group=\"watchers\",topic=\"seen\",partition=\"1\"}",
            12.0,
        ),
        (
            "precursor_group_lag{group=\"watchers\",topic=\"seen\",partition=\"1\"}",
            18.0,
        ),
        // Committed ahead of what there is: no lag below zero.
        (
            "precursor_group_lag{group=\"watchers\",topic=\"seen\",partition=\"0\"}",
            0.0,
        ),
    ];
    for (name, value) in expected {
        assert_eq!(sample(&metrics, name), Some(value), "{name} in:\n{metrics}");
    }
    // Each produce was on disk before it was answered.
    let syncs = |part: &str| {
        let (_, metrics) = page(port, "/metrics").unwrap();
        sample(
            &metrics,
            &format!("precursor_disk_sync_duration_seconds_{part}"),
        )
    };
    assert!(wait_until(Duration::from_secs(10), || {
        syncs("count").is_some_and(|count| count >= 3.0)
            && syncs("bucket{le=\"+Inf\"}") == syncs("count")
            && syncs("sum").is_some_and(|seconds| seconds > 0.0)
    }));
    let bytes_out = sample(&metrics, "precursor_topic_bytes_out_total{topic=\"seen\"}");
    assert!(
        bytes_out.is_some_and(|bytes| bytes >= 3000.0),
        "{bytes_out:?}"
    );

    // Without the data plane the endpoint answers, and says so; with it back, all is as before.
    node.kill_dataplane();
    let back = wait_until(Duration::from_secs(20), || {
        page(port, "/readyz").is_some_and(|(status, _)| status == 200)
    });
    assert!(back, "ready again after the data plane's death");
    let recovered = wait_until(Duration::from_secs(20), || {
        let metrics = page(port, "/metrics")
            .map(|(_, body)| body)
            .unwrap_or_default();
        let name = "precursor_partition_high_watermark{topic=\"seen\",partition=\"1\"}";
        sample(&metrics, name) == Some(30.0)
    });
    assert!(recovered);
}
