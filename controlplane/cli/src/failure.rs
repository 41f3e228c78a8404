//! How a command fails: one sentence, what to do next, and an exit code.

use std::fmt;

/// The command ran and failed.
pub const EXIT_FAILED: u8 = 1;
/// The command line was wrong (clap's own code for it as well), or the configuration
/// ([`precursor_config::EXIT_CONFIGURATION`]).
pub const EXIT_USAGE: u8 = 2;
/// No broker answered.
pub const EXIT_UNREACHABLE: u8 = 3;
/// The broker answered, and refused.
pub const EXIT_REFUSED: u8 = 4;
/// Ctrl-C or SIGTERM ended the command, as shells count.
pub const EXIT_INTERRUPTED: u8 = 130;

/// A command's end that is not success.
#[derive(Debug)]
pub struct Failure {
    pub exit_code: u8,
    /// What went wrong, in one sentence.
    pub sentence: String,
    /// What the reader can do about it.
    pub next: Option<String>,
    /// The reader of our output went away (`precursor consume … | head`): nothing is wrong.
    pub output_closed: bool,
}

impl Failure {
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure {
            exit_code: EXIT_FAILED,
            sentence: sentence.into(),
            next: None,
            output_closed: false,
        }
    }

    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure::configuration(sentence).next("See the command's --help")
    }

    pub fn configuration(sentence: impl Into<String>) -> Failure {
        Failure {
            exit_code: EXIT_USAGE,
            ..Failure::new(sentence)
        }
    }

    pub fn unreachable(sentence: impl Into<String>) -> Failure {
        Failure {
            exit_code: EXIT_UNREACHABLE,
            ..Failure::new(sentence)
        }
    }

    pub fn refused(sentence: impl Into<String>) -> Failure {
        Failure {
            exit_code: EXIT_REFUSED,
            ..Failure::new(sentence)
        }
    }

    /// The user ended the command: nothing is wrong and nothing need be said.
    pub fn interrupted() -> Failure {
        Failure {
            exit_code: EXIT_INTERRUPTED,
            ..Failure::new("")
        }
    }

    /// Adds what to do next.
    pub fn next(mut self, next: impl Into<String>) -> Failure {
        self.next = Some(next.into());
        self
    }

    /// What the reader can do: what is known of this failure, or else of its kind.
    pub fn advice(&self) -> Option<&str> {
        let of_kind = match self.exit_code {
            EXIT_UNREACHABLE => Some("Is the broker running? Its standard error may say more"),
            EXIT_REFUSED => Some("The broker's standard error may say more"),
            _ => None,
        };
        self.next.as_deref().or(of_kind)
    }

    /// From a failed write to standard output.
    pub fn from_output(error: std::io::Error) -> Failure {
        Failure {
            output_closed: error.kind() == std::io::ErrorKind::BrokenPipe,
            ..Failure::new(format!("standard output cannot be written: {error}"))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match self.advice() {
            Some(next) => write!(f, "\n  {next}"),
            None => Ok(()),
        }
    }
}
