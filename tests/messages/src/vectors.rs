//! Bytes that Kafka's own Java client wrote, every client-facing message in every version of Kafka
//! 4.3 (tests/vectors): read, and written back to the same bytes.

use precursor_protocol::{Message, every_message};

const VECTORS: &str = include_str!("../../vectors/kafka-4.3.1.txt");

/// Holds the lines of one message against it; gives how many there were.
fn check<M: Message>(name: &str) -> usize {
    let mut checked = 0;
    for line in VECTORS.lines() {
        let mut words = line.split(' ');
        if words.next() != Some(name) {
            continue;
        }
        let version: i16 = words.next().expect("a version").parse().expect("a number");
        let bytes = bytes(words.next().expect("bytes"));
        if !(M::VERSION_MIN..=M::VERSION_MAX).contains(&version) {
            continue;
        }
        let about = format!("{name} version {version}");
        let (message, rest) = M::decode_prefix(&bytes, version).expect(&about);
        assert!(rest.is_empty(), "{about}: bytes after the message");
        let mut ours = Vec::new();
        message.encode(&mut ours, version).expect(&about);
        assert_eq!(ours, bytes, "{about}");
        checked += 1;
    }
    checked
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex"))
        .collect()
}

#[test]
fn what_the_java_client_writes_is_read_and_written_back() {
    let (mut checked, mut messages) = (0, 0);
    macro_rules! visit {
        ($name:ident) => {
            let found = check::<precursor_protocol::messages::$name>(stringify!($name));
            messages += usize::from(found > 0);
            checked += found;
        };
    }
    every_message!(visit);
    println!("{checked} vectors of {messages} messages");
    assert!(
        checked > 1000 && messages > 80,
        "{checked} vectors of {messages} messages"
    );
}
