//! Record batches (magic 2) as the tests write and read them: uncompressed, no keys, no headers.

/// Who writes: an idempotent producer's id, epoch and the batch's first sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub first: i32,
}

/// A record as it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub offset: i64,
    pub value: Vec<u8>,
}

const HEADER_BYTES: usize = 61;
const CRC_COVERS_FROM: usize = 21;

/// One batch of these values, all with the same timestamp (milliseconds).
pub fn encode(values: &[Vec<u8>], sequence: Option<Sequence>, timestamp_ms: i64) -> Vec<u8> {
    let mut records = Vec::new();
    for (number, value) in values.iter().enumerate() {
        let mut record = vec![0]; // attributes
        put_varint(&mut record, 0); // timestamp delta
        put_varint(&mut record, number as i64);
        put_varint(&mut record, -1); // no key
        put_varint(&mut record, value.len() as i64);
        record.extend_from_slice(value);
        put_varint(&mut record, 0); // no headers
        put_varint(&mut records, record.len() as i64);
        records.extend_from_slice(&record);
    }
    let (id, epoch, first) =
        sequence.map_or((-1, -1, -1), |s| (s.producer_id, s.producer_epoch, s.first));
    let mut out = Vec::with_capacity(HEADER_BYTES + records.len());
    out.extend_from_slice(&0i64.to_be_bytes()); // base offset: the broker's
    out.extend_from_slice(&((HEADER_BYTES - 12 + records.len()) as i32).to_be_bytes());
    out.extend_from_slice(&(-1i32).to_be_bytes()); // leader epoch: the broker's
    out.push(2);
    out.extend_from_slice(&[0; 4]); // CRC, below
    out.extend_from_slice(&0i16.to_be_bytes()); // attributes
    out.extend_from_slice(&(values.len() as i32 - 1).to_be_bytes());
    out.extend_from_slice(&timestamp_ms.to_be_bytes());
    out.extend_from_slice(&timestamp_ms.to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&epoch.to_be_bytes());
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&(values.len() as i32).to_be_bytes());
    out.extend_from_slice(&records);
    let crc = crc(&out);
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    out
}

/// The CRC that a whole batch is to carry.
pub fn crc(batch: &[u8]) -> u32 {
    crc32c::crc32c(&batch[CRC_COVERS_FROM..])
}

/// Every record of whole batches; a batch cut off at the end is left out. Wrong CRCs, counts and
/// lengths are errors: a broker must never hand them out.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<StoredRecord>, String> {
    let mut found = Vec::new();
    while bytes.len() >= HEADER_BYTES {
        let base_offset = i64::from_be_bytes(array(bytes, 0)?);
        let length = i32::from_be_bytes(array(bytes, 8)?);
        let end = 12 + usize::try_from(length).map_err(|_| format!("batch length {length}"))?;
        if bytes.len() < end {
            break;
        }
        let (batch, rest) = bytes.split_at(end);
        decode_one(batch, base_offset, &mut found)
            .map_err(|error| format!("batch at offset {base_offset}: {error}"))?;
        bytes = rest;
    }
    Ok(found)
}

fn decode_one(batch: &[u8], base: i64, found: &mut Vec<StoredRecord>) -> Result<(), String> {
    let said = u32::from_be_bytes(array(batch, 17)?);
    let is = crc32c::crc32c(batch.get(CRC_COVERS_FROM..).unwrap_or_default());
    if said != is {
        return Err(format!("CRC {said:08x} is said, {is:08x} is"));
    }
    let count = i32::from_be_bytes(array(batch, 57)?);
    let mut at = HEADER_BYTES;
    for _ in 0..count {
        let length = take_varint(batch, &mut at)?;
        let end = at + usize::try_from(length).map_err(|_| "record length")?;
        at += 1;
        take_varint(batch, &mut at)?;
        let delta = take_varint(batch, &mut at)?;
        if take_varint(batch, &mut at)? != -1 {
            return Err("a key where none was written".to_owned());
        }
        let size = usize::try_from(take_varint(batch, &mut at)?).map_err(|_| "value length")?;
        let value = batch.get(at..at + size).ok_or("value beyond the batch")?;
        found.push(StoredRecord {
            offset: base + delta,
            value: value.to_vec(),
        });
        at = end;
    }
    if at != batch.len() {
        return Err(format!("{} bytes after the last record", batch.len() - at));
    }
    Ok(())
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], String> {
    bytes
        .get(at..at + N)
        .and_then(|slice| slice.try_into().ok())
        .ok_or_else(|| "cut off".to_owned())
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn take_varint(bytes: &[u8], at: &mut usize) -> Result<i64, String> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or("varint cut off")?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    Err("varint too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_seen() {
        let values = vec![b"one".to_vec(), vec![7; 300], Vec::new()];
        let mut bytes = encode(&values, None, 1_700_000_000_000);
        bytes[7] = 40;
        let read: Vec<Vec<u8>> = decode(&bytes)
            .unwrap()
            .into_iter()
            .map(|r| r.value)
            .collect();
        assert_eq!(read, values);
        assert_eq!(decode(&bytes).unwrap()[2].offset, 42);
        assert!(decode(&bytes[..bytes.len() - 1]).unwrap().is_empty());
        bytes[100] ^= 1;
        assert!(decode(&bytes).unwrap_err().contains("CRC"));
    }
}
