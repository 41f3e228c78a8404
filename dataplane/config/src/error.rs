//! Refusals: each one sentence that names the culprit, where it stands and what would be accepted.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A line of the configuration file, counted from 1.
    File { path: PathBuf, line: usize },
    /// An environment variable.
    Environment { variable: String },
    /// `--set key=value` on the command line.
    CommandLine,
}

impl Source {
    /// Of two sources the higher one wins.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Source::File { .. } => 1,
            Source::Environment { .. } => 2,
            Source::CommandLine => 3,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File { path, line } => write!(f, "{} line {line}", path.display()),
            Source::Environment { variable } => write!(f, "environment variable {variable}"),
            Source::CommandLine => f.write_str("command line"),
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug)]
pub enum ConfigError {
    Unreadable {
        path: PathBuf,
        error: io::Error,
    },
    /// The file is not TOML.
    Syntax {
        source: Source,
        message: String,
    },
    UnknownOption {
        source: Source,
        name: String,
        nearest: String,
    },
    BadValue {
        source: Source,
        name: String,
        value: String,
        accepts: String,
    },
    /// One file sets an option twice, by two spellings.
    SetTwice {
        source: Source,
        name: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { path, error } => {
                let path = path.display();
                write!(f, "configuration file {path} cannot be read: {error}")
            }
            ConfigError::Syntax { source, message } => {
                write!(f, "configuration ({source}) is not valid TOML: {message}")
            }
            ConfigError::UnknownOption {
                source,
                name,
                nearest,
            } => write!(
                f,
                "unknown option '{name}' ({source}); did you mean '{nearest}'?"
            ),
            ConfigError::BadValue {
                source,
                name,
                value,
                accepts,
            } => write!(
                f,
                "option '{name}' cannot be '{value}' ({source}): it takes {accepts}"
            ),
            ConfigError::SetTwice { source, name } => {
                write!(f, "option '{name}' is set a second time ({source})")
            }
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ConfigError::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}
