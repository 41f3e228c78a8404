//! Work on a data directory, stopped and running.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::broker::Broker;

/// Every file and directory below: when it was changed, and what is in it.
type Tree = BTreeMap<PathBuf, (SystemTime, Option<Vec<u8>>)>;

fn tree(directory: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        let is_directory = path.is_dir();
        if is_directory {
            open.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        let content = (!is_directory).then(|| fs::read(&path).unwrap());
        tree.insert(path, (changed, content));
    }
    tree
}

fn set_writable(directory: &Path, writable: bool) {
    for path in tree(directory).into_keys() {
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        permissions.set_readonly(!writable);
        fs::set_permissions(&path, permissions).unwrap();
    }
}

/// A broker with a topic of a thousand records.
fn filled() -> Broker {
    let broker = Broker::start();
    broker.text(&["topic", "create", "t"]);
    let lines: String = (0..1000).map(|n| format!("record {n}\n")).collect();
    let output = broker.run_with(&["produce", "t"], lines.as_bytes());
    assert!(output.status.success());
    broker
}

#[test]
fn verify_finds_damage_and_changes_nothing() {
    let mut broker = filled();
    let data_dir = broker.data_dir();
    let place = data_dir.to_str().unwrap();
    let verify = ["storage", "verify", "--data-dir", place];
    // A broker has it.
    let (sentence, _) = broker.refused(&verify, 1);
    assert!(sentence.contains("is in use by process"), "{sentence}");
    let dump = ["storage", "dump", "--data-dir", place, "--topic", "t"];
    broker.text(&dump);

    broker.stop();
    let before = tree(&data_dir);
    set_writable(&data_dir, false);
    let found = broker.json(&verify);
    assert_eq!(found["records"], 1000);
    assert_eq!(found["damages"], serde_json::json!([]));
    assert_eq!(tree(&data_dir), before);
    set_writable(&data_dir, true);
    assert!(broker.text(&verify).contains("no damage"));

    let log = data_dir.join("t-0/00000000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    bytes[100] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let before = tree(&data_dir);
    let (sentence, next) = broker.refused(&verify, 1);
    assert!(sentence.contains("damage"), "{sentence}");
    assert!(next.contains("storage repair"), "{next}");
    let text = String::from_utf8(broker.run(&verify).stdout).unwrap();
    assert!(
        text.contains("t-0/00000000000000000000.log, bytes"),
        "{text}"
    );
    assert!(text.contains("CRC"), "{text}");
    assert_eq!(tree(&data_dir), before);
}

#[test]
fn a_dump_shows_batches_and_records() {
    let mut broker = filled();
    broker.stop();
    let data_dir = broker.data_dir();
    let place = data_dir.to_str().unwrap();
    let words = [
        "storage",
        "dump",
        "--data-dir",
        place,
        "--topic",
        "t",
        "--records",
    ];
    let json = [&words[..], &["--output", "json"]].concat();
    let text = broker.text(&json);
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |kind: &str| rows.iter().filter(|row| row["is"] == kind).count();
    assert_eq!(of("record"), 1000);
    assert!(of("batch") > 0 && of("epoch") == 1 && of("hole") == 0);
    let last = rows.iter().rfind(|row| row["is"] == "record").unwrap();
    assert_eq!(
        (&last["offset"], &last["value"]),
        (&999.into(), &"record 999".into())
    );
    assert!(broker.text(&words).contains("record 999"));
    // One file by its name.
    let file = [
        "storage",
        "dump",
        "--data-dir",
        place,
        "t-0/leader-epoch-checkpoint",
    ];
    assert!(broker.text(&file).contains("epoch 0 from offset 0"));
    let nothing = ["storage", "dump", "--data-dir", place, "--topic", "other"];
    let output = broker.run(&nothing);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn repair_says_what_it_does_and_the_rest_is_served() {
    let mut broker = filled();
    let more: String = (1000..1500).map(|n| format!("record {n}\n")).collect();
    broker.run_with(&["produce", "t"], more.as_bytes());
    let data_dir = broker.data_dir();
    let place = data_dir.to_str().unwrap();
    let repair = ["storage", "repair", "--data-dir", place];
    let (sentence, _) = broker.refused(&repair, 1);
    assert!(sentence.contains("is in use by process"), "{sentence}");
    broker.stop();
    assert!(broker.text(&repair).contains("nothing to repair"));

    // The first batch, or all but it: something is lost, and something is left.
    let log = data_dir.join("t-0/00000000000000000000.log");
    let mut bytes = fs::read(&log).unwrap();
    bytes[70] ^= 1;
    fs::write(&log, &bytes).unwrap();
    let before = tree(&data_dir);
    let dry = broker.text(&[&repair[..], &["--dry-run"]].concat());
    assert!(
        dry.contains("t-0/00000000000000000000.log: write the segment anew"),
        "{dry}"
    );
    assert!(dry.contains("nothing was changed"), "{dry}");
    // Nobody can be asked.
    broker.refused(&repair, 2);
    assert_eq!(tree(&data_dir), before);

    let done = broker.json(&[&repair[..], &["--yes"]].concat());
    assert_eq!(done["damages_left"], 0, "{done}");
    let verify = ["storage", "verify", "--data-dir", place];
    assert!(broker.text(&verify).contains("no damage"));
    assert!(data_dir.join("quarantine/t-0").is_dir());
    broker.start_again();
    let text = broker.text(&["consume", "t"]);
    let left: Vec<&str> = text.lines().collect();
    assert!(!left.is_empty() && left.len() < 1500, "{}", left.len());
    assert_eq!(left.last(), Some(&"record 1499"));
    let more = broker.run_with(&["produce", "t"], b"later\n");
    assert!(
        String::from_utf8_lossy(&more.stdout).contains("1500"),
        "{more:?}"
    );
}
