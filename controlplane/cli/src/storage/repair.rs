//! `precursor storage repair`.

use std::path::Path;

use precursor_disk::{FileSystem, SystemFileSystem};
use precursor_storage::offline::{
    Finding, Inventory, Plan, Step, UseLock, Watch, plan, region_left, repair, verify,
};
use serde_json::{Value, json};

use super::progress::Progress;
use super::{DataDirectory, cannot, count, finding_json, finding_line, in_use, relative, unused};
use crate::consent::Consent;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor storage repair`.
#[derive(Debug, clap::Args)]
pub struct RepairArguments {
    #[command(flatten)]
    place: DataDirectory,
    #[command(flatten)]
    consent: Consent,
    /// Say what would be done and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Counts what is read; findings are asked for by other means.
struct Reading(Progress);

impl Watch for Reading {
    fn found(&mut self, _finding: Finding) {}

    fn read(&mut self, bytes: u64) {
        self.0.advance(bytes);
    }
}

/// Runs `precursor storage repair`.
///
/// # Errors
/// The directory is in use or cannot be read, the user declines, or damage is left.
pub fn run(arguments: &RepairArguments, output: Output) -> Result<(), Failure> {
    let data_dir = &arguments.place.data_dir;
    unused(data_dir)?;
    if let Some(region) = region_left(data_dir) {
        let sentence = format!(
            "the last broker did not stop cleanly, and {} may hold records that {} lacks",
            region.display(),
            data_dir.display()
        );
        return Err(Failure::new(sentence).next("Start the broker once and stop it, then repair"));
    }
    let files = SystemFileSystem::new(false);
    let planned = look(&files, data_dir, plan)?;
    if arguments.dry_run || planned.steps.is_empty() {
        return tell(data_dir, &planned, arguments.dry_run, output);
    }
    if !output.json() {
        show(data_dir, &planned, output)?;
    }
    let act = format!(
        "take these {} in {}",
        count(planned.steps.len() as u64, "step"),
        data_dir.display()
    );
    arguments.consent.to(&act)?;
    let _lock = UseLock::take(data_dir)
        .map_err(|error| cannot("lock", data_dir, &error))?
        .map_err(|by| in_use(data_dir, &by))?;
    let repaired = look(&files, data_dir, repair)?;
    let outcome = look(&files, data_dir, verify)?;
    let failed: Vec<Value> = { &repaired.failed }
        .iter()
        .map(|(step, error)| {
            let mut value = step_json(data_dir, step);
            value["error"] = json!(error.to_string());
            value
        })
        .collect();
    if output.json() {
        let done: Vec<Value> = { &repaired.done }
            .iter()
            .map(|step| step_json(data_dir, step))
            .collect();
        let left = outcome.damages;
        output.value(&json!({ "done": done, "failed": failed, "damages_left": left }))?;
    } else {
        for (step, error) in &repaired.failed {
            output.line(&format!("failed: {}: {error}", step_line(data_dir, step)))?;
        }
        let done = count(repaired.done.len() as u64, "step");
        let quarantine = data_dir.join("quarantine");
        output.line(&format!(
            "took {done}; what was taken out is in {}",
            quarantine.display()
        ))?;
    }
    match outcome.damages {
        0 => Ok(()),
        left => Err(
            Failure::new(format!("{} left", count(left, "damage"))).next(format!(
                "precursor storage verify --data-dir {} names them",
                data_dir.display()
            )),
        ),
    }
}

/// Does something that reads the directory, with a bar.
fn look<T>(
    files: &SystemFileSystem,
    data_dir: &Path,
    act: impl FnOnce(&dyn FileSystem, &Path, &mut dyn Watch) -> std::io::Result<T>,
) -> Result<T, Failure> {
    let bytes = Inventory::read(files, data_dir).and_then(|inventory| inventory.log_bytes(files));
    let bytes = bytes.map_err(|error| cannot("read", data_dir, &error))?;
    let mut reading = Reading(Progress::new(bytes));
    let outcome = act(files, data_dir, &mut reading);
    reading.0.finish();
    outcome.map_err(|error| cannot("read everything in", data_dir, &error))
}

/// Says what is to be done where nothing is.
fn tell(data_dir: &Path, plan: &Plan, dry_run: bool, output: Output) -> Result<(), Failure> {
    if output.json() {
        let steps: Vec<Value> = { &plan.steps }
            .iter()
            .map(|step| step_json(data_dir, step))
            .collect();
        let left: Vec<Value> = { &plan.left }
            .iter()
            .map(|finding| finding_json(data_dir, finding))
            .collect();
        let name = if dry_run { "steps" } else { "done" };
        return output.value(&json!({ name: steps, "left": left }));
    }
    show(data_dir, plan, output)?;
    match plan.steps.is_empty() {
        true => output.line("there is nothing to repair"),
        false => output.line("nothing was changed"),
    }
}

fn show(data_dir: &Path, plan: &Plan, output: Output) -> Result<(), Failure> {
    for step in &plan.steps {
        output.line(&step_line(data_dir, step))?;
    }
    for finding in &plan.left {
        output.line(&format!(
            "left to the broker: {}",
            finding_line(data_dir, finding)
        ))?;
    }
    Ok(())
}

fn step_line(data_dir: &Path, step: &Step) -> String {
    let path = step.path();
    format!("{}: {step}", relative(data_dir, &path).display())
}

fn step_json(data_dir: &Path, step: &Step) -> Value {
    let path = step.path();
    let file = relative(data_dir, &path).display().to_string();
    json!({ "file": file, "step": step.to_string() })
}
