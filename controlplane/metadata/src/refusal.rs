//! Why a command, or one part of it, was not carried out.

use precursor_model::ErrorCode;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A refusal in Kafka's words: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    code: i16,
    pub message: String,
}

impl Refusal {
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Self {
        Refusal {
            code: error.code(),
            message: message.into(),
        }
    }

    /// Kafka's error; a code that this version does not know reads as `UnknownServerError`.
    pub fn error(&self) -> ErrorCode {
        ErrorCode::from_code(self.code).unwrap_or(ErrorCode::UnknownServerError)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error().name(), self.message)
    }
}

impl std::error::Error for Refusal {}
