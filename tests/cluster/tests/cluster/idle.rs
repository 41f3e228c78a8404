//! What a broker costs when nothing happens.

use std::time::Duration;

use precursor_tests_cluster::node::Node;
use precursor_tests_cluster::proc;

/// The supervisor, the data plane and the control plane.
fn processes(node: &Node) -> impl Iterator<Item = i32> {
    [
        node.supervisor_pid(),
        node.dataplane_pid(),
        node.controlplane_pid(),
    ]
    .into_iter()
    .map(|pid| pid.expect("all three run"))
}

fn processor_time(node: &Node) -> Duration {
    let time = |pid| proc::cpu_time(pid).expect("a running process");
    processes(node).map(time).sum()
}

fn wakes(node: &Node) -> u64 {
    let waits = |pid| proc::waits_of_all(pid).expect("a running process");
    processes(node).map(waits).sum()
}

/// Looks at several windows. How often the broker wakes is its own doing, and bounded in each; what a
/// wake-up costs is the host's too, ten times as much on one whose processors are lent out, so the
/// cheapest window counts there.
#[test]
fn an_idle_broker_uses_under_one_percent_of_a_core() {
    const WINDOW: Duration = Duration::from_secs(10);
    let node = Node::start(&["dataplane.idle=adaptive"]);
    let mut connection = node.connect();
    connection.create_topic("idle", 10, &[]).unwrap();
    connection.produce("idle", 0, &[b"once".to_vec()]).unwrap();
    // Start-up work, its fdatasyncs and the spinning end first.
    std::thread::sleep(Duration::from_secs(8));
    let is_cheap = (0..4).any(|_| {
        let before = (processor_time(&node), wakes(&node));
        std::thread::sleep(WINDOW);
        let used = processor_time(&node) - before.0;
        let woken = wakes(&node) - before.1;
        println!("an idle broker used {used:?} of a core in {WINDOW:?} and woke {woken} times");
        assert!(woken < 200, "{woken} times in {WINDOW:?}");
        used < WINDOW / 100
    });
    assert!(is_cheap, "over 1 % of a core in every window");
}

#[test]
fn idle_memory_stays_small() {
    let node = Node::start(&[]);
    node.connect().api_versions().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let region = node.region_dir().display().to_string();
    let data = proc::resident(node.dataplane_pid().unwrap(), &region).unwrap();
    let control = proc::resident(node.controlplane_pid().unwrap(), &region).unwrap();
    let supervisor = proc::resident(node.supervisor_pid().unwrap(), &region).unwrap();
    println!(
        "resident bytes: data plane {data:?}, control plane {control:?}, supervisor {supervisor:?}"
    );
    assert!(
        data.other <= 4 << 20,
        "data plane besides the region: {data:?}"
    );
    assert!(
        data.other + control.other <= 20 << 20,
        "both: {data:?} {control:?}"
    );
    let touched = data.other + data.apart + control.other + control.apart;
    assert!(
        touched <= 20 << 20,
        "both, region pages included: {data:?} {control:?}"
    );
}
