//! What a broker costs when nothing happens.

use std::time::Duration;

use precursor_tests_cluster::node::Node;
use precursor_tests_cluster::proc;

fn processor_time(node: &Node) -> Duration {
    [
        node.supervisor_pid(),
        node.dataplane_pid(),
        node.controlplane_pid(),
    ]
    .into_iter()
    .map(|pid| proc::cpu_time(pid.expect("all three run")).expect("a running process"))
    .sum()
}

#[test]
fn an_idle_broker_uses_under_one_percent_of_a_core() {
    let node = Node::start(&["dataplane.idle=adaptive"]);
    let mut connection = node.connect();
    connection.create_topic("idle", 10, &[]).unwrap();
    connection.produce("idle", 0, &[b"once".to_vec()]).unwrap();
    // Start-up work, its fdatasyncs and the spinning end first.
    std::thread::sleep(Duration::from_secs(8));
    // A busy host makes each wake-up dearer: the best of a few windows is the broker's own.
    let most = Duration::from_millis(100);
    let is_idle = (0..4).any(|_| {
        let before = processor_time(&node);
        std::thread::sleep(Duration::from_secs(10));
        let used = processor_time(&node) - before;
        println!("an idle broker used {used:?} of a core in 10 s");
        used < most
    });
    assert!(is_idle, "over {most:?} in 10 s, again and again");
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
