//! The native client over shared memory and TCP, and what shared-memory clients must not be able to
//! do to a broker.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use precursor_client::{
    Caller, Client, ClientError, ClientOptions, Record, Responder, Transport, Wait,
};
use precursor_tests_cluster::node::{self, Node, wait_until};
use precursor_transport_shm::{AttachError, ShmConnection};

const SECOND: Duration = Duration::from_secs(1);

fn socket(node: &Node) -> PathBuf {
    node.data_dir().join(precursor_transport_shm::SOCKET_NAME)
}

fn both(node: &Node) -> [ClientOptions; 2] {
    [
        ClientOptions::shm(node.data_dir()),
        ClientOptions::tcp(node.address().to_string()),
    ]
}

fn shm(node: &Node) -> Client {
    Client::connect(ClientOptions::shm(node.data_dir())).expect("the broker lets us in")
}

/// Everything from an offset on.
fn read(client: &mut Client, topic: &str, partition: i32, from: i64, count: usize) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut offset = from;
    while values.len() < count {
        let fetched = client.fetch(topic, partition, offset, SECOND).unwrap();
        assert!(
            !fetched.records.is_empty(),
            "{} of {count} came",
            values.len()
        );
        for record in fetched.records {
            assert_eq!(record.offset, from + values.len() as i64);
            values.push(record.value.unwrap());
        }
        offset = fetched.next_offset;
    }
    values
}

#[test]
fn the_same_calls_work_over_both_transports() {
    let node = Node::start(&["dataplane.shards=1"]);
    for (number, options) in both(&node).into_iter().enumerate() {
        let mut client = Client::connect(options).unwrap();
        let topic = format!("topic-{number}");
        client.create_topic(&topic, 1).unwrap();
        client.create_topic(&topic, 1).unwrap();
        assert_eq!(client.partitions(&topic).unwrap(), 1);
        assert_eq!(client.produce(&topic, 0, Some(b"key"), b"one").unwrap(), 0);
        assert_eq!(client.produce(&topic, 0, None, b"").unwrap(), 1);
        let headers = [("name", Some(&b"value"[..])), ("none", None)];
        let record = Record {
            key: Some(b"k"),
            value: None,
            headers: &headers,
            timestamp: Some(1_700_000_000_000),
        };
        assert_eq!(
            client.produce_batch(&topic, 0, &[record, record]).unwrap(),
            2
        );
        // Longer than a ring.
        let long = vec![7; 700_000];
        assert_eq!(client.produce(&topic, 0, None, &long).unwrap(), 4);
        assert_eq!(client.offsets(&topic, 0).unwrap(), (0, 5));
        let fetched = client.fetch(&topic, 0, 0, SECOND).unwrap();
        assert_eq!(fetched.records[0].key.as_deref(), Some(&b"key"[..]));
        assert_eq!(fetched.records[0].value.as_deref(), Some(&b"one"[..]));
        assert_eq!(fetched.records[1].value.as_deref(), Some(&b""[..]));
        let third = &fetched.records[2];
        assert_eq!(third.timestamp, 1_700_000_000_000);
        assert_eq!(third.value, None);
        assert_eq!(
            third.headers[0],
            ("name".to_owned(), Some(b"value".to_vec()))
        );
        assert_eq!(third.headers[1], ("none".to_owned(), None));
        assert_eq!(fetched.high_watermark, 5);
        let last = client.fetch(&topic, 0, 4, SECOND).unwrap();
        assert_eq!(last.records[0].value.as_deref(), Some(&long[..]));
        // Nothing comes: the wait is over, and it was one.
        let began = Instant::now();
        let nothing = client
            .fetch(&topic, 0, 5, Duration::from_millis(200))
            .unwrap();
        assert!(nothing.records.is_empty() && nothing.next_offset == 5);
        assert!(began.elapsed() >= Duration::from_millis(150));
    }
}

#[test]
fn refusals_are_clear() {
    let node = Node::start(&["dataplane.shards=1", "shm.clients.max=2"]);
    for options in both(&node) {
        let mut client = Client::connect(ClientOptions {
            request_timeout: SECOND,
            ..options
        })
        .unwrap();
        let absent = client.produce("absent", 0, None, b"x").unwrap_err();
        assert!(
            absent.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"),
            "{absent}"
        );
        client.create_topic("small", 1).unwrap();
        let outside = client.produce("small", 7, None, b"x").unwrap_err();
        assert!(
            outside.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"),
            "{outside}"
        );
        let large = client
            .produce("small", 0, None, &vec![0; 2 << 20])
            .unwrap_err();
        assert!(large.to_string().contains("MESSAGE_TOO_LARGE"), "{large}");
        let range = client.fetch("small", 0, 99, SECOND).unwrap_err();
        assert!(range.to_string().contains("OFFSET_OUT_OF_RANGE"), "{range}");
        // After all of it the connection is as good as before.
        client.produce("small", 0, None, b"x").unwrap();
    }
    let _first = ShmConnection::attach(&socket(&node), None).unwrap();
    let second = ShmConnection::attach(&socket(&node), None).unwrap();
    let third = ShmConnection::attach(&socket(&node), None).err();
    assert!(
        matches!(third, Some(AttachError::TooManyClients)),
        "{third:?}"
    );
    let none = ShmConnection::attach(&socket(&node), Some(9)).err();
    assert!(matches!(none, Some(AttachError::NoShard)), "{none:?}");
    drop(second);
    let again = || ShmConnection::attach(&socket(&node), None).is_ok();
    assert!(
        wait_until(10 * SECOND, again),
        "a place that became free is given"
    );
    let nobody = ClientOptions {
        reconnect_timeout: Duration::ZERO,
        ..ClientOptions::shm("/nonexistent")
    };
    let nobody = Client::connect(nobody).err().unwrap().to_string();
    assert!(nobody.contains("/nonexistent/shm.sock"), "{nobody}");
}

#[test]
fn single_records_go_to_every_shard_in_order() {
    const RECORDS: u32 = 20_000;
    let node = Node::start(&["dataplane.shards=3"]);
    for (number, options) in both(&node).into_iter().enumerate() {
        let mut client = Client::connect(options).unwrap();
        let topic = format!("many-{number}");
        client.create_topic(&topic, 5).unwrap();
        for partition in 0..5 {
            // Twice: the first answer tells the shard, the second goes there.
            assert_eq!(client.produce(&topic, partition, None, b"a").unwrap(), 0);
            assert_eq!(client.produce(&topic, partition, None, b"b").unwrap(), 1);
            let mut next = 0;
            let mut pipeline = client.pipeline(&topic, partition, 500).unwrap();
            let mut acknowledged = |answer: precursor_client::Acknowledged| {
                assert!(!answer.error.is_error(), "{answer:?}");
                assert_eq!(answer.first, next);
                assert_eq!(answer.base_offset, 2 + next as i64);
                next += u64::from(answer.count);
            };
            for record in 0..RECORDS {
                pipeline
                    .send(None, &record.to_be_bytes(), &mut acknowledged)
                    .unwrap();
            }
            pipeline.flush(&mut acknowledged).unwrap();
            assert_eq!(pipeline.in_flight(), 0);
            drop(pipeline);
            assert_eq!(next, u64::from(RECORDS));
            let values = read(&mut client, &topic, partition, 2, RECORDS as usize);
            for (record, value) in values.iter().enumerate() {
                assert_eq!(**value, (record as u32).to_be_bytes());
            }
        }
    }
}

#[test]
fn a_bad_record_among_good_ones_is_refused_alone() {
    let node = Node::start(&["dataplane.shards=1"]);
    let mut client = shm(&node);
    let mut kafka = node.connect();
    kafka
        .create_topic("keyed", 1, &[("cleanup.policy", "compact")])
        .unwrap();
    let mut refused = Vec::new();
    let mut appended = 0;
    let mut pipeline = client.pipeline("keyed", 0, 1000).unwrap();
    let mut acknowledged = |answer: precursor_client::Acknowledged| match answer.error.is_error() {
        true => refused.extend(answer.first..answer.first + u64::from(answer.count)),
        false => appended += answer.count,
    };
    for record in 0..500 {
        let key = (record % 100 != 50).then_some(&b"key"[..]);
        pipeline.send(key, b"value", &mut acknowledged).unwrap();
    }
    pipeline.flush(&mut acknowledged).unwrap();
    drop(pipeline);
    assert_eq!(refused, [50, 150, 250, 350, 450], "those without a key");
    assert_eq!(appended, 495);
    assert_eq!(client.offsets("keyed", 0).unwrap().1, 495);
}

#[test]
fn requests_are_replied_to_over_topics() {
    let node = Node::start(&["dataplane.shards=1"]);
    let mut asking = shm(&node);
    asking.create_topic("requests", 1).unwrap();
    asking.create_topic("replies", 1).unwrap();
    let mut answering = Client::connect(ClientOptions::tcp(node.address().to_string())).unwrap();
    let mut responder = Responder::new(&mut answering, "requests", 0).unwrap();
    let thread = std::thread::spawn(move || {
        let mut answered = 0;
        while answered < 20 {
            for call in responder.poll(&mut answering, SECOND).unwrap() {
                let mut reply = call.request.value.clone().unwrap();
                reply.reverse();
                assert!(call.reply(&mut answering, &reply).unwrap());
                answered += 1;
            }
        }
    });
    let mut caller = Caller::new(&mut asking, ("requests", 0), ("replies", 0)).unwrap();
    for number in 0..20u8 {
        let reply = caller
            .call(&mut asking, &[number, 1, 2], 20 * SECOND)
            .unwrap();
        assert_eq!(reply, [2, 1, number]);
    }
    thread.join().unwrap();
    let nobody = caller.call(&mut asking, b"?", Duration::from_millis(300));
    assert!(matches!(nobody, Err(ClientError::TimedOut)));
}

#[test]
fn a_client_outlives_its_broker() {
    let mut node = Node::start(&["dataplane.shards=1"]);
    for (number, options) in both(&node).into_iter().enumerate() {
        let topic = format!("kept-{number}");
        let mut client = Client::connect(options).unwrap();
        client.create_topic(&topic, 1).unwrap();
        let mut acknowledged = 0i64;
        for round in 0..3 {
            for _ in 0..100 {
                let offset = client.produce(&topic, 0, None, &acknowledged.to_be_bytes());
                assert_eq!(offset.unwrap(), acknowledged, "round {round}");
                acknowledged += 1;
            }
            node.kill_dataplane();
            // Nothing is in flight: the next call finds the new data plane. A client that was busy a
            // moment ago does not ask whether its broker still lives.
            std::thread::sleep(Duration::from_millis(50));
        }
        let values = read(&mut client, &topic, 0, 0, acknowledged as usize);
        for (offset, value) in values.iter().enumerate() {
            assert_eq!(**value, (offset as i64).to_be_bytes());
        }
    }
}

#[test]
fn a_broker_killed_under_a_client_is_noticed() {
    let mut node = Node::start(&["dataplane.shards=1"]);
    let mut client = shm(&node);
    client.create_topic("topic", 1).unwrap();
    for wait in [Wait::Poll, Wait::PollThenSleep(Duration::ZERO)] {
        let mut client = Client::connect(ClientOptions {
            wait,
            ..ClientOptions::shm(node.data_dir())
        })
        .unwrap();
        client.partitions("topic").unwrap();
        let parked = std::thread::spawn(move || {
            let end = client.offsets("topic", 0).unwrap().1;
            let began = Instant::now();
            let lost = client.fetch("topic", 0, end, 60 * SECOND).unwrap_err();
            (lost.to_string(), began.elapsed())
        });
        std::thread::sleep(Duration::from_millis(300));
        node.kill_dataplane();
        let (lost, after) = parked.join().unwrap();
        assert!(lost.contains("the broker is gone"), "{lost}");
        assert!(after < 20 * SECOND, "{after:?}");
    }
}

/// A process's descriptors of sockets and of memory: a client's are such. A log that has grown by a
/// segment has a file more, which is nobody's fault.
fn descriptors(pid: i32) -> usize {
    let held = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let named = held.filter_map(|one| std::fs::read_link(one.ok()?.path()).ok());
    let names = named.map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| name.starts_with("socket:") || name.contains("memfd:"))
        .count()
}

/// Mappings of clients' memory in a process.
fn client_mappings(pid: i32) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    maps.matches("memfd:precursor-client").count()
}

#[test]
fn thousands_come_and_go_and_leave_nothing() {
    let node = Node::start(&["dataplane.shards=2"]);
    let pid = node.dataplane_pid().unwrap();
    let mut client = shm(&node);
    client.create_topic("topic", 1).unwrap();
    client.produce("topic", 0, None, b"x").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (before, mapped) = (descriptors(pid), client_mappings(pid));
    for number in 0..3000 {
        let mut one = loop {
            match ShmConnection::attach(&socket(&node), None) {
                Ok(one) => break one,
                // Those that left a moment ago are not all cleared away.
                Err(AttachError::TooManyClients) => std::thread::yield_now(),
                Err(error) => panic!("{number}: {error}"),
            }
        };
        match number % 3 {
            0 => drop(one),
            1 => one.finish_sending(),
            // In the middle of a frame.
            _ => assert_eq!(one.try_send(&[0, 0, 1, 0, 0, 18]).unwrap(), 6),
        }
    }
    let clean = || descriptors(pid) <= before && client_mappings(pid) <= mapped;
    let cleaned = wait_until(20 * SECOND, clean);
    let (after, left) = (descriptors(pid), client_mappings(pid));
    assert!(
        cleaned,
        "descriptors {before} → {after}, mappings {mapped} → {left}"
    );
    client.produce("topic", 0, None, b"y").unwrap();
}

#[test]
fn clients_killed_while_they_write_harm_nobody() {
    let node = Node::start(&["dataplane.shards=1"]);
    let pid = node.dataplane_pid().unwrap();
    let mut client = shm(&node);
    client.create_topic("topic", 1).unwrap();
    client.produce("topic", 0, None, b"x").unwrap();
    client.create_topic("victims", 1).unwrap();
    client.produce("victims", 0, None, &[0; 100]).unwrap();
    let before = descriptors(pid);
    for round in 0..10u64 {
        let mut victim = node::precursor()
            .args([
                "bench",
                "produce",
                "--transport",
                "shm",
                "--topic",
                "victims",
            ])
            .args([
                "--in-flight",
                "1000",
                "--warmup",
                "0",
                "--seconds",
                "60",
                "--data-dir",
            ])
            .arg(node.data_dir())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let attached = || descriptors(pid) > before;
        assert!(wait_until(20 * SECOND, attached), "the victim attaches");
        std::thread::sleep(Duration::from_millis(20 + 37 * round));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let offset = client.produce("topic", 0, None, b"y").unwrap();
        assert_eq!(offset, 1 + round as i64);
    }
    let gone = || descriptors(pid) <= before;
    assert!(
        wait_until(20 * SECOND, gone),
        "{} → {}",
        before,
        descriptors(pid)
    );
    // What was appended is whole, record for record.
    let (start, end) = client.offsets("victims", 0).unwrap();
    assert!(end > start + 1, "the victims had begun");
    let last = client.fetch("victims", 0, end - 1, SECOND).unwrap();
    assert_eq!(last.records[0].value.as_ref().unwrap().len(), 100);
}

#[test]
fn a_client_that_never_reads_slows_nobody() {
    let node = Node::start(&["dataplane.shards=1"]);
    let mut client = shm(&node);
    client.create_topic("topic", 1).unwrap();
    for _ in 0..100 {
        client.produce("topic", 0, None, &[1; 10_000]).unwrap();
    }
    // ApiVersions, as many as are taken, and not one answer is read.
    let mut deaf: Vec<ShmConnection> = (0..10)
        .map(|_| ShmConnection::attach(&socket(&node), None).unwrap())
        .collect();
    let request = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xFF, 0xFF];
    let mut times = Vec::new();
    for _ in 0..2000 {
        for one in &mut deaf {
            while one.try_send(&request).unwrap() == request.len() {}
        }
        let began = Instant::now();
        client.produce("topic", 0, None, b"beside them").unwrap();
        times.push(began.elapsed());
    }
    times.sort();
    println!(
        "produce beside 10 deaf clients: p50 {:?}, p99 {:?}",
        times[1000], times[1980]
    );
    assert!(times[1980] < Duration::from_millis(50), "{:?}", times[1980]);
}

#[test]
fn garbage_ends_only_its_own_connection() {
    let node = Node::start(&["dataplane.shards=1"]);
    let mut client = shm(&node);
    client.create_topic("topic", 1).unwrap();
    let native = |body: &[u8]| {
        let mut frame = (body.len() as u32 + 8).to_be_bytes().to_vec();
        frame.extend_from_slice(&[0x50, 0x72, 0, 0, 0, 0, 0, 1]);
        frame.extend_from_slice(body);
        frame
    };
    let mut lying_lengths = vec![0; 36];
    lying_lengths[28..36].fill(0x7F);
    let bad = [
        vec![0xFF; 100],
        vec![0x7F, 0xFF, 0xFF, 0xFF, 0, 0],
        native(b""),
        native(&[0xFF; 36]),
        native(&lying_lengths),
        native(&[0; 4000]),
    ];
    for bytes in bad {
        let mut one = ShmConnection::attach(&socket(&node), None).unwrap();
        one.try_send(&bytes).unwrap();
        let mut buffer = [0; 100];
        let ended = || !matches!(one.try_receive(&mut buffer), Ok(None));
        assert!(wait_until(10 * SECOND, ended), "{bytes:?}");
        client.produce("topic", 0, None, b"x").unwrap();
    }
}

/// Runs as another user; whether it came in.
fn attaches_as(program: &Path, uid: &str, gid: &str, socket: &Path) -> bool {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", uid, "--regid", gid, "--clear-groups"]);
    command.arg(program);
    command.args([
        "--exact",
        "shm::attach_for_another_user",
        "--include-ignored",
    ]);
    command.env("PRECURSOR_TEST_SOCKET", socket);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

/// The other process of the test below; without its variable there is nothing to do.
#[test]
fn attach_for_another_user() {
    if let Some(socket) = std::env::var_os("PRECURSOR_TEST_SOCKET") {
        let transport = Transport::Shm {
            socket: socket.into(),
        };
        let options = ClientOptions {
            transport,
            reconnect_timeout: Duration::ZERO,
            ..ClientOptions::shm("/")
        };
        Client::connect(options).unwrap();
    }
}

#[test]
fn other_users_are_let_in_by_their_group_only() {
    if !nix::unistd::geteuid().is_root() {
        // Past what the harness keeps to itself of tests that pass.
        let told = "shm: not root, so that other users were not tried\n";
        std::io::stderr().write_all(told.as_bytes()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    // Where it was built is often out of other users' reach.
    let program = folder.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let attaches_as = |uid: &str, gid: &str, socket: &Path| attaches_as(&program, uid, gid, socket);
    let path = folder.path().join("shm.sock");
    let socket = format!("shm.socket={}", path.display());
    let node = Node::start(&["dataplane.shards=1", &socket]);
    assert!(attaches_as("0", "0", &path));
    assert!(!attaches_as("65534", "65534", &path));
    drop(node);
    let _node = Node::start(&["dataplane.shards=1", &socket, "shm.group=12345"]);
    assert!(attaches_as("65534", "12345", &path));
    assert!(!attaches_as("65534", "65534", &path));
}

#[test]
fn without_shared_memory_there_is_no_socket() {
    let node = Node::start(&["dataplane.shards=1", "shm.enabled=false"]);
    assert!(!socket(&node).exists());
    node.connect().api_versions().unwrap();
}
