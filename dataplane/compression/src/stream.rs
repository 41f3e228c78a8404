//! One codec or another, as a stream.

use crate::output::Output;
use crate::{Recipe, gzip, invalid, lz4_frame, snappy, zstd_frame};
use precursor_protocol::records::Codec;
use std::io::{self, Read, Write};

/// Memory of the codecs that is worth keeping from one batch to the next.
#[derive(Default)]
pub struct Contexts {
    compressor: Option<zstd_frame::Compressor>,
    decompressor: Option<zstd_frame::Decompressor>,
    deflate: Option<gzip::Compressor>,
    inflate: Option<flate2::Decompress>,
    lz4: lz4_frame::Memory,
    lz4_plain: Vec<u8>,
}

enum EncoderOf<'a> {
    Plain(Output<'a>),
    Gzip(gzip::Encoder<'a>),
    Snappy(Box<snappy::Encoder<'a>>),
    Lz4(Box<lz4_frame::Encoder<'a>>),
    Zstd(zstd_frame::Encoder<'a>),
}

/// Compresses what is written to it. Nothing is complete before [`Encoder::finish`].
pub struct Encoder<'a>(EncoderOf<'a>);

impl<'a> Encoder<'a> {
    /// Appends to `out`, which must not become longer than `length_max`. `plain_bytes` is what will be
    /// written in all, where that is known.
    ///
    /// # Errors
    /// The codec is unknown, or its library refuses.
    pub fn new(
        recipe: Recipe,
        plain_bytes: Option<u64>,
        out: &'a mut Vec<u8>,
        length_max: usize,
        contexts: &'a mut Contexts,
    ) -> io::Result<Encoder<'a>> {
        let output = Output {
            bytes: out,
            length_max,
        };
        Ok(Encoder(match recipe.codec {
            Codec::None => EncoderOf::Plain(output),
            Codec::Gzip => {
                let kept = &mut contexts.deflate;
                EncoderOf::Gzip(gzip::Encoder::new(recipe.level, output, kept))
            }
            Codec::Snappy => EncoderOf::Snappy(Box::new(snappy::Encoder::new(output)?)),
            Codec::Lz4 => EncoderOf::Lz4(Box::new(lz4_frame::Encoder::new(
                recipe.level,
                output,
                &mut contexts.lz4,
            )?)),
            Codec::Zstd => {
                let kept = &mut contexts.compressor;
                let encoder = zstd_frame::encoder(recipe.level, plain_bytes, output, kept)?;
                EncoderOf::Zstd(encoder)
            }
            Codec::Unknown(_) => return Err(invalid("the codec is unknown")),
        }))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] when `out` would become too long.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            EncoderOf::Plain(_) => Ok(()),
            EncoderOf::Gzip(encoder) => encoder.finish(),
            EncoderOf::Snappy(encoder) => encoder.finish(),
            EncoderOf::Lz4(encoder) => encoder.finish(),
            EncoderOf::Zstd(encoder) => encoder.finish().map(drop),
        }
    }
}

impl Write for Encoder<'_> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            EncoderOf::Plain(output) => output.write(plain),
            EncoderOf::Gzip(encoder) => encoder.write(plain),
            EncoderOf::Snappy(encoder) => encoder.write(plain),
            EncoderOf::Lz4(encoder) => encoder.write(plain),
            EncoderOf::Zstd(encoder) => encoder.write(plain),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum DecoderOf<'a> {
    Plain(&'a [u8]),
    Gzip(gzip::Decoder<'a>),
    Snappy(snappy::Decoder<'a>),
    Lz4(lz4_frame::Decoder<'a>),
    Zstd(zstd_frame::Decoder<'a>),
}

/// Decompresses as it is read. Its own memory is bounded whatever the bytes say: by the window that
/// zstd may ask for (128 MiB), and by one block of snappy or lz4.
pub struct Decoder<'a>(DecoderOf<'a>);

impl<'a> Decoder<'a> {
    /// `block_bytes_max`: the longest block that is taken of a codec which decompresses block by
    /// block.
    ///
    /// # Errors
    /// The codec is unknown, or its library refuses.
    pub fn new(
        codec: Codec,
        compressed: &'a [u8],
        block_bytes_max: usize,
        contexts: &'a mut Contexts,
    ) -> io::Result<Decoder<'a>> {
        Ok(Decoder(match codec {
            Codec::None => DecoderOf::Plain(compressed),
            Codec::Gzip => DecoderOf::Gzip(gzip::Decoder::new(compressed, &mut contexts.inflate)),
            Codec::Snappy => DecoderOf::Snappy(snappy::Decoder::new(compressed, block_bytes_max)),
            Codec::Lz4 => DecoderOf::Lz4(lz4_frame::Decoder::new(
                compressed,
                &mut contexts.lz4_plain,
            )?),
            Codec::Zstd => {
                let kept = &mut contexts.decompressor;
                DecoderOf::Zstd(zstd_frame::decoder(compressed, kept)?)
            }
            Codec::Unknown(_) => return Err(invalid("the codec is unknown")),
        }))
    }

    /// After the last byte was read: whether the compressed bytes had come to their end.
    ///
    /// # Errors
    /// They are cut off.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            DecoderOf::Gzip(decoder) => decoder.finish(),
            DecoderOf::Lz4(decoder) => decoder.finish(),
            _ => Ok(()),
        }
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, plain: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            DecoderOf::Plain(decoder) => decoder.read(plain),
            DecoderOf::Gzip(decoder) => decoder.read(plain),
            DecoderOf::Snappy(decoder) => decoder.read(plain),
            DecoderOf::Lz4(decoder) => decoder.read(plain),
            DecoderOf::Zstd(decoder) => decoder.read(plain),
        }
    }
}
