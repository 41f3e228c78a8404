//! Ctrl-C as a flag, for commands that have something to finish first. A second one ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{EXIT_INTERRUPTED, Failure};

/// Whether the user wants an end.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The kernel refused a handler.
    pub fn listen() -> Result<Interrupt, Failure> {
        let wanted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal only raises the flag, the second finds it raised.
            flag::register_conditional_shutdown(
                signal,
                i32::from(EXIT_INTERRUPTED),
                Arc::clone(&wanted),
            )
            .and_then(|_| flag::register(signal, Arc::clone(&wanted)))
            .map_err(|error| Failure::new(format!("signals cannot be received: {error}")))?;
        }
        Ok(Interrupt(wanted))
    }

    /// Whether one came.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
