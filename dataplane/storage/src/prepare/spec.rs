//! What a topic's options ask of a batch.

use crate::api::AppendOptions;
use precursor_compression::{PlainLimits, Recipe};
use precursor_model::{CompressionType, LogConfig, TimestampType};
use precursor_protocol::records::{BatchView, Codec, Limits};

/// What a worker is to know of the topic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// `None`: as the producer chose.
    target: Option<Recipe>,
    pub limits: Limits,
    pub plain: PlainLimits,
    /// Each record must have a key.
    pub keys: bool,
    /// Batches of transactions are let in.
    pub transactional: bool,
    /// Under LogAppendTime: when the batch came.
    pub log_append_time_ms: Option<i64>,
}

impl Spec {
    pub fn new(config: &LogConfig, options: AppendOptions) -> Spec {
        let batch_bytes_max = config.max_message_bytes as usize;
        let plain = PlainLimits::of(batch_bytes_max);
        let keys = config.cleanup_policy.compacts();
        let by_broker = config.message_timestamp_type == TimestampType::LogAppendTime;
        Spec {
            target: target(config),
            limits: Limits {
                batch_bytes_max,
                produce_version: options.produce_version,
            },
            plain: if keys { plain.whole() } else { plain },
            keys,
            transactional: options.transactional,
            log_append_time_ms: by_broker.then_some(options.now.wall_ms),
        }
    }

    /// How a batch in this codec is to be written anew; `None`: it stays as it is.
    pub fn recipe(&self, sent: Codec) -> Option<Recipe> {
        self.target.filter(|target| target.codec != sent)
    }
}

/// Whether a batch, which may be damaged, takes a processor's time before it can be appended.
pub(crate) fn must_prepare(config: &LogConfig, records: &[u8]) -> bool {
    let compacts = config.cleanup_policy.compacts();
    if config.compression_type == CompressionType::Producer && !compacts {
        return false;
    }
    // What is no batch is refused without a worker.
    let Ok(batch) = BatchView::parse(records) else {
        return false;
    };
    let sent = batch.codec();
    let other = target(config).is_some_and(|target| target.codec != sent);
    let known = !matches!(sent, Codec::Unknown(_));
    known && (other || compacts && sent != Codec::None)
}

fn target(config: &LogConfig) -> Option<Recipe> {
    let (codec, level) = match config.compression_type {
        CompressionType::Producer => return None,
        CompressionType::Uncompressed => (Codec::None, 0),
        CompressionType::Gzip => (Codec::Gzip, config.compression_gzip_level),
        CompressionType::Snappy => (Codec::Snappy, 0),
        CompressionType::Lz4 => (Codec::Lz4, config.compression_lz4_level),
        CompressionType::Zstd => (Codec::Zstd, config.compression_zstd_level),
    };
    Some(Recipe { codec, level })
}
