//! Kafka's wire protocol: frames, headers, messages and record batches. Sans-I/O: bytes in, bytes
//! out, nothing else.
//!
//! - [`api`]: the keys, and the list of those that are served.
//! - [`frame`], [`header`]: what stands before every request and response.
//! - [`messages`]: every message as an owned struct, generated from `schema/*.txt`.
//! - [`views`]: the hot requests borrowed from the frame; parsing and reading allocate nothing.
//! - [`writers`]: the hot responses written field by field; writing into a buffer that has room
//!   allocates nothing.
//! - [`native`]: the frames that are not Kafka's: a single record, and reading from afar.
//! - [`records`]: record batches (magic 2): views, validation, patching, building.
//!
//! No length is believed before it is bounded by the bytes that are there, and no memory is
//! reserved by a count that somebody claims.
#![forbid(unsafe_code)]

pub mod api;
mod error;
pub mod frame;
mod generated;
pub mod header;
mod message;
pub mod native;
pub mod read;
pub mod records;
pub mod write;
pub mod writers;

pub use api::ApiKey;
pub use error::{DecodeError, EncodeError};
pub use generated::{messages, views};
pub use header::RequestHeader;
pub use message::{Message, Request};
pub use read::TaggedField;
