//! Starting: how fast, and what is said when it cannot be.

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use precursor_protocol::messages::{DescribeClusterRequest, FindCoordinatorRequest};
use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::groups::wait_for_coordinator;
use precursor_tests_cluster::node::{Node, precursor};
use precursor_tests_tidy::{commands, root, sources};

/// From the start of `precursor serve` to the answer of a first produce.
fn first_answer(node: &mut Node) -> Duration {
    let started = Instant::now();
    node.serve();
    let mut connection = node.connect();
    let created = connection.metadata("first").unwrap().topics[0].error_code == 0;
    if !created {
        connection.create_topic("first", 1, &[]).unwrap();
    }
    while connection
        .produce("first", 0, &[b"record".to_vec()])
        .is_err()
    {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "the first produce is never taken"
        );
        connection = Connection::open(node.address()).unwrap();
    }
    started.elapsed()
}

#[test]
fn clients_are_told_the_advertised_address() {
    let node = Node::start(&["advertised.listener=broker.example:19092"]);
    let mut connection = node.connect();
    let expected = ("broker.example", 19_092);
    connection.create_topic("t", 1, &[]).unwrap();
    let told = connection.metadata("t").unwrap();
    let [broker] = &told.brokers[..] else {
        panic!("{told:?}")
    };
    assert_eq!((&*broker.host, broker.port), expected);
    let told = connection
        .ask(&DescribeClusterRequest::default(), 1)
        .unwrap();
    assert_eq!((&*told.brokers[0].host, told.brokers[0].port), expected);
    wait_for_coordinator(&mut connection, "g");
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["g".to_owned()],
        ..FindCoordinatorRequest::default()
    };
    let told = connection.ask(&request, 4).unwrap();
    let found = &told.coordinators[0];
    assert_eq!((&*found.host, found.port), expected);
}

#[test]
fn the_first_produce_is_answered_within_a_second() {
    let mut times = Vec::new();
    for _ in 0..3 {
        let mut node = Node::prepare(&[]);
        times.push(("new", first_answer(&mut node)));
        assert!(node.stop().success());
        times.push(("again", first_answer(&mut node)));
        node.kill_everything();
        times.push(("after kill -9", first_answer(&mut node)));
    }
    println!("start to first answered produce: {times:?}");
    for kind in ["new", "again", "after kill -9"] {
        let best = times
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, time)| *time)
            .min()
            .unwrap();
        assert!(best <= Duration::from_secs(1), "{kind}: {best:?}");
    }
}

/// Runs a start that must fail and gives what it said.
fn refused(command: &mut Command) -> String {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("a start that cannot succeed ends by itself: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    assert!(!status.success(), "exit code of {command:?}");
    assert!(
        !String::from_utf8_lossy(&stdout).contains("ready"),
        "{command:?} says ready"
    );
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    println!("{said}");
    // One sentence; a second, indented line may say what to do.
    let (sentence, more) = said.split_once('\n').unwrap_or((&said, ""));
    assert!(sentence.starts_with("precursor: "), "{said}");
    assert!(
        more.is_empty() || more.starts_with("  "),
        "one sentence, not: {said}"
    );
    assert!(more.lines().count() <= 1, "one sentence, not: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// A prepared node whose region's directory exists, as for a start.
fn prepared() -> Node {
    let node = Node::prepare(&[]);
    std::fs::create_dir_all(node.region_dir()).unwrap();
    node
}

#[test]
fn a_busy_port_is_said_in_one_sentence() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let node = prepared();
    let said = refused(&mut node.command_at(&format!("127.0.0.1:{port}"), &node.data_dir()));
    assert!(said.contains(&port) && said.contains("using"), "{said}");
}

#[test]
fn an_unwritable_data_directory_is_said_in_one_sentence() {
    let node = prepared();
    let file = node.data_dir();
    std::fs::write(&file, b"a file, no directory").unwrap();
    for place in [file.clone(), file.join("below"), "/proc/precursor".into()] {
        let said = refused(&mut node.command_at("127.0.0.1:0", &place));
        assert!(said.contains(&place.display().to_string()), "{said}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"a file, no directory");
}

#[test]
fn a_data_directory_in_use_is_said_with_the_process_and_nothing_is_damaged() {
    let node = Node::start(&[]);
    let mut connection = node.connect();
    connection.create_topic("mine", 1, &[]).unwrap();
    assert_eq!(
        connection
            .produce("mine", 0, &[b"before".to_vec()])
            .unwrap(),
        0
    );
    let said = refused(&mut node.command_at("127.0.0.1:0", &node.data_dir()));
    assert!(said.contains("in use"), "{said}");
    let pids = [
        node.supervisor_pid(),
        node.dataplane_pid(),
        node.controlplane_pid(),
    ];
    let named = pids
        .iter()
        .flatten()
        .any(|pid| said.contains(&pid.to_string()));
    assert!(named, "{said} names none of {pids:?}");
    assert_eq!(
        connection.produce("mine", 0, &[b"after".to_vec()]).unwrap(),
        1
    );
}

#[test]
fn a_broken_configuration_is_said_with_its_key() {
    let node = prepared();
    for (setting, word) in [
        ("node.idd=1", "node.id"),
        ("node.id=soon", "node.id"),
        ("connections.max=-4", "connections.max"),
        ("dataplane.idle=lazy", "adaptive"),
        ("topic.retention.ms=never", "retention.ms"),
    ] {
        let said = refused(node.command().args(["--set", setting]));
        assert!(said.contains(word), "{setting}: {said}");
    }
    let file = node.data_dir().with_file_name("precursor.toml");
    for (text, word) in [
        ("node.id = ", "precursor.toml"),
        ("[node]\nname = 3\n", "node.name"),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = refused(node.command().arg("--config").arg(&file));
        assert!(said.contains(word), "{text}: {said}");
    }
    let said = refused(node.command().args(["--config", "/nowhere/precursor.toml"]));
    assert!(said.contains("/nowhere/precursor.toml"), "{said}");
    assert!(
        !node.data_dir().exists(),
        "a refused configuration touches no data"
    );
}

#[test]
fn a_configuration_file_is_obeyed() {
    let mut node = Node::prepare(&[]);
    let file = node.data_dir().with_file_name("precursor.toml");
    std::fs::write(&file, "[num]\npartitions = 5\n").unwrap();
    node.set_config_file(&file);
    node.serve();
    let mut connection = node.connect();
    connection.create_topic("five", -1, &[]).unwrap();
    assert_eq!(
        connection.metadata("five").unwrap().topics[0]
            .partitions
            .len(),
        5
    );
    assert!(node.stop().success());
}

#[test]
fn the_commands_of_the_documents_exist() {
    let mut checked = 0;
    for source in sources::sources(&root()) {
        if !source.path.ends_with(".md") {
            continue;
        }
        for words in commands::precursor_commands(&source.text) {
            check_command(&source.path, &words);
            checked += 1;
        }
    }
    assert!(checked > 0, "the documents show commands");
}

/// The sub-command must know `--help`, and its help every flag that the document gives it.
fn check_command(document: &str, words: &[String]) {
    let depth = match words.first().map(String::as_str) {
        Some(
            "topic" | "bench" | "group" | "config" | "quota" | "cluster" | "storage"
            | "compression",
        ) => 2,
        _ => 1,
    };
    let help = precursor()
        .args(words.iter().take(depth))
        .arg("--help")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(
        help.status.success(),
        "{document}: 'precursor {}'",
        words.join(" ")
    );
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        let flag = flag.split('=').next().unwrap_or(flag);
        assert!(
            text.contains(flag),
            "{document}: {flag} of 'precursor {}'",
            words.join(" ")
        );
    }
}
