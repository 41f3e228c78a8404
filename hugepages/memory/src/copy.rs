//! Copying into memory that is not in the caches and will not be read from them.
//!
//! An ordinary store first fetches the line that it changes. For a large batch on its way into a log
//! that fetch is half of the traffic with memory, and it drives out of the caches what is needed
//! next. Non-temporal stores gather a line in the processor and write it whole. What is copied so is
//! in memory afterwards, not in a cache: a reader that comes soon waits for it. `cargo run --release -p precursor-memory --example
//! copy` measures both ways.

/// From this length on the stores that go past the caches are faster into cold memory; below, a
/// reader is likely to come while the bytes would still be near.
pub const STREAMED_BYTES_MIN: usize = 16 << 10;

/// Copies `from` to `to`, which are equally long, past the caches where that is faster. When it
/// returns, the bytes are there for whoever acquires what this thread releases after it.
///
/// # Panics
/// As [`slice::copy_from_slice`], when the lengths differ.
#[inline]
pub fn copy_to_cold(to: &mut [u8], from: &[u8]) {
    assert_eq!(to.len(), from.len(), "as long as what is copied");
    #[cfg(target_arch = "x86_64")]
    if from.len() >= STREAMED_BYTES_MIN {
        return stream(to, from);
    }
    to.copy_from_slice(from);
}

/// By the widest stores that the processor has.
#[cfg(target_arch = "x86_64")]
fn stream(to: &mut [u8], from: &[u8]) {
    // Whole lines, or the processor has to fetch them after all.
    let head = to.as_ptr().align_offset(LINE).min(to.len());
    let lines = (to.len() - head) / LINE * LINE;
    to[..head].copy_from_slice(&from[..head]);
    let (to_lines, from_lines) = (&mut to[head..head + lines], &from[head..head + lines]);
    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512F, asked just above.
        unsafe { stream_512(to_lines, from_lines) };
    } else {
        stream_128(to_lines, from_lines);
    }
    // Such stores are in no order with others. This one puts them before everything that follows,
    // as whoever publishes the bytes with a release store expects.
    // SAFETY: part of SSE, which every x86-64 has.
    unsafe { std::arch::x86_64::_mm_sfence() };
    to[head + lines..].copy_from_slice(&from[head + lines..]);
}

/// Bytes of a cache line.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Both of whole lines, equally many, and `to` on a line's boundary.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn stream_512(to: &mut [u8], from: &[u8]) {
    use std::arch::x86_64::{__m512i, _mm512_loadu_si512, _mm512_stream_si512};
    let (to, _) = to.as_chunks_mut::<LINE>();
    let (from, _) = from.as_chunks::<LINE>();
    let mut quads = to.chunks_exact_mut(4).zip(from.chunks_exact(4));
    for (to, from) in &mut quads {
        // All four are read before one is written: that many lines are on their way at a time.
        // SAFETY: 64 bytes that are there, at any alignment.
        let read = |line: &[u8; LINE]| unsafe { _mm512_loadu_si512(line.as_ptr().cast()) };
        let lines = [
            read(&from[0]),
            read(&from[1]),
            read(&from[2]),
            read(&from[3]),
        ];
        for (to, line) in to.iter_mut().zip(lines) {
            // SAFETY: 64 bytes of its own, on a boundary of 64 as the caller says.
            unsafe { _mm512_stream_si512(to.as_mut_ptr().cast::<__m512i>(), line) };
        }
    }
    let done = to.len() / 4 * 4;
    for (to, from) in to[done..].iter_mut().zip(&from[done..]) {
        // SAFETY: as above.
        unsafe {
            let line = _mm512_loadu_si512(from.as_ptr().cast());
            _mm512_stream_si512(to.as_mut_ptr().cast::<__m512i>(), line);
        }
    }
}

/// As [`stream_512`], by what every x86-64 has.
#[cfg(target_arch = "x86_64")]
fn stream_128(to: &mut [u8], from: &[u8]) {
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
    let (to, _) = to.as_chunks_mut::<LINE>();
    let (from, _) = from.as_chunks::<LINE>();
    for (to, from) in to.iter_mut().zip(from) {
        let from = from.as_ptr().cast::<__m128i>();
        let to = to.as_mut_ptr().cast::<__m128i>();
        // SAFETY: four times 16 bytes of a line each, read at any alignment, written on a boundary
        // of 16 as the line is on one of 64; SSE2 is part of every x86-64.
        unsafe {
            let quarters = [0, 1, 2, 3].map(|quarter| _mm_loadu_si128(from.add(quarter)));
            for (quarter, bytes) in quarters.into_iter().enumerate() {
                _mm_stream_si128(to.add(quarter), bytes);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn noise(bytes: usize) -> Vec<u8> {
        (0..bytes as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    }

    #[test]
    fn every_length_and_alignment_is_copied_and_nothing_beside_it() {
        let from = noise(STREAMED_BYTES_MIN + 700);
        let lengths = [0, 1, 63, 64, 4096].into_iter();
        let streamed = (0..130).chain([255, 256, 257, 511, 512, 600]);
        for length in lengths.chain(streamed.map(|more| STREAMED_BYTES_MIN + more)) {
            for at in [0, 1, 13, 63, 64] {
                for start in [0, 1, 7] {
                    let mut to = vec![0xA5; length + 256];
                    copy_to_cold(&mut to[at..at + length], &from[start..start + length]);
                    assert_eq!(to[at..at + length], from[start..start + length]);
                    let beside = to[..at].iter().chain(&to[at + length..]);
                    assert!(
                        beside.into_iter().all(|byte| *byte == 0xA5),
                        "{length} at {at}"
                    );
                }
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn every_way_copies_the_same() {
        #[repr(align(64))]
        struct Aligned([u8; 64 * 11]);
        let from = noise(64 * 11 + 5);
        for lines in 0..=11 {
            let source = &from[5..5 + 64 * lines];
            let mut to = Aligned([0; 64 * 11]);
            stream_128(&mut to.0[..64 * lines], source);
            assert_eq!(&to.0[..64 * lines], source);
            if std::is_x86_feature_detected!("avx512f") {
                let mut to = Aligned([0; 64 * 11]);
                // SAFETY: the processor has AVX-512F.
                unsafe { stream_512(&mut to.0[..64 * lines], source) };
                assert_eq!(&to.0[..64 * lines], source);
            }
        }
    }

    #[test]
    #[should_panic(expected = "as long as what is copied")]
    fn lengths_that_differ_are_refused() {
        copy_to_cold(&mut [0; 3], &[0; 4]);
    }
}
