//! The messages that the two processes exchange over a shard's control rings.
//!
//! One ring record is one message. Requests and responses longer than a record travel in fragments
//! of the same token, in order, the last one marked. A peer's bytes are data: decoding checks every
//! length, and a malformed message is an error, never a panic.

mod codec;
mod log_description;
mod quota;
mod to_control;
mod to_data;

pub use codec::Malformed;
pub use log_description::{DirectoryDescription, LOG_DESCRIPTIONS_PER_MESSAGE_MAX, LogDescription};
pub use quota::{QuotaEntity, QuotaLimits};
pub use to_control::{Origin, ToControl};
pub use to_data::{PartitionImage, ToData};

/// Most payload bytes that one fragment of a request or response carries.
pub const FRAGMENT_LENGTH_MAX: usize = 32 * 1024;
