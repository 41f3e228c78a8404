//! What a worker does with a batch: checks it, looks at its records, compresses them anew.

use super::spec::Spec;
use super::walk::{Rules, Window, walk_records};
use super::{Preparation, Prepared};
use crate::api::AppendError;
use precursor_compression::{Contexts, Decoder, Encoder, Recipe};
use precursor_protocol::records::{
    BatchHeaderMut, Codec, HEADER_LENGTH, ValidBatch, validate_produce,
};
use std::io::{self, ErrorKind, Write};

/// Memory for a rewritten batch that the next, smaller one gives back.
const REWRITTEN_BYTES_KEPT: usize = 256 << 10;

/// One worker's memory: bounded by the longest record that a topic takes, and by the codecs' own.
#[derive(Default)]
pub(crate) struct Worker {
    decoding: Contexts,
    encoding: Contexts,
    window: Window,
}

impl Worker {
    /// Does the work on a batch.
    pub fn run(&mut self, mut job: Preparation) -> Preparation {
        job.rewritten.clear();
        if job.rewritten.capacity() > REWRITTEN_BYTES_KEPT.max(4 * job.length) {
            job.rewritten = Vec::new();
        }
        job.outcome = self.prepare(&mut job);
        job
    }

    /// The order of the checks is Kafka's (`UnifiedLog.append`, `LogValidator`).
    fn prepare(&mut self, job: &mut Preparation) -> Result<Prepared, AppendError> {
        let spec = job.spec;
        let sent = &mut job.records[..job.length];
        let valid = validate_produce(Some(sent), &spec.limits)?;
        if valid.batch.is_transactional() && !spec.transactional {
            return Err(AppendError::InvalidTransactionState);
        }
        let recipe = spec.recipe(valid.batch.codec());
        let latest = match recipe {
            Some(recipe) => self.rewrite(&valid, recipe, &spec, &mut job.rewritten)?,
            None => self.look(&valid, &spec)?,
        };
        let records = valid.records;
        let batch = match recipe {
            Some(_) => &mut job.rewritten[..],
            None => sent,
        };
        finish(batch, recipe, latest, &spec)?;
        Ok(Prepared {
            is_rewritten: recipe.is_some(),
            records,
            log_append_time_ms: spec.log_append_time_ms,
        })
    }

    /// Looks at the records of a batch that stays as it is; its largest timestamp.
    fn look(&mut self, valid: &ValidBatch<'_>, spec: &Spec) -> Result<i64, AppendError> {
        let batch = &valid.batch;
        let decoder = decoder(&mut self.decoding, valid, spec)?;
        let latest = walk_records(decoder, &mut self.window, &rules(valid, spec), |_| Ok(()))?;
        Ok(batch.base_timestamp().saturating_add(latest))
    }

    /// Writes the batch anew into `out`; its largest timestamp.
    fn rewrite(
        &mut self,
        valid: &ValidBatch<'_>,
        recipe: Recipe,
        spec: &Spec,
        out: &mut Vec<u8>,
    ) -> Result<i64, AppendError> {
        let batch = &valid.batch;
        out.extend_from_slice(valid.header());
        let is_plain = batch.codec() == Codec::None;
        let plain_bytes = is_plain.then(|| batch.record_bytes().len() as u64);
        let length_max = spec.limits.batch_bytes_max;
        let contexts = &mut self.encoding;
        let encoder = Encoder::new(recipe, plain_bytes, out, length_max, contexts);
        let mut encoder = encoder.map_err(refusal)?;
        let latest = if is_plain && !spec.keys {
            // Every record was looked at when the batch was validated.
            encoder.write_all(batch.record_bytes()).map_err(refusal)?;
            valid.max_timestamp
        } else {
            let decoder = decoder(&mut self.decoding, valid, spec)?;
            let rules = rules(valid, spec);
            let latest = walk_records(decoder, &mut self.window, &rules, |plain| {
                encoder.write_all(plain).map_err(refusal)
            })?;
            batch.base_timestamp().saturating_add(latest)
        };
        encoder.finish().map_err(refusal)?;
        Ok(latest)
    }
}

fn decoder<'a>(
    contexts: &'a mut Contexts,
    valid: &ValidBatch<'a>,
    spec: &Spec,
) -> Result<Decoder<'a>, AppendError> {
    let (codec, bytes) = (valid.batch.codec(), valid.batch.record_bytes());
    let decoder = Decoder::new(codec, bytes, spec.plain.record_bytes_max, contexts);
    decoder.map_err(|_| AppendError::InvalidRecord)
}

fn rules(valid: &ValidBatch<'_>, spec: &Spec) -> Rules {
    Rules {
        count: valid.batch.record_count(),
        limits: spec.plain,
        keys: spec.keys,
    }
}

/// A batch that grows past `max.message.bytes` is refused as one that came so (Kafka:
/// `UnifiedLog.append`, after the messages' sizes may have changed).
fn refusal(error: io::Error) -> AppendError {
    match error.kind() {
        ErrorKind::FileTooLarge => AppendError::TooLarge,
        _ => AppendError::InvalidRecord,
    }
}

/// The header of the batch as it is to be stored, but for offset and leader epoch.
fn finish(
    batch: &mut [u8],
    recipe: Option<Recipe>,
    latest: i64,
    spec: &Spec,
) -> Result<(), AppendError> {
    debug_assert!(batch.len() >= HEADER_LENGTH);
    let mut header = BatchHeaderMut::of_rewritten(batch);
    if let Some(recipe) = recipe {
        header.set_codec(recipe.codec);
    }
    match spec.log_append_time_ms {
        Some(time) => header.set_log_append_time(time),
        None if recipe.is_some() || header.view().max_timestamp() != latest => {
            header.set_max_timestamp(latest);
        }
        None => {}
    }
    Ok(())
}
