//! Control plane → data plane.

use super::codec::{Malformed, Reader, Writer};
use super::quota::{QuotaEntity, QuotaLimits};
use precursor_model::{ErrorCode, LogUid, TopicId};

/// One partition of the metadata image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    pub topic: TopicId,
    pub partition: i32,
    /// The local replica's log; `None` when this broker holds none.
    pub log: Option<LogUid>,
    /// The shard of this broker that owns the log.
    pub shard: u16,
    /// -1: no leader.
    pub leader: i32,
    pub leader_epoch: i32,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub offline: Vec<i32>,
}

/// A message of the control plane to a shard.
///
/// An image is `ImageBegin`, then `Cluster`, `Broker`, `Topic`, `TopicConfig`, `Partition`,
/// `TopicRemoved`, `ClientQuota` and `NodeOption` in any number, then `ImageEnd`. A full image
/// replaces all that was known (topics and quotas that it lacks are removed, options are as at the
/// start); the other kind changes what it names. Every shard gets every message.
#[derive(Clone, Debug, PartialEq)]
pub enum ToData<'a> {
    /// First message of a control plane's life: shards answer with their own `Hello`, and know that
    /// requests which the earlier control plane took are lost.
    Hello {
        generation: u64,
    },
    /// The answer to a [`super::ToControl::Request`]: the frame without its length prefix.
    Response {
        token: u64,
        last: bool,
        bytes: &'a [u8],
    },
    /// The request with this token cannot be answered; its connection is to be closed.
    Refused {
        token: u64,
    },
    /// The answer to `EnsureTopics`: an error for each name (`ErrorCode::None`: it exists and is
    /// part of an image that this shard has been sent before this message).
    TopicsEnsured {
        token: u64,
        outcomes: Vec<(&'a str, ErrorCode)>,
    },
    ImageBegin {
        version: u64,
        full: bool,
    },
    Cluster {
        cluster_id: &'a str,
        controller_id: i32,
        node_id: i32,
    },
    /// A broker and its advertised address. A port of 0 for the receiving broker itself stands for
    /// the address it is bound to.
    Broker {
        id: i32,
        host: &'a str,
        port: u16,
        rack: &'a str,
    },
    Topic {
        id: TopicId,
        name: &'a str,
        internal: bool,
        partition_count: u32,
    },
    /// One option of a topic that is not at its default (`precursor_model::LogConfig::set`).
    TopicConfig {
        id: TopicId,
        name: &'a str,
        value: &'a str,
    },
    Partition(PartitionImage),
    TopicRemoved {
        id: TopicId,
    },
    ImageEnd {
        version: u64,
    },
    /// A Kafka request of the broker itself: a piece of the frame without its length prefix. The
    /// pieces of one request come one after another. Answered by [`super::ToControl::OwnResponse`];
    /// all that is not answered is forgotten with either side's next hello.
    OwnRequest {
        token: u64,
        last: bool,
        bytes: &'a [u8],
    },
    /// A piece of the response to the [`super::ToControl::Request`] with this `token`, which leaves
    /// as soon as the own request with the token `own` has appended what it brought. Comes before
    /// that request; forgotten when the request fails, and then the control plane responds.
    Held {
        own: u64,
        token: u64,
        last: bool,
        bytes: &'a [u8],
    },
    /// The quota of a user, a client id or both; empty limits remove it.
    ClientQuota {
        user: QuotaEntity<'a>,
        client_id: QuotaEntity<'a>,
        limits: QuotaLimits,
    },
    /// An option of the node that is not as at the start of the data plane, with the value that is
    /// in force (`topic.*`: the default of topics that do not set it).
    NodeOption {
        name: &'a str,
        value: &'a str,
    },
    /// Asks for a [`super::LogDescription`] of every log of the shard.
    DescribeLogs {
        token: u64,
    },
}

impl<'a> ToData<'a> {
    /// Appends the message's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut w = Writer(out);
        match self {
            ToData::Hello { generation } => {
                w.u8(1);
                w.u64(*generation);
            }
            ToData::Response { token, last, bytes } => {
                w.u8(2);
                w.u64(*token);
                w.u8(u8::from(*last));
                w.0.extend_from_slice(bytes);
            }
            ToData::Refused { token } => {
                w.u8(3);
                w.u64(*token);
            }
            ToData::TopicsEnsured { token, outcomes } => {
                w.u8(4);
                w.u64(*token);
                w.u16(outcomes.len() as u16);
                for (name, error) in outcomes {
                    w.text(name);
                    w.i16(error.code());
                }
            }
            ToData::OwnRequest { token, last, bytes } => {
                w.u8(13);
                w.u64(*token);
                w.u8(u8::from(*last));
                w.0.extend_from_slice(bytes);
            }
            ToData::DescribeLogs { token } => {
                w.u8(22);
                w.u64(*token);
            }
            ToData::Held {
                own,
                token,
                last,
                bytes,
            } => {
                w.u8(23);
                w.u64(*own);
                w.u64(*token);
                w.u8(u8::from(*last));
                w.0.extend_from_slice(bytes);
            }
            image => image.encode_image(&mut w),
        }
    }

    /// Writes a message that is part of an image.
    fn encode_image(&self, w: &mut Writer<'_>) {
        match self {
            ToData::ImageBegin { version, full } => {
                w.u8(5);
                w.u64(*version);
                w.u8(u8::from(*full));
            }
            ToData::Cluster {
                cluster_id,
                controller_id,
                node_id,
            } => {
                w.u8(6);
                w.text(cluster_id);
                w.i32(*controller_id);
                w.i32(*node_id);
            }
            ToData::Broker {
                id,
                host,
                port,
                rack,
            } => {
                w.u8(7);
                w.i32(*id);
                w.text(host);
                w.u16(*port);
                w.text(rack);
            }
            ToData::Topic {
                id,
                name,
                internal,
                partition_count,
            } => {
                w.u8(8);
                w.0.extend_from_slice(&id.0);
                w.text(name);
                w.u8(u8::from(*internal));
                w.u32(*partition_count);
            }
            ToData::TopicConfig { id, name, value } => {
                w.u8(9);
                w.0.extend_from_slice(&id.0);
                w.text(name);
                w.text(value);
            }
            ToData::Partition(partition) => {
                w.u8(10);
                w.0.extend_from_slice(&partition.topic.0);
                w.i32(partition.partition);
                w.u64(partition.log.map_or(0, |log| log.0));
                w.u16(partition.shard);
                w.i32(partition.leader);
                w.i32(partition.leader_epoch);
                w.list_i32(&partition.replicas);
                w.list_i32(&partition.isr);
                w.list_i32(&partition.offline);
            }
            ToData::TopicRemoved { id } => {
                w.u8(11);
                w.0.extend_from_slice(&id.0);
            }
            ToData::ImageEnd { version } => {
                w.u8(12);
                w.u64(*version);
            }
            ToData::ClientQuota {
                user,
                client_id,
                limits,
            } => {
                w.u8(20);
                user.write(w);
                client_id.write(w);
                limits.write(w);
            }
            ToData::NodeOption { name, value } => {
                w.u8(21);
                w.text(name);
                w.text(value);
            }
            // Not of an image: written by `encode`.
            _ => {}
        }
    }

    /// Reads one message that fills `bytes`.
    ///
    /// # Errors
    /// The bytes are not one whole, known message.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let message = match r.u8()? {
            1 => ToData::Hello {
                generation: r.u64()?,
            },
            2 => ToData::Response {
                token: r.u64()?,
                last: r.bool()?,
                bytes: r.rest(),
            },
            3 => ToData::Refused { token: r.u64()? },
            4 => {
                let token = r.u64()?;
                let count = r.u16()?;
                let mut outcomes = Vec::new();
                for _ in 0..count {
                    let name = r.text()?;
                    let error =
                        ErrorCode::from_code(r.i16()?).ok_or(Malformed("an unknown error code"))?;
                    outcomes.push((name, error));
                }
                ToData::TopicsEnsured { token, outcomes }
            }
            5 => ToData::ImageBegin {
                version: r.u64()?,
                full: r.bool()?,
            },
            6 => ToData::Cluster {
                cluster_id: r.text()?,
                controller_id: r.i32()?,
                node_id: r.i32()?,
            },
            7 => ToData::Broker {
                id: r.i32()?,
                host: r.text()?,
                port: r.u16()?,
                rack: r.text()?,
            },
            8 => ToData::Topic {
                id: TopicId(r.id()?),
                name: r.text()?,
                internal: r.bool()?,
                partition_count: r.u32()?,
            },
            9 => ToData::TopicConfig {
                id: TopicId(r.id()?),
                name: r.text()?,
                value: r.text()?,
            },
            10 => ToData::Partition(decode_partition(&mut r)?),
            11 => ToData::TopicRemoved {
                id: TopicId(r.id()?),
            },
            12 => ToData::ImageEnd { version: r.u64()? },
            13 => ToData::OwnRequest {
                token: r.u64()?,
                last: r.bool()?,
                bytes: r.rest(),
            },
            20 => ToData::ClientQuota {
                user: QuotaEntity::read(&mut r)?,
                client_id: QuotaEntity::read(&mut r)?,
                limits: QuotaLimits::read(&mut r)?,
            },
            21 => ToData::NodeOption {
                name: r.text()?,
                value: r.text()?,
            },
            22 => ToData::DescribeLogs { token: r.u64()? },
            23 => ToData::Held {
                own: r.u64()?,
                token: r.u64()?,
                last: r.bool()?,
                bytes: r.rest(),
            },
            _ => return Err(Malformed("an unknown kind")),
        };
        r.end()?;
        Ok(message)
    }
}

fn decode_partition(r: &mut Reader<'_>) -> Result<PartitionImage, Malformed> {
    Ok(PartitionImage {
        topic: TopicId(r.id()?),
        partition: r.i32()?,
        log: Some(r.u64()?).filter(|uid| *uid != 0).map(LogUid),
        shard: r.u16()?,
        leader: r.i32()?,
        leader_epoch: r.i32()?,
        replicas: r.list_i32()?,
        isr: r.list_i32()?,
        offline: r.list_i32()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_round_trips_and_no_cut_is_accepted_as_another() {
        let id = TopicId([7; 16]);
        let messages = [
            ToData::Hello { generation: 3 },
            ToData::Response {
                token: 1,
                last: false,
                bytes: b"answer",
            },
            ToData::Refused { token: 5 },
            ToData::TopicsEnsured {
                token: 2,
                outcomes: vec![
                    ("a", ErrorCode::None),
                    ("b c", ErrorCode::InvalidTopicException),
                ],
            },
            ToData::ImageBegin {
                version: 8,
                full: true,
            },
            ToData::Cluster {
                cluster_id: "c",
                controller_id: 1,
                node_id: 1,
            },
            ToData::Broker {
                id: 1,
                host: "localhost",
                port: 9092,
                rack: "",
            },
            ToData::Topic {
                id,
                name: "t",
                internal: false,
                partition_count: 3,
            },
            ToData::TopicConfig {
                id,
                name: "retention.ms",
                value: "1",
            },
            ToData::Partition(PartitionImage {
                topic: id,
                partition: 2,
                log: Some(LogUid(12)),
                shard: 0,
                leader: 1,
                leader_epoch: 4,
                replicas: vec![1, 2],
                isr: vec![1],
                offline: vec![],
            }),
            ToData::TopicRemoved { id },
            ToData::ImageEnd { version: 8 },
            ToData::OwnRequest {
                token: 9,
                last: true,
                bytes: b"frame",
            },
            ToData::ClientQuota {
                user: QuotaEntity::Name("alice"),
                client_id: QuotaEntity::Default,
                limits: QuotaLimits {
                    producer_byte_rate: Some(1024.5),
                    consumer_byte_rate: None,
                    request_percentage: Some(0.0),
                },
            },
            ToData::ClientQuota {
                user: QuotaEntity::Any,
                client_id: QuotaEntity::Name(""),
                limits: QuotaLimits::default(),
            },
            ToData::NodeOption {
                name: "connections.max",
                value: "12",
            },
            ToData::DescribeLogs { token: 3 },
            ToData::Held {
                own: 9,
                token: 4,
                last: true,
                bytes: b"answer",
            },
        ];
        for message in messages {
            let mut bytes = Vec::new();
            message.encode(&mut bytes);
            assert_eq!(ToData::decode(&bytes), Ok(message.clone()));
            for cut in 0..bytes.len() {
                assert_ne!(ToData::decode(&bytes[..cut]), Ok(message.clone()));
            }
        }
    }

    #[test]
    fn a_rate_that_is_none_is_malformed() {
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            let mut bytes = Vec::new();
            ToData::ClientQuota {
                user: QuotaEntity::Any,
                client_id: QuotaEntity::Default,
                limits: QuotaLimits {
                    consumer_byte_rate: Some(rate),
                    ..QuotaLimits::default()
                },
            }
            .encode(&mut bytes);
            assert!(ToData::decode(&bytes).is_err(), "{rate}");
        }
    }
}
