//! What a measurement must put right again, also when it is interrupted: a topic that it made, and
//! processes that it stopped.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use precursor_config::Endpoint;
use precursor_protocol::messages::DeleteTopicsRequest;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe::register;

use crate::client::Connection;

/// The exit code of a program that Ctrl-C ended, as shells count.
const EXIT_INTERRUPTED: i32 = 130;

/// What is to be put right; done at the latest when the value is dropped.
pub struct Undo {
    debts: Arc<Mutex<Debts>>,
}

#[derive(Default)]
struct Debts {
    /// A topic, and the broker to delete it at.
    topic: Option<(Endpoint, String)>,
    stopped: Vec<Pid>,
}

impl Undo {
    /// Nothing to put right.
    pub fn nothing() -> Undo {
        Undo {
            debts: Arc::default(),
        }
    }

    /// Puts right also when this program is told to end.
    ///
    /// # Errors
    /// The kernel refused a handler or a thread.
    pub fn on_interrupt(&self) -> io::Result<()> {
        let (mut receiver, sender) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            register(signal, sender.try_clone()?)?;
        }
        let debts = Arc::clone(&self.debts);
        std::thread::Builder::new().spawn(move || {
            let _ = receiver.read(&mut [0]);
            lock(&debts).settle();
            std::process::exit(EXIT_INTERRUPTED);
        })?;
        Ok(())
    }

    /// The topic is to be deleted in the end.
    pub fn delete_topic(&self, bootstrap: &Endpoint, topic: &str) {
        lock(&self.debts).topic = Some((bootstrap.clone(), topic.to_owned()));
    }

    /// Stops processes until [`Undo::resume`].
    pub fn stop(&self, pids: impl Iterator<Item = u32>) {
        let mut debts = lock(&self.debts);
        debts.stopped = pids
            .filter_map(|pid| i32::try_from(pid).ok().map(Pid::from_raw))
            .collect();
        for pid in &debts.stopped {
            // One that is gone cannot be in the way.
            let _ = kill(*pid, Signal::SIGSTOP);
        }
    }

    /// Lets stopped processes go on.
    pub fn resume(&self) {
        lock(&self.debts).resume();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        lock(&self.debts).settle();
    }
}

/// A thread that panicked over the debts has not paid them.
fn lock(debts: &Mutex<Debts>) -> MutexGuard<'_, Debts> {
    debts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Debts {
    fn resume(&mut self) {
        for pid in self.stopped.drain(..) {
            let _ = kill(pid, Signal::SIGCONT);
        }
    }

    fn settle(&mut self) {
        self.resume();
        let Some((bootstrap, topic)) = self.topic.take() else {
            return;
        };
        let request = DeleteTopicsRequest {
            topic_names: vec![topic.clone()],
            timeout_ms: 10_000,
            ..DeleteTopicsRequest::default()
        };
        let answer = Connection::open(&bootstrap).and_then(|mut broker| broker.call(&request));
        let deleted = answer.is_ok_and(|answer| answer.responses.iter().all(|r| r.error_code == 0));
        if !deleted {
            eprintln!(
                "precursor: topic {topic} was left behind; delete it: precursor topic delete {topic}"
            );
        }
    }
}
