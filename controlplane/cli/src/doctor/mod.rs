//! `precursor doctor`: what this host can do for a broker, and what would improve it. It looks and
//! tries, and changes nothing.

mod codecs;
mod host;
mod memory;
mod network;
mod processor;
mod storage;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{Field, Output, Tone};
use host::Host;

/// How a host stands in one respect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing to do.
    Good,
    /// It works, and could be better.
    Improvable,
    /// It is not there; a broker runs without it.
    Absent,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Good => "good",
            State::Improvable => "improvable",
            State::Absent => "absent",
        }
    }

    fn tone(self) -> Tone {
        match self {
            State::Good => Tone::Good,
            State::Improvable => Tone::Doubtful,
            State::Absent => Tone::Bad,
        }
    }
}

/// What was found in one respect.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    name: &'static str,
    state: State,
    /// What is there, as measured.
    found: String,
    /// Why it matters to a broker.
    why: &'static str,
    /// What to run or change; `None`: nothing, or nothing that can be run.
    mend: Option<String>,
}

impl Finding {
    fn new(
        name: &'static str,
        why: &'static str,
        state: State,
        found: impl Into<String>,
    ) -> Finding {
        Finding {
            name,
            state,
            found: found.into(),
            why,
            mend: None,
        }
    }

    /// Adds what to run.
    fn mend(mut self, command: impl Into<String>) -> Finding {
        self.mend = Some(command.into());
        self
    }
}

/// Shows what was found.
///
/// # Errors
/// Only that standard output is closed.
pub fn run(output: Output) -> Result<(), Failure> {
    let findings = examine(&Host::here());
    if output.json() {
        return output.value(&to_json(&findings));
    }
    let rows: Vec<Vec<Field>> = findings
        .iter()
        .map(|finding| {
            vec![
                finding.name.into(),
                Field::toned(finding.state.name(), finding.state.tone()),
                finding.found.clone().into(),
            ]
        })
        .collect();
    output.table(&["what", "state", "found"], &rows)?;
    for finding in &findings {
        if finding.state != State::Good {
            let mend = finding
                .mend
                .as_deref()
                .unwrap_or("nothing that a command could do");
            output.line(&format!("\n{}: {}\n  {mend}", finding.name, finding.why))?;
        }
    }
    let improvable = findings
        .iter()
        .filter(|f| f.state == State::Improvable)
        .count();
    let absent = findings.iter().filter(|f| f.state == State::Absent).count();
    output.line(&format!(
        "\n{} looked at: {improvable} could be better, {absent} absent; a broker runs either way",
        findings.len()
    ))
}

fn examine(host: &Host) -> Vec<Finding> {
    let mut findings = vec![processor::kernel(host), processor::processors(host)];
    findings.push(processor::governor(host));
    findings.push(processor::clock(host));
    findings.push(memory::numa(host));
    findings.push(memory::hugepages(host));
    findings.push(memory::transparent_hugepages(host));
    findings.push(memory::shared_memory(host));
    findings.push(memory::locked_memory());
    findings.push(memory::swap(host));
    findings.push(storage::io_uring(host));
    findings.push(storage::open_files());
    findings.extend(codecs::codecs());
    findings.push(network::backlog(host));
    findings.push(network::af_xdp(host));
    findings.push(network::dpdk(host));
    findings.push(network::rdma(host));
    findings
}

fn to_json(findings: &[Finding]) -> Value {
    let findings = findings.iter().map(|finding| {
        json!({
            "name": finding.name,
            "state": finding.state.name(),
            "found": finding.found,
            "why": finding.why,
            "mend": finding.mend,
        })
    });
    Value::Array(findings.collect())
}

#[cfg(test)]
mod tests;
