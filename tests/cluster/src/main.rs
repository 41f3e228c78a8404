//! Crash loops as long as one likes, and load without crashes on any running broker:
//! `precursor-tests-cluster data-plane|control-plane|everything|power KILLS [SEED]`,
//! `precursor-tests-cluster load HOST:PORT SECONDS`; groups and their offsets, how soon they are
//! loaded and what memory they take: `precursor-tests-cluster groups GROUPS OFFSETS-OF-EACH`; how
//! long other requests take under full produce load: `precursor-tests-cluster latency SECONDS [PRODUCERS]`; how
//! soon a topic of many partitions is there, and there again: `precursor-tests-cluster partitions N`;
//! what compaction costs who produces meanwhile: `precursor-tests-cluster compaction TURNS`. In the
//! machine of `scripts/lab`: a broker on an SR-IOV virtual function, `precursor-tests-cluster lab-dpdk`,
//! one of two shards on a card that spreads connections, `precursor-tests-cluster lab-spread`, and one
//! with clients over RDMA, `precursor-tests-cluster lab-rdma`.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use precursor_tests_cluster::crash::{self, CrashLoop, Victim};
use precursor_tests_cluster::{groups, lab, lab_rdma, latency, partitions};

const USAGE: &str =
    "usage: precursor-tests-cluster data-plane|control-plane|everything|power KILLS [SEED]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let victim = match words.first().map(String::as_str) {
        Some("data-plane") => Victim::DataPlane,
        Some("control-plane") => Victim::ControlPlane,
        Some("everything") => Victim::Everything,
        Some("power") => Victim::Power,
        Some("load") => return load(&words[1..]),
        Some("groups") => return scale(&words[1..]),
        Some("partitions") => return many_partitions(&words[1..]),
        Some("compaction") => return compaction(&words[1..]),
        Some("lab-dpdk") => {
            lab::dpdk_on_a_virtual_function();
            return ExitCode::SUCCESS;
        }
        Some("lab-spread") => {
            lab::a_card_spreads_connections();
            return ExitCode::SUCCESS;
        }
        Some("lab-rdma") => {
            lab_rdma::native_clients_over_rdma();
            return ExitCode::SUCCESS;
        }
        Some("latency") => return latency_under_load(&words[1..]),
        _ => return usage(),
    };
    let Some(Ok(kills)) = words.get(1).map(|word| word.parse()) else {
        return usage();
    };
    let Ok(seed) = words.get(2).map_or(Ok(1), |word| word.parse()) else {
        return usage();
    };
    let topic_options = match victim {
        Victim::Power => vec![("flush.policy", "every-write")],
        _ => Vec::new(),
    };
    let report = crash::run(&CrashLoop {
        victim,
        kills,
        partitions: 6,
        topic_options,
        settings: vec!["dataplane.shards=2"],
        seed,
    });
    println!("everything held: {report:?}");
    ExitCode::SUCCESS
}

fn load(words: &[String]) -> ExitCode {
    let [address, seconds] = words else {
        return usage();
    };
    let (Ok(address), Ok(seconds)) = (address.parse(), seconds.parse()) else {
        return usage();
    };
    println!(
        "everything held: {:?}",
        crash::without_crashes(address, Duration::from_secs(seconds))
    );
    ExitCode::SUCCESS
}

fn scale(words: &[String]) -> ExitCode {
    let [groups, partitions] = words else {
        return usage();
    };
    let (Ok(groups), Ok(partitions)) = (groups.parse(), partitions.parse()) else {
        return usage();
    };
    println!("{:?}", groups::scale(groups, partitions));
    ExitCode::SUCCESS
}

fn many_partitions(words: &[String]) -> ExitCode {
    let [Ok(count)] = words.iter().map(|word| word.parse()).collect::<Vec<_>>()[..] else {
        return usage();
    };
    println!("{:?}", partitions::scale(count));
    ExitCode::SUCCESS
}

fn latency_under_load(words: &[String]) -> ExitCode {
    let (seconds, producers) = match words {
        [seconds] => (seconds.parse(), Ok(1)),
        [seconds, producers] => (seconds.parse(), producers.parse()),
        _ => return usage(),
    };
    let (Ok(seconds), Ok(producers)) = (seconds, producers) else {
        return usage();
    };
    let time = Duration::from_secs(seconds);
    println!("{:#?}", latency::under_load(time, producers));
    ExitCode::SUCCESS
}

fn compaction(words: &[String]) -> ExitCode {
    let [Ok(turns)] = words.iter().map(|word| word.parse()).collect::<Vec<_>>()[..] else {
        return usage();
    };
    let report = precursor_tests_cluster::compaction::cost(turns, Duration::from_secs(4));
    println!("{report:#?}");
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
