//! What a worker does with a batch: checks it, looks at its records, compresses them anew.

use super::spec::Spec;
use super::walk::{Rules, Window, walk_records};
use super::{By, Hardware, OpenDevices, Preparation, Prepared};
use crate::api::AppendError;
use precursor_compression::{Contexts, Decoder, Encoder, Recipe};
use precursor_protocol::records::{
    BatchHeaderMut, Codec, HEADER_LENGTH, ValidBatch, validate_produce,
};
use std::io::{self, ErrorKind, Write};

/// Memory for a rewritten batch that the next, smaller one gives back.
const REWRITTEN_BYTES_KEPT: usize = 256 << 10;

/// One worker's memory: bounded by the longest record that a topic takes, by the codecs' own, and by
/// what a device takes at once. Belongs to its thread.
pub(crate) struct Worker {
    decoding: Contexts,
    encoding: Contexts,
    window: Window,
    hardware: Hardware,
}

impl Worker {
    pub fn new(devices: OpenDevices) -> Worker {
        Worker {
            decoding: Contexts::default(),
            encoding: Contexts::default(),
            window: Window::default(),
            hardware: Hardware::open(devices),
        }
    }

    /// Does the work on a batch.
    pub fn run(&mut self, mut job: Preparation) -> Preparation {
        job.rewritten.clear();
        if job.rewritten.capacity() > REWRITTEN_BYTES_KEPT.max(4 * job.length) {
            job.rewritten = Vec::new();
        }
        job.by = By::default();
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
            Some(recipe) => {
                let (latest, by) = self.rewrite(&valid, recipe, &spec, &mut job.rewritten)?;
                job.by = by;
                latest
            }
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

    /// Writes the batch anew into `out`; its largest timestamp, and who compressed it.
    fn rewrite(
        &mut self,
        valid: &ValidBatch<'_>,
        recipe: Recipe,
        spec: &Spec,
        out: &mut Vec<u8>,
    ) -> Result<(i64, By), AppendError> {
        out.extend_from_slice(valid.header());
        if self.hardware.has(recipe)
            && let Some(latest) = self.gather(valid, spec)?
        {
            let by = self
                .hardware
                .compress(recipe, out, spec.limits.batch_bytes_max);
            if by != By::Device {
                let plain = &self.hardware.plain;
                let plain_bytes = Some(plain.len() as u64);
                let contexts = &mut self.encoding;
                encode(recipe, plain_bytes, spec, (out, contexts), |encoder| {
                    encoder.write_all(plain).map_err(refusal)
                })?;
            }
            return Ok((latest, by));
        }
        let batch = &valid.batch;
        let plain_bytes = (batch.codec() == Codec::None).then(|| batch.record_bytes().len() as u64);
        let (decoding, window) = (&mut self.decoding, &mut self.window);
        let latest = encode(
            recipe,
            plain_bytes,
            spec,
            (out, &mut self.encoding),
            |encoder| {
                each_piece((decoding, window), valid, spec, |plain| {
                    encoder.write_all(plain).map_err(refusal)
                })
            },
        )?;
        Ok((latest, By::Software))
    }

    /// Puts the batch's records before the devices; its largest timestamp, or `None` when they are
    /// more than a device takes.
    fn gather(&mut self, valid: &ValidBatch<'_>, spec: &Spec) -> Result<Option<i64>, AppendError> {
        let hardware = &mut self.hardware;
        hardware.clear();
        let mut fits = true;
        let source = (&mut self.decoding, &mut self.window);
        let latest = each_piece(source, valid, spec, |plain| {
            fits = fits && hardware.push(plain);
            Ok(())
        })?;
        Ok(fits.then_some(latest))
    }
}

/// Gives the batch's plain records piece by piece, and checks them; their largest timestamp.
fn each_piece(
    (decoding, window): (&mut Contexts, &mut Window),
    valid: &ValidBatch<'_>,
    spec: &Spec,
    mut take: impl FnMut(&[u8]) -> Result<(), AppendError>,
) -> Result<i64, AppendError> {
    let batch = &valid.batch;
    if batch.codec() == Codec::None && !spec.keys {
        // Every record was looked at when the batch was validated.
        take(batch.record_bytes())?;
        return Ok(valid.max_timestamp);
    }
    let decoder = decoder(decoding, valid, spec)?;
    let latest = walk_records(decoder, window, &rules(valid, spec), take)?;
    Ok(batch.base_timestamp().saturating_add(latest))
}

/// Compresses by software, behind `out`, what `write` gives.
fn encode<T>(
    recipe: Recipe,
    plain_bytes: Option<u64>,
    spec: &Spec,
    (out, contexts): (&mut Vec<u8>, &mut Contexts),
    write: impl FnOnce(&mut Encoder<'_>) -> Result<T, AppendError>,
) -> Result<T, AppendError> {
    let length_max = spec.limits.batch_bytes_max;
    let encoder = Encoder::new(recipe, plain_bytes, out, length_max, contexts);
    let mut encoder = encoder.map_err(refusal)?;
    let written = write(&mut encoder)?;
    encoder.finish().map_err(refusal)?;
    Ok(written)
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
