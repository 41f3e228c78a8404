//! Runs seeded request sequences on Apache Kafka and on Precursor and tells where their answers
//! differ: `precursor-tests-peers [FIRST..END] [STEPS]`. Ends in failure when a difference is not one
//! of those that docs/differences.md names.
#![forbid(unsafe_code)]

use precursor_tests_cluster::node::Node;
use precursor_tests_peers::kafka::Kafka;
use precursor_tests_peers::known::{KNOWN, Known};
use precursor_tests_peers::pair::{Finding, Pair, Report};
use precursor_tests_peers::run::{COORDINATORS_MAX, run};
use std::collections::BTreeMap;
use std::ops::Range;
use std::process::ExitCode;

/// What is run when nothing is asked for.
const SEEDS: Range<u64> = 1..41;
const STEPS: usize = 120;

fn main() -> ExitCode {
    match arguments().and_then(|(seeds, steps)| compare(seeds, steps)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(findings) => {
            eprintln!("{findings} differences that docs/differences.md does not name");
            ExitCode::FAILURE
        }
        Err(sentence) => {
            eprintln!("precursor-tests-peers: {sentence}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<(Range<u64>, usize), String> {
    let mut words = std::env::args().skip(1);
    let seeds = match words.next() {
        None => SEEDS,
        Some(text) => seeds(&text).ok_or(format!("'{text}' is not FIRST..END"))?,
    };
    let steps = match words.next() {
        None => STEPS,
        Some(text) => text
            .parse()
            .map_err(|_| format!("'{text}' is not a number of steps"))?,
    };
    Ok((seeds, steps))
}

fn seeds(text: &str) -> Option<Range<u64>> {
    let (first, end) = text.split_once("..")?;
    Some(first.parse().ok()?..end.parse().ok()?)
}

/// The number of differences that nobody has named.
fn compare(seeds: Range<u64>, steps: usize) -> Result<usize, String> {
    check_documents()?;
    let kafka = Kafka::start().map_err(|error| format!("Apache Kafka does not run: {error}"))?;
    let node = Node::start(&[
        "group.initial.rebalance.delay.ms=0",
        "log.retention.check.interval.ms=86400000",
    ]);
    let mut pair = Pair::new(kafka.address(), node.address()).map_err(|e| e.to_string())?;
    pair.wait_for_coordinators(COORDINATORS_MAX)
        .map_err(|error| error.to_string())?;
    let mut kinds = BTreeMap::new();
    let (mut passed, mut failed) = (0, 0);
    for seed in seeds {
        run(&mut pair, seed, steps).map_err(|error| error.to_string())?;
        match pair.report.findings.is_empty() {
            true => passed += 1,
            false => failed += 1,
        }
        for finding in pair.report.findings.drain(..) {
            show(seed, &finding);
            *kinds.entry(finding.kind()).or_insert(0) += 1;
        }
    }
    let findings = summarise(&pair.report, &kinds);
    // In the words of cargo test, one test a seed: scripts/test counts them.
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed");
    Ok(findings)
}

/// Each difference that is meant is written down for users.
fn check_documents() -> Result<(), String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/differences.md");
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let row = |known: &Known| format!("| {:?} | {} |", known.key, known.name);
    match KNOWN.iter().find(|known| !text.contains(&row(known))) {
        Some(known) => Err(format!("'{}' is not in {path}", row(known))),
        None => Ok(()),
    }
}

fn show(seed: u64, finding: &Finding) {
    let difference = &finding.difference;
    let value = |side: &Option<String>| side.clone().unwrap_or("(not there)".into());
    println!(
        "seed {seed}: {}: Kafka {}, Precursor {}\n    {:.600}",
        difference.field,
        value(&difference.kafka),
        value(&difference.ours),
        finding.request
    );
}

fn summarise(report: &Report, kinds: &BTreeMap<String, usize>) -> usize {
    println!("differences by kind:");
    for (kind, count) in kinds {
        println!("{count:6} {kind}");
    }
    let compared: usize = report.compared.values().sum();
    let mut keys: Vec<_> = report.compared.keys().map(|(key, _)| *key).collect();
    keys.dedup();
    println!(
        "{compared} answers to {} kinds of requests compared",
        keys.len()
    );
    println!("meant: {:?}", report.known);
    kinds.values().sum()
}
