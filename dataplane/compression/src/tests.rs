use super::*;

const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];

/// Recipes of every codec's extremes.
fn recipes() -> Vec<Recipe> {
    let levels: [(Codec, &[i32]); 5] = [
        (Codec::None, &[0]),
        (Codec::Gzip, &[-1, 1, 9]),
        (Codec::Snappy, &[0]),
        (Codec::Lz4, &[1, 9, 17]),
        (Codec::Zstd, &[-131_072, 0, 1, 3, 22]),
    ];
    let of = |(codec, levels): (Codec, &'static [i32])| {
        levels.iter().map(move |level| Recipe {
            codec,
            level: *level,
        })
    };
    levels.into_iter().flat_map(of).collect()
}

fn samples() -> Vec<Vec<u8>> {
    let text: Vec<u8> = b"to be or not to be, "
        .iter()
        .copied()
        .cycle()
        .take(100_001)
        .collect();
    // A multiplicative generator with a fixed seed: bytes that do not compress.
    let mut state = 42u64;
    let noise = (0..70_000).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    });
    vec![Vec::new(), vec![7], text, noise.collect()]
}

/// Zeros, compressed without ever being in memory whole.
fn bomb(codec: Codec, bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut contexts = Contexts::default();
    let recipe = Recipe::of(codec);
    let mut encoder = Encoder::new(recipe, None, &mut out, usize::MAX, &mut contexts).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..bytes >> 20 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap();
    out
}

#[test]
fn every_codec_returns_what_it_was_given_at_every_level() {
    for recipe in recipes() {
        for sample in samples() {
            let compressed = compress_with(recipe, &sample).unwrap();
            let plain = decompress(recipe.codec, &compressed).unwrap();
            assert_eq!(plain, sample, "{recipe:?}");
        }
    }
}

#[test]
fn contexts_serve_one_batch_after_another() {
    let mut contexts = Contexts::default();
    for recipe in recipes() {
        for sample in samples() {
            for plain_bytes in [None, Some(sample.len() as u64)] {
                let mut out = b"before".to_vec();
                let encoder =
                    Encoder::new(recipe, plain_bytes, &mut out, usize::MAX, &mut contexts);
                let mut encoder = encoder.unwrap();
                for piece in sample.chunks(777) {
                    encoder.write_all(piece).unwrap();
                }
                encoder.finish().unwrap();
                let compressed = out.strip_prefix(b"before").unwrap();
                let decoder = Decoder::new(recipe.codec, compressed, 1 << 20, &mut contexts);
                let mut decoder = decoder.unwrap();
                let mut plain = Vec::new();
                decoder.read_to_end(&mut plain).unwrap();
                decoder.finish().unwrap();
                assert_eq!(plain, sample, "{recipe:?}");
            }
        }
    }
}

#[test]
fn an_encoding_that_fails_half_way_leaves_nothing_behind() {
    let mut contexts = Contexts::default();
    for recipe in recipes() {
        let noise = &samples()[3];
        let mut out = Vec::new();
        let encoder = Encoder::new(recipe, None, &mut out, 1_000, &mut contexts);
        let mut encoder = encoder.unwrap();
        let written = encoder.write_all(noise).and_then(|()| encoder.finish());
        let error = written.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{recipe:?}");
        assert!(out.len() <= 1_000);
        // The next batch finds the contexts as good as new.
        let mut out = Vec::new();
        let encoder = Encoder::new(recipe, None, &mut out, 200_000, &mut contexts);
        let mut encoder = encoder.unwrap();
        encoder.write_all(noise).unwrap();
        encoder.finish().unwrap();
        assert_eq!(&decompress(recipe.codec, &out).unwrap(), noise);
    }
}

#[test]
fn a_raw_snappy_block_is_read_too() {
    let block = snap::raw::Encoder::new()
        .compress_vec(b"hello hello hello")
        .unwrap();
    let plain = decompress(Codec::Snappy, &block).unwrap();
    assert_eq!(plain, b"hello hello hello");
}

#[test]
fn cut_and_foreign_bytes_are_refused() {
    for codec in CODECS.into_iter().skip(1) {
        let compressed = compress(codec, &samples()[2]).unwrap();
        for cut in [1, compressed.len() / 2, compressed.len() - 1] {
            let cut = decompress(codec, &compressed[..cut]);
            assert!(cut.is_err(), "{codec:?}");
        }
        let foreign = decompress(codec, b"this was never compressed");
        assert!(foreign.is_err(), "{codec:?}");
    }
}

#[test]
fn bombs_of_a_gibibyte_are_refused_after_the_bytes_that_are_allowed() {
    for codec in CODECS.into_iter().skip(1) {
        let bomb = bomb(codec, 1 << 30);
        assert!(bomb.len() < 60 << 20, "{codec:?}: {} bytes", bomb.len());
        let refuse = || {
            let began = std::time::Instant::now();
            let error = decompress_bounded(codec, &bomb, 1 << 20).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge, "{codec:?}");
            assert!(error.to_string().contains("1048576"), "{codec:?}: {error}");
            began.elapsed().as_millis()
        };
        // A mebibyte's worth of time, not a gibibyte's, unless the machine stands still each time.
        assert!((0..10).any(|_| refuse() < 500), "{codec:?}");
    }
}

#[test]
fn zstd_within_zstd_gives_the_inner_frame_and_no_more() {
    let inner = bomb(Codec::Zstd, 512 << 20);
    let outer = compress(Codec::Zstd, &inner).unwrap();
    assert_eq!(decompress(Codec::Zstd, &outer).unwrap(), inner);
}

#[test]
fn windows_up_to_level_22_are_read_and_larger_ones_refused() {
    // A frame's header: magic, no checksum and no size, the window's logarithm less 10 in five bits;
    // then one last block, raw and empty.
    let frame = |window_log: u8| {
        let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (window_log - 10) << 3];
        frame.extend_from_slice(&[1, 0, 0]);
        frame
    };
    assert_eq!(decompress(Codec::Zstd, &frame(27)).unwrap(), b"");
    for window_log in [28, 31, 41] {
        assert!(decompress(Codec::Zstd, &frame(window_log)).is_err());
    }
}

#[test]
fn a_snappy_length_that_lies_is_refused_before_memory_is_taken() {
    for claim in [
        &[0xff, 0xff, 0xff, 0xff, 0x0f, 0][..],
        &[0x80, 0x80, 0x80, 0x40, 0, 0],
    ] {
        assert!(decompress(Codec::Snappy, claim).is_err());
        let mut stream = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
        stream.extend_from_slice(&(claim.len() as u32).to_be_bytes());
        stream.extend_from_slice(claim);
        assert!(decompress(Codec::Snappy, &stream).is_err());
    }
    let mut stream = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    stream.extend_from_slice(&u32::MAX.to_be_bytes());
    assert!(decompress(Codec::Snappy, &stream).is_err());
}

#[test]
fn an_lz4_frame_that_lies_is_refused() {
    let honest = compress(Codec::Lz4, &samples()[2]).unwrap();
    let mut lying = honest.clone();
    // The first block's size.
    lying[7..11].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    assert!(decompress(Codec::Lz4, &lying).is_err());
    let mut damaged = honest.clone();
    // The header's checksum.
    damaged[6] ^= 1;
    assert!(decompress(Codec::Lz4, &damaged).is_err());
}

/// A frame of the library's stream, with checksums of blocks and content or without.
fn library_frame(plain: &[u8], mode: lz4::BlockMode, checked: bool) -> Vec<u8> {
    use lz4::liblz4::BlockChecksum;
    let mut builder = lz4::EncoderBuilder::new();
    builder.block_mode(mode);
    if checked {
        builder.block_checksum(BlockChecksum::BlockChecksumEnabled);
        builder.checksum(lz4::ContentChecksum::ChecksumEnabled);
    } else {
        builder.block_checksum(BlockChecksum::NoBlockChecksum);
        builder.checksum(lz4::ContentChecksum::NoChecksum);
    }
    let mut encoder = builder.build(Vec::new()).unwrap();
    encoder.write_all(plain).unwrap();
    let (frame, ended) = encoder.finish();
    ended.unwrap();
    frame
}

#[test]
fn lz4_frames_are_the_librarys() {
    use lz4::BlockMode;
    for sample in samples() {
        for level in [1, 9, 17] {
            let codec = Codec::Lz4;
            let ours = compress_with(Recipe { codec, level }, &sample).unwrap();
            let mut plain = Vec::new();
            let mut stream = lz4::Decoder::new(&ours[..]).unwrap();
            stream.read_to_end(&mut plain).unwrap();
            stream.finish().1.unwrap();
            assert_eq!(plain, sample);
        }
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for checked in [false, true] {
                let frame = library_frame(&sample, mode.clone(), checked);
                assert_eq!(decompress(Codec::Lz4, &frame).unwrap(), sample);
            }
        }
        // The kind that clients write has the header that is known here.
        let theirs = library_frame(&sample, BlockMode::Independent, false);
        assert_eq!(theirs[..7], compress(Codec::Lz4, &sample).unwrap()[..7]);
    }
}

#[test]
fn blocks_of_an_lz4_frame_are_bounded_and_none_may_be_missing() {
    let header = &compress(Codec::Lz4, b"").unwrap()[..7];
    let frame = |blocks: &[(u32, &[u8])]| {
        let mut frame = header.to_vec();
        for (head, bytes) in blocks {
            frame.extend_from_slice(&head.to_le_bytes());
            frame.extend_from_slice(bytes);
        }
        frame
    };
    let raw = 1 << 31;
    let good = frame(&[(raw | 3, b"abc"), (raw, b""), (raw | 2, b"de"), (0, b"")]);
    assert_eq!(decompress(Codec::Lz4, &good).unwrap(), b"abcde");
    // What follows the end belongs to nobody.
    let more = [&good[..], b"more"].concat();
    assert_eq!(decompress(Codec::Lz4, &more).unwrap(), b"abcde");
    // Cut anywhere, also between two blocks.
    for length in 7..good.len() {
        assert!(decompress(Codec::Lz4, &good[..length]).is_err(), "{length}");
    }
    let long = vec![7; 65_537];
    assert!(decompress(Codec::Lz4, &frame(&[(raw | 65_537, &long), (0, b"")])).is_err());
    assert!(decompress(Codec::Lz4, &frame(&[(raw | 65_536, &long[1..]), (0, b"")])).is_ok());
    // A compressed block that is longer than 64 KiB when it is plain.
    let block = lz4::block::compress(&long, None, false).unwrap();
    let too_long = frame(&[(block.len() as u32, &block), (0, b"")]);
    assert!(decompress(Codec::Lz4, &too_long).is_err());
    // A compressed block that is no block.
    assert!(decompress(Codec::Lz4, &frame(&[(3, b"\xff\xff\xff"), (0, b"")])).is_err());
}

#[test]
fn what_follows_a_gzip_member_must_be_another_one() {
    let mut two = compress(Codec::Gzip, b"one ").unwrap();
    two.extend(compress(Codec::Gzip, b"two").unwrap());
    assert_eq!(decompress(Codec::Gzip, &two).unwrap(), b"one two");
    let mut garbage = compress(Codec::Gzip, b"one").unwrap();
    garbage.extend_from_slice(b"garbage that is no member");
    assert!(decompress(Codec::Gzip, &garbage).is_err());
}

#[test]
fn limits_follow_the_largest_message() {
    let usual = PlainLimits::of(1_048_588);
    assert_eq!(usual.batch_bytes_max, 256 * 1_048_588);
    assert_eq!(usual.record_bytes_max, 64 * 1_048_588);
    assert_eq!(usual.whole().batch_bytes_max, DECOMPRESSED_BYTES_MAX as u64);
    let small = PlainLimits::of(1_000);
    assert_eq!(small.batch_bytes_max, 64 << 20);
    assert_eq!(small.record_bytes_max, 64 << 20);
    let large = PlainLimits::of(104_857_600);
    assert_eq!(large.record_bytes_max, 256 << 20);
    assert_eq!(large.batch_bytes_max, 256 * 104_857_600);
}

#[test]
fn cold_codecs_return_what_they_were_given() {
    let records: Vec<String> = (0..2_000)
        .map(|n| {
            format!(
                "{{\"id\":{n},\"name\":\"user-{}\",\"city\":\"Bern\"}}",
                n * 7919 % 1000
            )
        })
        .collect();
    let dictionary = train_dictionary(&records).unwrap();
    let decompress_chunk =
        |codec, dictionary: Option<&[u8]>, compressed: &[u8], length| -> io::Result<Vec<u8>> {
            ColdDecompressor::new(dictionary)?.decompress(codec, compressed, length)
        };
    assert!(dictionary.len() <= DICTIONARY_BYTES_MAX);
    let levels: [(ColdCodec, &[i32]); 4] = [
        (ColdCodec::Stored, &[0]),
        (ColdCodec::Zstd, &[1, 19]),
        (ColdCodec::Brotli, &[0, 5, 11]),
        (ColdCodec::Lzma, &[0, 6, 9]),
    ];
    let small = records[17].clone().into_bytes();
    for (codec, levels) in levels {
        for level in levels {
            for dictionary in [None, Some(&dictionary[..])] {
                let mut compressor = ColdCompressor::new(codec, *level, dictionary).unwrap();
                for sample in samples().iter().chain([&small]) {
                    let compressed = compressor.compress(sample).unwrap();
                    let back = decompress_chunk(codec, dictionary, &compressed, sample.len());
                    assert_eq!(&back.unwrap(), sample, "{codec:?} {level}");
                    for wrong in [sample.len() + 1, sample.len().wrapping_sub(1)] {
                        let back = decompress_chunk(codec, dictionary, &compressed, wrong);
                        assert!(back.is_err(), "{codec:?} {level}");
                    }
                }
            }
        }
    }
    // Frames of earlier versions, which begin with zstd's number and name their dictionary, are read;
    // chunks have neither.
    let mut frames = zstd::bulk::Compressor::with_dictionary(9, &dictionary).unwrap();
    let mut chunks = ColdCompressor::new(ColdCodec::Zstd, 9, Some(&dictionary)).unwrap();
    for record in records.iter().take(50) {
        let frame = frames.compress(record.as_bytes()).unwrap();
        let chunk = chunks.compress(record.as_bytes()).unwrap();
        assert_eq!(chunk.len() + 8, frame.len());
        for form in [&frame, &chunk] {
            let back = decompress_chunk(ColdCodec::Zstd, Some(&dictionary), form, record.len());
            assert_eq!(back.unwrap(), record.as_bytes());
        }
    }
    // What a dictionary is for.
    let size = |dictionary| {
        let mut zstd = ColdCompressor::new(ColdCodec::Zstd, 3, dictionary).unwrap();
        zstd.compress(&small).unwrap().len()
    };
    assert!(2 * size(Some(&dictionary)) < size(None));
}
