//! The zigzag varints of records.

/// Reads an unsigned LEB128 integer at the front of `bytes`: its value and length. `None`: the
/// bytes end in it or it has more than 64 bits.
#[inline]
pub(super) fn read_unsigned(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte holds the 64th bit and no more.
        if index == 9 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

/// Reads a zigzag integer of up to 64 bits and moves `bytes` past it.
#[inline]
pub(super) fn read_long(bytes: &mut &[u8]) -> Option<i64> {
    let (value, length) = match bytes.first() {
        Some(byte) if *byte < 0x80 => (u64::from(*byte), 1),
        _ => read_unsigned(bytes)?,
    };
    *bytes = &bytes[length..];
    Some((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// Reads a zigzag integer of up to 32 bits and moves `bytes` past it.
#[inline]
pub(super) fn read_int(bytes: &mut &[u8]) -> Option<i32> {
    read_long(bytes).and_then(|value| i32::try_from(value).ok())
}

/// The longest varint of 64 bits.
pub(super) const VARINT_LENGTH_MAX: usize = 10;

/// Appends a zigzag integer.
#[inline]
pub(super) fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    if rest < 0x80 {
        out.push(rest as u8);
        return;
    }
    let mut bytes = [0; VARINT_LENGTH_MAX];
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    bytes[length] = rest as u8;
    out.extend_from_slice(&bytes[..=length]);
}

/// Bytes that [`write_long`] takes.
#[inline]
pub(super) fn length_of_long(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)) as u64;
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

/// Bytes that [`write_option`] takes.
pub(super) fn option_length(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => 1,
        Some(bytes) => length_of_long(bytes.len() as i64) + bytes.len(),
    }
}

/// Appends bytes with their length; null is -1.
pub(super) fn write_option(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => write_long(out, -1),
        Some(bytes) => {
            write_long(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_at_every_length() {
        for shift in 0..64 {
            for value in [
                1i64 << shift,
                (1i64 << shift).wrapping_sub(1),
                -(1i64 << shift >> 1),
            ] {
                let mut out = Vec::new();
                write_long(&mut out, value);
                assert_eq!(out.len(), length_of_long(value), "{value}");
                let mut rest = out.as_slice();
                assert_eq!(read_long(&mut rest), Some(value));
                assert!(rest.is_empty());
                for end in 0..out.len() {
                    assert_eq!(read_long(&mut &out[..end]), None);
                }
                let fits = i32::try_from(value).ok();
                assert_eq!(read_int(&mut out.as_slice()), fits);
            }
        }
        assert_eq!(read_unsigned(&[0xff; 10]), None);
        assert_eq!(read_unsigned(&[0x80; 20]), None);
    }
}
