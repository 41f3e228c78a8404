//! `precursor serve`: the supervisor. It makes the shared region, starts both processes on it,
//! restarts either when it dies, and stops them in order. It touches no record and keeps no state
//! that matters: whatever happens to it, the region and the data directory tell the next one.

mod backoff;
mod child;
mod engine;
mod preflight;
mod region;
mod signals;

use std::path::PathBuf;
use std::process::Child;
use std::time::Instant;

use nix::sys::signal::Signal;
use precursor_config::{Endpoint, NodeConfig};

use crate::failure::{EXIT_FAILED, Failure};
use crate::output::Output;
use engine::{Command, Ending, Event, Exit, Role, Supervisor};
use region::SharedRegion;
use signals::Signals;

/// How often the status page is read while a child is starting.
const READINESS_POLL_MS: u64 = 1;

/// A start that takes this long is worth a line; recovery of a big log may take longer.
const SLOW_START_MS: u64 = 10_000;

/// The arguments of `precursor serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where partitions and metadata are kept [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where Kafka clients connect; port 0 takes any free one [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Any option of the configuration, as often as needed
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = crate::common::key_value)]
    pub sets: Vec<(String, String)>,
}

impl ServeArguments {
    /// Everything that the command line sets, in the order in which it wins.
    fn all_sets(&self) -> Vec<(String, String)> {
        let mut sets = self.sets.clone();
        if let Some(dir) = &self.data_dir {
            sets.push(("data.dir".to_owned(), dir.display().to_string()));
        }
        if let Some(listen) = &self.listen {
            sets.push(("listen".to_owned(), listen.clone()));
        }
        sets
    }
}

/// Runs until asked to stop.
///
/// # Errors
/// The broker cannot start; the sentence says why. Nothing has been changed then.
pub fn run(arguments: &ServeArguments, output: Output) -> Result<(), Failure> {
    let mut sets = arguments.all_sets();
    let config = NodeConfig::load(arguments.config.as_deref(), &sets)
        .map_err(|error| Failure::configuration(error.to_string()))?;
    for role in Role::ALL {
        child::executable(role)?;
    }
    let _lock = preflight::claim_data_dir(&config)?;
    // Past the kernel the listener's address is not the kernel's to bind.
    if config.bypass().map_err(Failure::configuration)?.is_none() {
        preflight::check_listener(&config.listen)?;
    }
    let signals = Signals::new()
        .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
    let region = SharedRegion::open(&config)?;
    eprintln!("precursor: {}", region.description());
    // Both processes must count the shards as we did, whatever their own view of the machine.
    sets.push((
        "dataplane.shards".to_owned(),
        config.shard_count().to_string(),
    ));
    let mut run = Run {
        config: arguments.config.clone(),
        sets,
        listen: config.listen.clone(),
        bound: None,
        region,
        signals,
        output,
        children: [None, None],
        started: Instant::now(),
        data_was_ready: false,
    };
    run.supervise()
}

/// The supervisor's hands: processes, clock and signals around the [`Supervisor`] that decides.
struct Run {
    config: Option<PathBuf>,
    sets: Vec<(String, String)>,
    listen: Endpoint,
    /// Where the data plane listens, once it has said so; a restarted one gets the same address.
    bound: Option<Endpoint>,
    region: SharedRegion,
    signals: Signals,
    output: Output,
    children: [Option<Child>; 2],
    started: Instant,
    /// Whether a data plane of this run ever served, and so may have left records in the region.
    data_was_ready: bool,
}

impl Run {
    fn supervise(&mut self) -> Result<(), Failure> {
        let mut supervisor = Supervisor::new(self.now());
        let mut commands = Vec::new();
        let mut told_slow = false;
        loop {
            supervisor.on_time(self.now(), &mut commands);
            for command in std::mem::take(&mut commands) {
                match command {
                    Command::Finish(ending) => return self.finish(ending),
                    command => self.execute(command, &mut supervisor, &mut commands)?,
                }
            }
            if !commands.is_empty() {
                continue;
            }
            let awaiting = supervisor.awaits_readiness();
            let deadline = supervisor
                .deadline()
                .map(|at| at.saturating_sub(self.now()));
            let poll = awaiting.then_some(READINESS_POLL_MS);
            let stops = self
                .signals
                .wait(deadline.into_iter().chain(poll).min())
                .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
            for _ in 0..stops {
                supervisor.on_event(Event::Stop, self.now(), &mut commands);
            }
            self.look_at_children(&mut supervisor, &mut commands);
            if awaiting && !told_slow && self.now() > SLOW_START_MS {
                told_slow = true;
                eprintln!("precursor: still starting; {}", self.region.progress());
            }
        }
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn execute(
        &mut self,
        command: Command,
        supervisor: &mut Supervisor,
        commands: &mut Vec<Command>,
    ) -> Result<(), Failure> {
        match command {
            Command::Start(role) => match child::start(role, &self.child_arguments()) {
                Ok(process) => self.children[role as usize] = Some(process),
                Err(failure) => {
                    // Counts as a death: with back-off while serving, an end at the first start.
                    eprintln!("precursor: {failure}");
                    let exited = Event::Exited(role, Exit::Code(EXIT_FAILED.into()));
                    supervisor.on_event(exited, self.now(), commands);
                }
            },
            Command::Terminate(role) => self.signal(role, Signal::SIGTERM),
            Command::Kill(role) => self.signal(role, Signal::SIGKILL),
            Command::Announce => self.announce()?,
            Command::Report {
                role,
                exit,
                pause_ms,
            } => eprintln!(
                "precursor: the {} {}; starting it again in {pause_ms} ms",
                role.name(),
                describe(exit)
            ),
            Command::Finish(_) => {}
        }
        Ok(())
    }

    /// What a child is started with: our own sources, and the address that was found.
    fn child_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend(["--config".to_owned(), config.display().to_string()]);
        }
        let bound = self.bound.as_ref();
        let bound = bound.map(|bound| ("listen".to_owned(), bound.to_string()));
        for (key, value) in self.sets.iter().chain(&bound) {
            arguments.extend(["--set".to_owned(), format!("{key}={value}")]);
        }
        arguments
    }

    fn signal(&self, role: Role, signal: Signal) {
        if let Some(process) = &self.children[role as usize] {
            child::signal(process, signal);
        }
    }

    fn announce(&mut self) -> Result<(), Failure> {
        let bound = Endpoint {
            host: self.listen.host.clone(),
            port: self.region.kafka_port(),
        };
        let said = self
            .output
            .line(&format!("precursor: ready, listening on {bound}"));
        self.bound = Some(bound);
        self.region.set_ready();
        match said {
            // Whoever started us may not care for the line.
            Err(failure) if failure.output_closed => Ok(()),
            other => other,
        }
    }

    /// Collects ends and readiness. Ends first: a page may still say "ready" for a dead process.
    fn look_at_children(&mut self, supervisor: &mut Supervisor, commands: &mut Vec<Command>) {
        let now = self.now();
        for role in Role::ALL {
            let slot = &mut self.children[role as usize];
            let Some(process) = slot else {
                continue;
            };
            match process.try_wait() {
                Ok(None) => {
                    if self.region.ready(role, process.id()) {
                        self.data_was_ready |= role == Role::DataPlane;
                        supervisor.on_event(Event::Ready(role), now, commands);
                    }
                }
                Ok(Some(status)) => {
                    *slot = None;
                    let exited = Event::Exited(role, child::exit_of(status));
                    supervisor.on_event(exited, now, commands);
                }
                Err(error) => {
                    // Nobody else waits for our children, so this cannot pass by itself.
                    eprintln!("precursor: the {} cannot be watched: {error}", role.name());
                    *slot = None;
                    let exited = Event::Exited(role, Exit::Code(EXIT_FAILED.into()));
                    supervisor.on_event(exited, now, commands);
                }
            }
        }
    }

    fn finish(&mut self, ending: Ending) -> Result<(), Failure> {
        match ending {
            Ending::Stopped { flushed: true } => {
                self.region.unlink();
                eprintln!("precursor: stopped; everything is on disk");
                Ok(())
            }
            Ending::Stopped { flushed: false } => Err(Failure::new(
                "stopped before everything was written to disk; what was not is kept in the \
                 shared region",
            )
            .next("Start again before the next reboot of this machine to recover it")),
            Ending::StartFailed { role, exit } => {
                if self.region.created() && !self.data_was_ready {
                    self.region.unlink();
                }
                Err(Failure::new(format!(
                    "the {} did not start: it {} (its reason stands above)",
                    role.name(),
                    describe(exit)
                )))
            }
        }
    }
}

fn describe(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("ended with exit code {code}"),
        Exit::Signal(signal) => match Signal::try_from(signal) {
            Ok(name) => format!("was ended by {name}"),
            Err(_) => format!("was ended by signal {signal}"),
        },
    }
}
