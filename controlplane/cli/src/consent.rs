//! Consent to what cannot be undone: asked on a terminal, or given with --yes.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// The argument of every destructive command.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Consent {
    /// Do it without asking
    #[arg(long, short = 'y')]
    pub yes: bool,
}

impl Consent {
    /// Returns when the user agrees to `act`, an infinitive clause such as "delete topic a".
    ///
    /// # Errors
    /// The user declines, or there is nobody to ask.
    pub fn to(self, act: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        // Standard input may carry records or names; only a terminal can answer.
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Err(Failure::usage(format!(
                "nobody can be asked here whether to {act}, and nothing was changed"
            ))
            .next("If that is what you want, add --yes"));
        }
        let mut answer = String::new();
        let asked = write!(std::io::stderr(), "Really {act}? [y/N] ")
            .and_then(|()| std::io::stderr().flush())
            .and_then(|()| std::io::stdin().read_line(&mut answer));
        asked.map_err(|error| Failure::new(format!("no answer can be read: {error}")))?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new("you did not agree, and nothing was changed")
            .next("Answer y to agree, or add --yes"))
    }
}
