//! Data plane → control plane.

use super::codec::{Malformed, Reader, Writer};
use super::log_description::{DirectoryDescription, LogDescription};
use precursor_model::{ErrorCode, LogUid};

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The peer's address, as text.
    pub peer: &'a str,
    /// The listener's name, for instance `PLAINTEXT`.
    pub listener: &'a str,
    /// The authenticated principal, for instance `User:ANONYMOUS`.
    pub principal: &'a str,
    /// What the client says of itself in ApiVersions (KIP-511); empty when it does not.
    pub software_name: &'a str,
    pub software_version: &'a str,
}

/// A message of a shard to the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToControl<'a> {
    /// First message of a data plane's life, and the answer to the control plane's own `Hello`:
    /// asks for the whole image.
    Hello {
        generation: u64,
        shard: u16,
        shards: u16,
    },
    /// A Kafka request that the control plane answers: the frame without its length prefix (header
    /// and body). `origin` is the same in every fragment.
    Request {
        token: u64,
        connection: u64,
        last: bool,
        origin: Origin<'a>,
        bytes: &'a [u8],
    },
    /// Make these topics with the broker's defaults where they do not exist (auto-creation).
    EnsureTopics { token: u64, names: Vec<&'a str> },
    /// This shard serves what came with the image of this version: a whole image and all before it,
    /// or what one changed, which may be before an earlier one's logs are open.
    ImageApplied { version: u64 },
    /// A log cannot be served (`Some`) or can again (`None`).
    LogState {
        log: LogUid,
        error: Option<ErrorCode>,
    },
    /// The connection is gone; its outstanding requests need no answer.
    ConnectionClosed { connection: u64 },
    /// The answer to a [`super::ToData::OwnRequest`]: a piece of the frame without its length
    /// prefix. One without any bytes: there is no answer, because the request could not be served
    /// or asked for none.
    OwnResponse {
        token: u64,
        last: bool,
        bytes: &'a [u8],
    },
    /// Logs of this shard, some of the answer to [`super::ToData::DescribeLogs`]; `last` with the
    /// last ones (there may be none).
    LogDescriptions {
        token: u64,
        last: bool,
        entries: Vec<LogDescription>,
    },
    /// The node's log directories, in the order of its configuration: a part of the answer to
    /// [`super::ToData::DescribeLogs`], before the last of the logs.
    DirectoryDescriptions {
        token: u64,
        directories: Vec<DirectoryDescription>,
    },
}

impl<'a> ToControl<'a> {
    /// Appends the message's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut w = Writer(out);
        match self {
            ToControl::Hello {
                generation,
                shard,
                shards,
            } => {
                w.u8(1);
                w.u64(*generation);
                w.u16(*shard);
                w.u16(*shards);
            }
            ToControl::Request {
                token,
                connection,
                last,
                origin,
                bytes,
            } => {
                w.u8(2);
                w.u64(*token);
                w.u64(*connection);
                w.u8(u8::from(*last));
                w.text(origin.peer);
                w.text(origin.listener);
                w.text(origin.principal);
                w.text(origin.software_name);
                w.text(origin.software_version);
                w.0.extend_from_slice(bytes);
            }
            ToControl::EnsureTopics { token, names } => {
                w.u8(3);
                w.u64(*token);
                w.u16(names.len() as u16);
                for name in names {
                    w.text(name);
                }
            }
            ToControl::ImageApplied { version } => {
                w.u8(4);
                w.u64(*version);
            }
            ToControl::LogState { log, error } => {
                w.u8(5);
                w.u64(log.0);
                w.i16(error.map_or(0, ErrorCode::code));
            }
            ToControl::ConnectionClosed { connection } => {
                w.u8(6);
                w.u64(*connection);
            }
            ToControl::OwnResponse { token, last, bytes } => {
                w.u8(7);
                w.u64(*token);
                w.u8(u8::from(*last));
                w.0.extend_from_slice(bytes);
            }
            ToControl::LogDescriptions {
                token,
                last,
                entries,
            } => {
                w.u8(20);
                w.u64(*token);
                w.u8(u8::from(*last));
                w.u16(entries.len() as u16);
                for entry in entries {
                    entry.write(&mut w);
                }
            }
            ToControl::DirectoryDescriptions { token, directories } => {
                w.u8(21);
                w.u64(*token);
                w.u16(directories.len() as u16);
                for directory in directories {
                    directory.write(&mut w);
                }
            }
        }
    }

    /// Reads one message that fills `bytes`.
    ///
    /// # Errors
    /// The bytes are not one whole, known message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let message = match r.u8()? {
            1 => ToControl::Hello {
                generation: r.u64()?,
                shard: r.u16()?,
                shards: r.u16()?,
            },
            2 => ToControl::Request {
                token: r.u64()?,
                connection: r.u64()?,
                last: r.bool()?,
                origin: Origin {
                    peer: r.text()?,
                    listener: r.text()?,
                    principal: r.text()?,
                    software_name: r.text()?,
                    software_version: r.text()?,
                },
                bytes: r.rest(),
            },
            3 => {
                let token = r.u64()?;
                let count = r.u16()?;
                // Not reserved by `count`: a name takes two bytes at least, the bytes bound it.
                let mut names = Vec::new();
                for _ in 0..count {
                    names.push(r.text()?);
                }
                ToControl::EnsureTopics { token, names }
            }
            4 => ToControl::ImageApplied { version: r.u64()? },
            5 => {
                let log = LogUid(r.u64()?);
                let error = match ErrorCode::from_code(r.i16()?) {
                    Some(ErrorCode::None) => None,
                    Some(error) => Some(error),
                    None => return Err(Malformed("an unknown error code")),
                };
                ToControl::LogState { log, error }
            }
            6 => ToControl::ConnectionClosed {
                connection: r.u64()?,
            },
            7 => ToControl::OwnResponse {
                token: r.u64()?,
                last: r.bool()?,
                bytes: r.rest(),
            },
            20 => {
                let token = r.u64()?;
                let last = r.bool()?;
                let count = r.u16()?;
                let mut entries = Vec::new();
                for _ in 0..count {
                    entries.push(LogDescription::read(&mut r)?);
                }
                ToControl::LogDescriptions {
                    token,
                    last,
                    entries,
                }
            }
            21 => {
                let token = r.u64()?;
                let count = r.u16()?;
                let mut directories = Vec::new();
                for _ in 0..count {
                    directories.push(DirectoryDescription::read(&mut r)?);
                }
                ToControl::DirectoryDescriptions { token, directories }
            }
            _ => return Err(Malformed("an unknown kind")),
        };
        r.end()?;
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_round_trips_and_no_cut_is_accepted_as_another() {
        let origin = Origin {
            peer: "10.0.0.1:5",
            listener: "PLAINTEXT",
            principal: "User:ANONYMOUS",
            software_name: "kafka-client",
            software_version: "4.3.1",
        };
        let messages = [
            ToControl::Hello {
                generation: 7,
                shard: 1,
                shards: 2,
            },
            ToControl::Request {
                token: 1,
                connection: 2,
                last: true,
                origin,
                bytes: b"frame",
            },
            ToControl::EnsureTopics {
                token: 9,
                names: vec!["a", "bc"],
            },
            ToControl::ImageApplied { version: u64::MAX },
            ToControl::LogState {
                log: LogUid(4),
                error: Some(ErrorCode::KafkaStorageError),
            },
            ToControl::LogState {
                log: LogUid(4),
                error: None,
            },
            ToControl::ConnectionClosed { connection: 3 },
            ToControl::OwnResponse {
                token: 4,
                last: false,
                bytes: b"answer",
            },
            ToControl::LogDescriptions {
                token: 8,
                last: true,
                entries: vec![],
            },
            ToControl::LogDescriptions {
                token: 8,
                last: false,
                entries: vec![LogDescription {
                    log: LogUid(9),
                    log_start_offset: 1,
                    high_watermark: 2,
                    log_end_offset: 3,
                    size_bytes: 4,
                    memory_bytes: 5,
                    segments: 6,
                    directory: 11,
                    records_in: 7,
                    batches_in: 8,
                    bytes_in: 9,
                    bytes_out: 10,
                }],
            },
            ToControl::DirectoryDescriptions {
                token: 8,
                directories: vec![DirectoryDescription {
                    error: -5,
                    is_full: true,
                    partitions: 1,
                    total_bytes: 2,
                    usable_bytes: 3,
                }],
            },
        ];
        for message in messages {
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            assert_eq!(ToControl::decode(&bytes), Ok(message.clone()));
            for cut in 0..bytes.len() {
                assert_ne!(ToControl::decode(&bytes[..cut]), Ok(message.clone()));
            }
        }
    }
}
