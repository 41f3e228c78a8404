//! Zstandard frames.

use crate::output::Output;
use std::io;
use zstd::stream::raw::DParameter;
use zstd::zstd_safe::{CCtx, CParameter, DCtx, ResetDirective};

/// Windows that are taken: 128 MiB, which is what level 22 writes. A frame that asks for more memory
/// is refused.
const WINDOW_LOG_MAX: u32 = 27;

/// Levels from here on would take a window, and tables, of many times a batch's size.
const LEVEL_OF_WIDE_WINDOWS: i32 = 7;
/// The window that they get: 2 MiB.
const WINDOW_LOG_WIDE: u32 = 21;

/// A context that is larger than this is not kept for the next batch.
const CONTEXT_BYTES_KEPT: usize = 16 << 20;

/// Of one compression after another.
pub(crate) struct Compressor(CCtx<'static>);

/// Of one decompression after another.
pub(crate) struct Decompressor(DCtx<'static>);

pub(crate) type Encoder<'a> = zstd::stream::write::Encoder<'a, Output<'a>>;
pub(crate) type Decoder<'a> = zstd::stream::read::Decoder<'a, &'a [u8]>;

fn failed(code: usize) -> io::Error {
    io::Error::other(zstd::zstd_safe::get_error_name(code))
}

impl Compressor {
    fn begin(&mut self, level: i32) -> io::Result<()> {
        let context = &mut self.0;
        let reset = context.reset(ResetDirective::SessionAndParameters);
        reset.map_err(failed)?;
        let mut set = |parameter| context.set_parameter(parameter).map_err(failed);
        set(CParameter::CompressionLevel(level))?;
        if level >= LEVEL_OF_WIDE_WINDOWS {
            set(CParameter::WindowLog(WINDOW_LOG_WIDE))?;
        }
        Ok(())
    }
}

/// The context of before, unless it grew large.
fn fresh<T>(kept: &mut Option<T>, bytes: impl Fn(&T) -> usize, make: impl Fn() -> T) -> &mut T {
    if kept
        .as_ref()
        .is_some_and(|kept| bytes(kept) > CONTEXT_BYTES_KEPT)
    {
        *kept = None;
    }
    kept.get_or_insert_with(make)
}

/// `plain_bytes`: what will be written in all, where that is known.
pub(crate) fn encoder<'a>(
    level: i32,
    plain_bytes: Option<u64>,
    output: Output<'a>,
    kept: &'a mut Option<Compressor>,
) -> io::Result<Encoder<'a>> {
    let bytes = |kept: &Compressor| kept.0.sizeof();
    let compressor = fresh(kept, bytes, || Compressor(CCtx::create()));
    compressor.begin(level)?;
    let mut raw = zstd::stream::raw::Encoder::with_context(&mut compressor.0);
    // Only now: `with_context` begins the session anew, and what was said of its length is forgotten.
    // Without it tables are made for a file of any size, 70 MB of them from level 15 on.
    raw.set_pledged_src_size(plain_bytes)?;
    Ok(Encoder::with_encoder(output, raw))
}

pub(crate) fn decoder<'a>(
    compressed: &'a [u8],
    kept: &'a mut Option<Decompressor>,
) -> io::Result<Decoder<'a>> {
    let bytes = |kept: &Decompressor| kept.0.sizeof();
    let decompressor = fresh(kept, bytes, || Decompressor(DCtx::create()));
    let reset = decompressor.0.reset(ResetDirective::SessionOnly);
    reset.map_err(failed)?;
    let window = decompressor
        .0
        .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX));
    window.map_err(failed)?;
    Ok(Decoder::with_context(compressed, &mut decompressor.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zstd::zstd_safe::get_frame_content_size;

    #[test]
    fn a_known_length_is_in_the_frame_and_bounds_the_memory() {
        let text: Vec<u8> = (0..25_000_u32).map(|n| ((n * n) >> 9) as u8).collect();
        for level in [1, 3, 7, 9, 15, 19, 22] {
            let (mut frame, mut kept) = (Vec::new(), None);
            // The second time with the context of the first.
            for _ in 0..2 {
                frame.clear();
                let output = Output {
                    bytes: &mut frame,
                    length_max: usize::MAX,
                };
                let length = Some(text.len() as u64);
                let mut encoder = encoder(level, length, output, &mut kept).unwrap();
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap();
            }
            assert_eq!(get_frame_content_size(&frame).unwrap(), Some(25_000));
            let bytes = kept.unwrap().0.sizeof();
            assert!(bytes < 4 << 20, "level {level} takes {bytes} bytes");
        }
    }
}
