//! `precursor storage verify`.

use std::path::Path;

use precursor_disk::SystemFileSystem;
use precursor_storage::offline::{Finding, Inventory, Severity, Verification, Watch, verify};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{cannot, count, finding_json, finding_line, unused};
use crate::failure::Failure;
use crate::output::{Output, alarm};

/// Shows findings as they come.
pub struct Screen<'a> {
    pub data_dir: &'a Path,
    pub output: Output,
    pub progress: Progress,
    pub damages: Vec<Value>,
    pub notes: Vec<Value>,
    /// Standard output is closed.
    pub failure: Option<Failure>,
}

impl Watch for Screen<'_> {
    fn found(&mut self, finding: Finding) {
        let is_damage = finding.severity == Severity::Damage;
        if self.output.json() {
            let list = match is_damage {
                true => &mut self.damages,
                false => &mut self.notes,
            };
            return list.push(finding_json(self.data_dir, &finding));
        }
        let line = finding_line(self.data_dir, &finding);
        let word = match is_damage {
            true => alarm("damage:"),
            false => "note:".to_owned(),
        };
        let output = self.output;
        let written = self
            .progress
            .beside(|| output.line(&format!("{word} {line}")));
        if let Err(failure) = written {
            self.failure.get_or_insert(failure);
        }
    }

    fn read(&mut self, bytes: u64) {
        self.progress.advance(bytes);
    }
}

/// Runs `precursor storage verify`.
///
/// # Errors
/// There is damage, or something cannot be read.
pub fn run(data_dir: &Path, output: Output) -> Result<(), Failure> {
    unused(data_dir)?;
    let files = SystemFileSystem::new(false);
    let bytes = Inventory::read(&files, data_dir)
        .and_then(|inventory| inventory.log_bytes(&files))
        .map_err(|error| cannot("read", data_dir, &error))?;
    let mut screen = Screen {
        data_dir,
        output,
        progress: Progress::new(bytes),
        damages: Vec::new(),
        notes: Vec::new(),
        failure: None,
    };
    let outcome = verify(&files, data_dir, &mut screen);
    screen.progress.finish();
    let outcome = outcome.map_err(|error| cannot("read everything in", data_dir, &error))?;
    if let Some(failure) = screen.failure {
        return Err(failure);
    }
    match output.json() {
        true => output.value(&json!({
            "partitions": outcome.partitions,
            "segments": outcome.segments,
            "batches": outcome.batches,
            "records": outcome.records,
            "bytes": outcome.bytes,
            "damages": screen.damages,
            "notes": screen.notes,
        }))?,
        false => output.line(&summary(&outcome))?,
    }
    if outcome.damages == 0 {
        return Ok(());
    }
    let sentence = format!(
        "{} in {}",
        count(outcome.damages, "damage"),
        data_dir.display()
    );
    Err(Failure::new(sentence).next(format!(
        "precursor storage repair --data-dir {} --dry-run says what would be done about it",
        data_dir.display()
    )))
}

fn summary(outcome: &Verification) -> String {
    let verdict = match outcome.damages {
        0 => "no damage".to_owned(),
        damages => count(damages, "damage"),
    };
    format!(
        "read {} in {}, {} and {}: {verdict}",
        count(outcome.records, "record"),
        count(outcome.batches, "batch"),
        count(outcome.segments, "segment"),
        count(outcome.partitions, "partition"),
    )
}
