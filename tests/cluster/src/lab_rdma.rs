//! What runs inside the machine of `scripts/lab` with soft-RoCE: a broker, native clients over RDMA,
//! and a Kafka client of the kernel's sockets beside them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_client::{Caller, Client, ClientOptions, Follower, Record, Responder};

use crate::lab::{PATIENCE, network, run, started, variable};
use crate::lab_follow::{TIMEOUT_MS, records_are_followed};
use crate::lab_write::{batches_are_written_in_place, what_was_written_outlives_a_kill};
use crate::node::{self, Node, wait_until};

const PORT: u16 = 9092;
const METRICS_PORT: u16 = 9464;
/// Where RDMA clients connect when kernel sockets are the driver.
const PORT_BESIDE: u16 = 9093;
/// How soon the kernel has taken back what was a killed process's, here.
const SOON: Duration = Duration::from_secs(60);
/// Longer than what one side may have with the other.
const LONG: usize = 300_000;

/// Native clients over RDMA are served with `network.driver=rdma`, and at `rdma.listen` beside kernel
/// sockets, also after kills of clients, of the data plane and of everything; a Kafka client reads
/// what they write and the other way round; the host's network and RDMA device are as they were.
///
/// # Panics
/// Something of this does not hold.
pub fn native_clients_over_rdma() {
    let host = variable("LAB_ADDRESS");
    // A process that was a client keeps the device open: this one is, from here on.
    let nobody = Client::connect(ClientOptions {
        reconnect_timeout: Duration::ZERO,
        ..ClientOptions::rdma(format!("{host}:1"))
    });
    println!("where nobody is: {}", nobody.err().expect("nobody there"));
    let before = (network(), resources());
    let mut node = Node::prepare(&[
        "network.driver=rdma",
        "admin.listen=127.0.0.1:0",
        &format!("metrics.listen=127.0.0.1:{METRICS_PORT}"),
        &format!("rdma.access.timeout.ms={TIMEOUT_MS}"),
        "dataplane.shards=2",
    ]);
    node.listen_at(&host, PORT);
    node.set_patience(PATIENCE);
    let connect_at = format!("RDMA clients connect at {host}:{PORT}");
    started(&mut node, &connect_at);
    let mut client = connect(&format!("{host}:{PORT}"));
    let mut values = writes_and_reads(&mut client);
    values.extend(kafka_clients_beside(&node, &mut client, &values));
    other_languages(&node, &mut client);
    requests_and_replies(&node, &mut client);
    records_are_followed(&node, &mut client, METRICS_PORT);
    client.create_topic("both", 1).expect("a topic");
    batches_are_written_in_place(&node, &mut client, METRICS_PORT);
    what_was_written_outlives_a_kill(&mut node, &mut client);
    measures(&node);
    killed_clients_leave_nothing(&node, &mut client);

    let mut following = (
        connect(&format!("{host}:{PORT}")),
        Follower::new("lines", 0, 0),
    );
    let mut followed = Vec::new();
    follow(&mut following, &mut followed, &values);
    for round in 0..2 {
        let parked = parked(&node);
        node.kill_dataplane();
        let start = Instant::now();
        assert_eq!(network(), before.0, "the network stays as it was");
        // A request that was under way when its broker died fails: whether it was carried out nobody
        // knows. One that changes nothing is asked until it is answered.
        let serves = || client.offsets("lines", 0).is_ok();
        assert!(
            wait_until(PATIENCE, serves),
            "it never came back:\n{}",
            node.log()
        );
        values.push(produced(&mut client, values.len(), 100 + round));
        println!("killed, and served again after {:?}", start.elapsed());
        follow(&mut following, &mut followed, &values);
        let lost = parked.join().expect("it ends");
        assert!(lost.contains("the broker is gone"), "{lost}");
    }
    // After a start all may be on disk alone; from memory comes what is written behind a look.
    let start = Instant::now();
    while following.1.counts().read_bytes == 0 {
        values.push(produced(&mut client, values.len(), 100));
        follow(&mut following, &mut followed, &values);
        assert!(start.elapsed() < PATIENCE, "{:?}", following.1.counts());
    }
    println!("followed over kills: {:?}", following.1.counts());
    assert!(
        read(&mut client) == values,
        "what was acknowledged is there"
    );

    drop((client, following));
    node.kill_everything();
    must_be(&before, "all were killed");
    node.set("network.driver=io_uring");
    node.set(&format!("rdma.listen={host}:{PORT_BESIDE}"));
    node.set("rdma.access.bytes=0");
    started(
        &mut node,
        &format!("RDMA clients connect at {host}:{PORT_BESIDE}; by SEND alone"),
    );
    let mut client = connect(&format!("{host}:{PORT_BESIDE}"));
    assert!(
        read(&mut client) == values,
        "all is there after all were killed"
    );
    values.push(produced(&mut client, values.len(), LONG));
    assert_eq!(client.one_sided_bytes(), None);
    drop(client);
    assert!(node.stop().success());
    must_be(&before, "the broker stopped");
    refusals_are_sentences(&node);
    println!("everything held");
}

/// Follows on to the end of what was written: the same, in order, over whatever happened.
fn follow(following: &mut (Client, Follower), followed: &mut Vec<Vec<u8>>, values: &[Vec<u8>]) {
    let ((client, follower), start) = (following, Instant::now());
    while followed.len() < values.len() {
        // A connection that died fails once; the same follower goes on.
        match follower.poll(client, Duration::from_secs(1)) {
            Ok(fetched) => {
                for record in fetched.records {
                    assert_eq!(record.offset, followed.len() as i64);
                    followed.push(record.value.expect("a value"));
                }
            }
            Err(error) => println!("a follower was told: {error}"),
        }
        assert!(start.elapsed() < PATIENCE, "{} records", followed.len());
    }
    assert!(followed == values, "what was written is followed");
    // At the end, so that it has something to lose.
    let end = follower.poll(client, Duration::ZERO).expect("the end");
    assert!(end.records.is_empty());
}

pub(crate) fn connect(address: &str) -> Client {
    let options = ClientOptions {
        request_timeout: PATIENCE,
        reconnect_timeout: PATIENCE,
        ..ClientOptions::rdma(address)
    };
    Client::connect(options).unwrap_or_else(|error| panic!("{error}"))
}

/// A client that waits for records, for longer than it has patience; what its wait ends with.
fn parked(node: &Node) -> JoinHandle<String> {
    let mut client = connect(&node.address().to_string());
    let (_, end) = client.offsets("requests", 0).expect("its topic");
    let waiting = std::thread::spawn(move || {
        let lost = client.fetch("requests", 0, end, PATIENCE * 2);
        lost.expect_err("nothing comes").to_string()
    });
    std::thread::sleep(Duration::from_millis(200));
    waiting
}

/// One record; returns its value.
fn produced(client: &mut Client, offset: usize, length: usize) -> Vec<u8> {
    let value = vec![offset as u8; length];
    let at = client.produce("lines", 0, None, &value);
    assert_eq!(at.unwrap_or_else(|e| panic!("{e}")), offset as i64);
    value
}

/// Everything in the topic.
fn read(client: &mut Client) -> Vec<Vec<u8>> {
    let (_, end) = client.offsets("lines", 0).unwrap_or_else(|e| panic!("{e}"));
    let mut values: Vec<Vec<u8>> = Vec::new();
    while values.len() < end as usize {
        let fetched = client.fetch("lines", 0, values.len() as i64, Duration::from_secs(1));
        let fetched = fetched.unwrap_or_else(|e| panic!("{e}"));
        assert!(!fetched.records.is_empty(), "{} of {end}", values.len());
        for record in fetched.records {
            assert_eq!(record.offset, values.len() as i64);
            values.push(record.value.expect("a value"));
        }
    }
    values
}

fn writes_and_reads(client: &mut Client) -> Vec<Vec<u8>> {
    client.create_topic("lines", 1).expect("a topic");
    let mut values = Vec::new();
    for length in [0, 1, 100, 16 << 10, LONG] {
        values.push(produced(client, values.len(), length));
    }
    let batch: Vec<Vec<u8>> = (1..50).map(|n| vec![n; usize::from(n) * 40]).collect();
    let records: Vec<Record<'_>> = batch
        .iter()
        .map(|value| Record {
            key: None,
            value: Some(value),
            headers: &[],
            timestamp: None,
        })
        .collect();
    let first = client.produce_batch("lines", 0, &records);
    assert_eq!(first.expect("a batch"), values.len() as i64);
    values.extend(batch);
    assert!(read(client) == values, "what was written is read");
    let (written, taken) = client.one_sided_bytes().expect("memory was granted");
    let long = LONG as u64 * 9 / 10;
    assert!(
        written > long && taken > long,
        "{written} {taken} of {LONG}"
    );
    println!("a native client over RDMA is served: {written} bytes by WRITE, {taken} by READ");
    values
}

/// kcat over kernel sockets reads what came by RDMA, and its lines are read by RDMA.
fn kafka_clients_beside(node: &Node, client: &mut Client, values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let kcat = |words: &[&str], input: &[u8]| {
        let mut command = Command::new("kcat");
        let address = node.address().to_string();
        command.args(["-m", "60", "-b", &address]).args(words);
        run(&mut command, input)
    };
    let count = values.len().to_string();
    let words = [
        "-C",
        "-t",
        "lines",
        "-o",
        "beginning",
        "-c",
        &count,
        "-q",
        "-D",
        "",
    ];
    assert!(kcat(&words, b"") == values.concat(), "kcat reads it too");
    kcat(
        &["-P", "-t", "lines", "-p", "0"],
        b"by kernel sockets\nand again\n",
    );
    let more = vec![b"by kernel sockets".to_vec(), b"and again".to_vec()];
    assert!(read(client) == [values, &more].concat());
    println!("a Kafka client over kernel sockets beside it is served");
    more
}

/// Python over the library for C.
fn other_languages(node: &Node, client: &mut Client) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ffi/python");
    let script = format!(
        "import precursor
with precursor.Client.rdma('{}') as client:
    client.create_topic('python')
    assert client.produce('python', b'by Python', key=b'key') == 0
    assert client.fetch('python', 0)[0].value == b'by Python'",
        node.address()
    );
    let mut command = Command::new("python3");
    command.args(["-c", &script]).env("PYTHONPATH", python);
    command.env(
        "PRECURSOR_LIBRARY",
        node::binaries().join("libprecursor.so"),
    );
    run(&mut command, b"");
    let fetched = client.fetch("python", 0, 0, Duration::from_secs(1));
    let value = fetched.expect("its record").records.remove(0).value;
    assert_eq!(value.expect("a value"), b"by Python");
    println!("Python over the library for C is served");
}

fn requests_and_replies(node: &Node, asking: &mut Client) {
    for topic in ["requests", "replies"] {
        asking.create_topic(topic, 1).expect("a topic");
    }
    let mut answering = connect(&node.address().to_string());
    let mut responder = Responder::new(&mut answering, "requests", 0).expect("a responder");
    let thread = std::thread::spawn(move || {
        let mut answered = 0;
        while answered < 5 {
            for call in responder
                .poll(&mut answering, Duration::from_secs(1))
                .expect("requests")
            {
                let mut reply = call.request.value.clone().expect("a value");
                reply.reverse();
                assert!(call.reply(&mut answering, &reply).expect("a reply goes"));
                answered += 1;
            }
        }
    });
    let mut caller = Caller::new(asking, ("requests", 0), ("replies", 0)).expect("a caller");
    for number in 0..5 {
        let reply = caller.call(asking, &[number, 1, 2], PATIENCE);
        assert_eq!(reply.expect("a reply"), [2, 1, number]);
    }
    thread.join().expect("the responder");
    println!("requests are replied to over RDMA");
}

/// `precursor bench latency --transport rdma`: its figures are there (and say nothing, here).
fn measures(node: &Node) {
    let mut command = node::precursor();
    command
        .args([
            "bench",
            "latency",
            "--transport",
            "rdma",
            "--output",
            "json",
        ])
        .args(["--seconds", "1", "--warmup", "0", "--data-dir"])
        .arg(node.data_dir());
    let told = String::from_utf8(run(&mut command, b"")).expect("text");
    for figure in ["\"p50_us\"", "\"p99_us\"", "\"transport\":\"rdma\""] {
        let there = told.replace(": ", ":").contains(figure);
        assert!(there, "no {figure} in {told}");
    }
    println!("precursor bench latency --transport rdma: {}", told.trim());
}

fn killed_clients_leave_nothing(node: &Node, client: &mut Client) {
    let before = resources();
    for _ in 0..2 {
        let mut victim = node::precursor()
            .args([
                "bench",
                "produce",
                "--transport",
                "rdma",
                "--topic",
                "victims",
            ])
            .args([
                "--in-flight",
                "100",
                "--warmup",
                "0",
                "--seconds",
                "600",
                "--data-dir",
            ])
            .arg(node.data_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("precursor starts");
        let writes = || client.offsets("victims", 0).is_ok_and(|(_, end)| end > 0);
        assert!(wait_until(PATIENCE, writes), "the victim never wrote");
        victim.kill().expect("it runs");
        victim.wait().expect("it ends");
        let gone = || resources() == before;
        let left = wait_until(SOON, gone);
        assert!(left, "a killed client left {}, not {before}", resources());
    }
    let (_, end) = client.offsets("victims", 0).expect("its topic");
    let last = client.fetch("victims", 0, end - 1, Duration::from_secs(1));
    assert_eq!(last.expect("whole records").records.len(), 1);
    println!("killed clients leave nothing: {before}");
}

/// What the kernel holds of RDMA for all processes: queue pairs, memory and the like, counted.
fn resources() -> String {
    let text = run(Command::new("rdma").args(["resource", "show"]), b"");
    String::from_utf8(text).expect("text").trim().to_owned()
}

/// What a broker says where there is no RDMA: at another address, and without a library.
fn refusals_are_sentences(node: &Node) {
    let refused = |listen: &str, sentence: &str| {
        let mut command = node.command_at("127.0.0.1:0", &node.folder().join("refused"));
        command.args(["--set", "network.driver=epoll", "--set", listen]);
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "it started: {said}");
        let line = said.lines().find(|line| line.contains(sentence));
        println!(
            "{}",
            line.unwrap_or_else(|| panic!("no `{sentence}` in:\n{said}"))
        );
    };
    let elsewhere = "rdma.listen=10.99.0.1:9092";
    let sentence =
        format!("{elsewhere} cannot start: this host does not offer RDMA: no RDMA device has");
    refused(elsewhere, &sentence);
    // The machine's files are its own.
    let removed = Command::new("sh")
        .args(["-c", "rm /usr/lib/*/librdmacm.so.1*"])
        .status();
    assert!(removed.is_ok_and(|status| status.success()));
    refused(elsewhere, "rdma: librdmacm.so.1 is not here; install");
}

fn must_be(before: &(String, String), when: &str) {
    let same = || (network(), resources()) == *before;
    let held = wait_until(SOON, same);
    assert!(held, "{when}: {before:?} → {:?}", (network(), resources()));
}
