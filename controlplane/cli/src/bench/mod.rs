//! `precursor bench`: how fast a broker is, and how fast anything could be that answers the same
//! bytes on the same machine in the same run.

mod arguments;
mod histogram;
mod latency;
mod link;
mod native;
mod process_cpu;
mod report;
mod server;
mod target;
mod throughput;
mod undo;
mod wire;

use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::output::Output;
pub use arguments::BenchArguments;
use arguments::Kind;
use report::{Ceiling, Report};
use server::Server;
use std::time::Duration;
use target::Target;
use throughput::Measured;

/// Measures, or serves for measuring.
///
/// # Errors
/// The target cannot be reached, or refuses.
pub fn run(
    arguments: &BenchArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    if let Some(transport) = arguments.transport {
        return native::run(transport, arguments, common, output);
    }
    let mut arguments = arguments.clone();
    let usual = if arguments.what.is_latency() { 1 } else { 1000 };
    arguments.batch_records = arguments.batch_records_asked.unwrap_or(usual);
    let what = arguments.what;
    if matches!(what, Kind::Null | Kind::Echo) {
        return server::serve(&arguments);
    }
    let target = Target::broker(common, &arguments, |target| fill(target, &arguments))?;
    let measured = measure(what, &target, &arguments)?;
    let ceiling = if arguments.with_ceiling {
        if arguments.pause_broker {
            target.pause();
        }
        let ceiling = measure_ceiling(what, &arguments);
        target.undo.resume();
        Some(ceiling?)
    } else {
        None
    };
    let report = Report {
        what,
        arguments: &arguments,
        measured,
        ceiling,
        processes: target.processes.clone(),
    };
    report.write(output)
}

/// Writes what will be fetched.
fn fill(target: &Target, arguments: &BenchArguments) -> Result<(), Failure> {
    let partitions = target.partition_count();
    let bytes = (arguments.record_bytes * arguments.batch_records).max(1) as u64;
    let batches = (arguments.fill_bytes / bytes).max(1) * partitions as u64;
    let filling = BenchArguments {
        connections: partitions,
        records: Some(batches * arguments.batch_records as u64),
        acks: 1,
        rate: None,
        ..arguments.clone()
    };
    throughput::run(Kind::Produce, target, &filling).map(|_| ())
}

fn measure(what: Kind, target: &Target, arguments: &BenchArguments) -> Result<Measured, Failure> {
    match what {
        Kind::Latency => latency::produce(target, arguments),
        Kind::EndToEnd => latency::end_to_end(target, arguments),
        Kind::Echo => latency::echo(target, arguments, Duration::ZERO),
        Kind::Produce | Kind::Fetch | Kind::Null => throughput::run(what, target, arguments),
    }
}

fn measure_ceiling(what: Kind, arguments: &BenchArguments) -> Result<Ceiling, Failure> {
    let kind = if what.is_latency() {
        Kind::Echo
    } else {
        Kind::Null
    };
    let server = Server::start(kind, arguments)?;
    let target = Target::ceiling(kind, &server);
    let mut without_rest = None;
    let measured = match what {
        Kind::Latency | Kind::Echo => measure(Kind::Echo, &target, arguments)?,
        Kind::EndToEnd => {
            without_rest = Some(measure(Kind::Echo, &target, arguments)?);
            latency::echo(&target, arguments, latency::PARKING)?
        }
        Kind::Produce | Kind::Fetch | Kind::Null => measure(what, &target, arguments)?,
    };
    Ok(Ceiling {
        kind,
        measured,
        without_rest,
    })
}

#[cfg(test)]
mod tests;
