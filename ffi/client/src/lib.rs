//! The native client for C, and for whatever can call C: `libprecursor`. The header
//! `include/precursor.h` is made from this file.
//!
//! Every function takes a client and returns a number below 0 when it failed;
//! `precursor_error` then says why. No panic crosses the border: one becomes an error.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::time::Duration;

use ::precursor_client::{Client, ClientError, ClientOptions, FetchedRecord, Record, Wait};

/// The call itself is wrong: a null pointer, a name that is no UTF-8.
pub const PRECURSOR_USAGE: i64 = -1;
/// No broker can be reached.
pub const PRECURSOR_UNREACHABLE: i64 = -2;
/// The connection ended before the answer came: a record may have been appended or not.
pub const PRECURSOR_LOST: i64 = -3;
/// No answer came in time: as PRECURSOR_LOST.
pub const PRECURSOR_TIMED_OUT: i64 = -4;
/// The broker refused, and nothing was done; precursor_error names Kafka's error.
pub const PRECURSOR_REFUSED: i64 = -5;
/// A mistake within the library, or an answer that cannot be read.
pub const PRECURSOR_INTERNAL: i64 = -6;

/// A client of one broker. Use it from one thread at a time.
#[allow(non_camel_case_types)]
pub struct precursor_client {
    client: Client,
    error: CString,
    records: Vec<FetchedRecord>,
    next_offset: i64,
}

/// A record that was fetched, or one to produce (where `offset` is not looked at). What it points to
/// belongs to the client and stays until the next fetch, or to the caller.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types)]
pub struct precursor_record {
    pub offset: i64,
    /// Milliseconds since 1970; to produce: -1 is now.
    pub timestamp: i64,
    /// NULL: no key.
    pub key: *const u8,
    pub key_bytes: usize,
    /// NULL: no value.
    pub value: *const u8,
    pub value_bytes: usize,
}

/// The library's version.
#[unsafe(no_mangle)]
pub extern "C" fn precursor_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Connects by shared memory to the broker of a data directory on this host. NULL when that fails;
/// `error` (of `error_bytes` bytes, may be NULL) then holds a sentence.
///
/// # Safety
/// `data_dir` is a string; `error` is NULL or has `error_bytes` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_connect_shm(
    data_dir: *const c_char,
    error: *mut c_char,
    error_bytes: usize,
) -> *mut precursor_client {
    // SAFETY: as the caller promises.
    unsafe { connect(data_dir, ClientOptions::shm, error, error_bytes) }
}

/// Connects by RDMA to `HOST:PORT`, otherwise as precursor_connect_shm.
///
/// # Safety
/// As precursor_connect_shm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_connect_rdma(
    address: *const c_char,
    error: *mut c_char,
    error_bytes: usize,
) -> *mut precursor_client {
    // SAFETY: as the caller promises.
    unsafe { connect(address, ClientOptions::rdma, error, error_bytes) }
}

/// Connects by TCP to `HOST:PORT`, otherwise as precursor_connect_shm.
///
/// # Safety
/// As precursor_connect_shm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_connect_tcp(
    address: *const c_char,
    error: *mut c_char,
    error_bytes: usize,
) -> *mut precursor_client {
    // SAFETY: as the caller promises.
    unsafe { connect(address, ClientOptions::tcp, error, error_bytes) }
}

/// # Safety
/// As precursor_connect_shm.
unsafe fn connect(
    place: *const c_char,
    options: fn(String) -> ClientOptions,
    error: *mut c_char,
    error_bytes: usize,
) -> *mut precursor_client {
    // SAFETY: as the caller promises.
    let place = unsafe { text(place) };
    let connect = || Client::connect(options(place?.to_owned()));
    let connected = catch_unwind(AssertUnwindSafe(connect));
    match connected.unwrap_or_else(|_| Err(panicked())) {
        Ok(client) => Box::into_raw(Box::new(precursor_client {
            client,
            error: CString::default(),
            records: Vec::new(),
            next_offset: -1,
        })),
        Err(reason) => {
            let sentence = sentence(&reason);
            let bytes = sentence.as_bytes_with_nul();
            if !error.is_null() && error_bytes > 0 {
                let taken = bytes.len().min(error_bytes);
                // SAFETY: the caller gave `error_bytes` bytes, and no more are written.
                unsafe {
                    ptr::copy_nonoverlapping(bytes.as_ptr().cast(), error, taken);
                    *error.add(taken - 1) = 0;
                }
            }
            ptr::null_mut()
        }
    }
}

/// Ends the connection and frees the client. NULL is no harm.
///
/// # Safety
/// `client` is from a connect, and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_close(client: *mut precursor_client) {
    if !client.is_null() {
        // SAFETY: made by `Box::into_raw` in `connect`, and given back once.
        drop(unsafe { Box::from_raw(client) });
    }
}

/// Why the last call failed, as a sentence; valid until the next call.
///
/// # Safety
/// `client` is from a connect.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_error(client: *const precursor_client) -> *const c_char {
    // SAFETY: as the caller promises.
    match unsafe { client.as_ref() } {
        Some(client) => client.error.as_ptr(),
        None => c"no client".as_ptr(),
    }
}

/// Whether to poll while waiting (1: shortest waits, a whole processor) or to look for a moment and
/// then sleep (0, as at first). 0 when that is so.
///
/// # Safety
/// `client` is from a connect.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_set_polling(client: *mut precursor_client, polling: i32) -> i64 {
    let wait = match polling {
        0 => Wait::PollThenSleep(Duration::from_micros(50)),
        _ => Wait::Poll,
    };
    let set = |client: &mut precursor_client| {
        client.client.set_wait(wait);
        Ok(0)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, set) }
}

/// Makes a topic; one that is there already is as good. 0 when it is there.
///
/// # Safety
/// `client` is from a connect, `topic` a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_create_topic(
    client: *mut precursor_client,
    topic: *const c_char,
    partitions: i32,
) -> i64 {
    // SAFETY: as the caller promises.
    let topic = unsafe { text(topic) };
    let create = |client: &mut precursor_client| client.client.create_topic(topic?, partitions);
    // SAFETY: as the caller promises.
    unsafe { call(client, |client| create(client).map(|()| 0)) }
}

/// Appends one record and waits until the broker has it; returns its offset. A NULL key is none.
///
/// # Safety
/// `client` is from a connect, `topic` a string; key and value have as many bytes as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_produce(
    client: *mut precursor_client,
    topic: *const c_char,
    partition: i32,
    key: *const u8,
    key_bytes: usize,
    value: *const u8,
    value_bytes: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    let (topic, key, value) =
        unsafe { (text(topic), part(key, key_bytes), part(value, value_bytes)) };
    let value = value.unwrap_or_default();
    let produce = |client: &mut precursor_client| {
        let topic = topic?;
        client.client.produce(topic, partition, key, value)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, produce) }
}

/// Appends records as one batch and waits until the broker has them; returns the first one's offset.
///
/// # Safety
/// `client` is from a connect, `topic` a string; there are `count` records, whose keys and values
/// have as many bytes as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_produce_batch(
    client: *mut precursor_client,
    topic: *const c_char,
    partition: i32,
    records: *const precursor_record,
    count: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    let topic = unsafe { text(topic) };
    let records = match records.is_null() {
        true => &[],
        // SAFETY: as the caller promises.
        false => unsafe { std::slice::from_raw_parts(records, count) },
    };
    let batch: Vec<Record<'_>> = records
        .iter()
        .map(|record| {
            // SAFETY: as the caller promises.
            let (key, value) = unsafe {
                (
                    part(record.key, record.key_bytes),
                    part(record.value, record.value_bytes),
                )
            };
            Record {
                key,
                value,
                timestamp: (record.timestamp >= 0).then_some(record.timestamp),
                ..Record::default()
            }
        })
        .collect();
    let produce = |client: &mut precursor_client| {
        let topic = topic?;
        client.client.produce_batch(topic, partition, &batch)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, produce) }
}

/// Reads records from an offset on, and waits up to `wait_ms` for the first. Returns how many came;
/// precursor_record_at gives them out, until the next fetch.
///
/// # Safety
/// `client` is from a connect, `topic` a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_fetch(
    client: *mut precursor_client,
    topic: *const c_char,
    partition: i32,
    offset: i64,
    wait_ms: u32,
) -> i64 {
    // SAFETY: as the caller promises.
    let topic = unsafe { text(topic) };
    let fetch = |client: &mut precursor_client| {
        let wait = Duration::from_millis(u64::from(wait_ms));
        let fetched = client.client.fetch(topic?, partition, offset, wait)?;
        client.records = fetched.records;
        client.next_offset = fetched.next_offset;
        Ok(client.records.len() as i64)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, fetch) }
}

/// A record of the last fetch, from 0 on. 0 when there is one.
///
/// # Safety
/// `client` is from a connect, `record` points to room for a record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_record_at(
    client: *mut precursor_client,
    index: usize,
    record: *mut precursor_record,
) -> i64 {
    let look = |client: &mut precursor_client| {
        let found = client.records.get(index).filter(|_| !record.is_null());
        let found = found.ok_or_else(|| ClientError::Usage("no such record".to_owned()))?;
        let start = |part: &Option<Vec<u8>>| part.as_ref().map_or(ptr::null(), |p| p.as_ptr());
        let bytes = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        let given = precursor_record {
            offset: found.offset,
            timestamp: found.timestamp,
            key: start(&found.key),
            key_bytes: bytes(&found.key),
            value: start(&found.value),
            value_bytes: bytes(&found.value),
        };
        // SAFETY: not null, and the caller promises room.
        unsafe { record.write(given) };
        Ok(0)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, look) }
}

/// Where to fetch after the last fetch.
///
/// # Safety
/// `client` is from a connect.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_next_offset(client: *const precursor_client) -> i64 {
    // SAFETY: as the caller promises.
    unsafe { client.as_ref() }.map_or(PRECURSOR_USAGE, |client| client.next_offset)
}

/// The first offset of a partition that can be read, and the one behind the last. 0 when they are
/// there.
///
/// # Safety
/// `client` is from a connect, `topic` a string; `start` and `end` point to room for a number each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precursor_offsets(
    client: *mut precursor_client,
    topic: *const c_char,
    partition: i32,
    start: *mut i64,
    end: *mut i64,
) -> i64 {
    // SAFETY: as the caller promises.
    let topic = unsafe { text(topic) };
    let look = |client: &mut precursor_client| {
        if start.is_null() || end.is_null() {
            return Err(ClientError::Usage("no room for the offsets".to_owned()));
        }
        let offsets = client.client.offsets(topic?, partition)?;
        // SAFETY: not null, and the caller promises room.
        unsafe {
            start.write(offsets.0);
            end.write(offsets.1);
        }
        Ok(0)
    };
    // SAFETY: as the caller promises.
    unsafe { call(client, look) }
}

/// # Safety
/// `client` is null or from a connect.
unsafe fn call(
    client: *mut precursor_client,
    work: impl FnOnce(&mut precursor_client) -> Result<i64, ClientError>,
) -> i64 {
    // SAFETY: as the caller promises; one thread at a time, so that this is the only reference.
    let Some(client) = (unsafe { client.as_mut() }) else {
        return PRECURSOR_USAGE;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| work(client)));
    match outcome.unwrap_or_else(|_| Err(panicked())) {
        Ok(number) => number,
        Err(error) => {
            client.error = sentence(&error);
            code(&error)
        }
    }
}

fn code(error: &ClientError) -> i64 {
    match error {
        ClientError::Usage(_) => PRECURSOR_USAGE,
        ClientError::Attach(_) | ClientError::Rdma(_) | ClientError::Connect { .. } => {
            PRECURSOR_UNREACHABLE
        }
        ClientError::ConnectionLost(_) => PRECURSOR_LOST,
        ClientError::TimedOut => PRECURSOR_TIMED_OUT,
        ClientError::Refused { .. } | ClientError::NotOffered { .. } => PRECURSOR_REFUSED,
        ClientError::Malformed(_) => PRECURSOR_INTERNAL,
    }
}

fn sentence(error: &ClientError) -> CString {
    let text = error.to_string().replace('\0', " ");
    CString::new(text).unwrap_or_default()
}

fn panicked() -> ClientError {
    ClientError::Malformed("the library has a mistake; its standard error says where".to_owned())
}

/// # Safety
/// `pointer` is null or a string that lives as long as the result is used.
unsafe fn text<'a>(pointer: *const c_char) -> Result<&'a str, ClientError> {
    if pointer.is_null() {
        return Err(ClientError::Usage("a name is NULL".to_owned()));
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str()
        .map_err(|_| ClientError::Usage("a name is not UTF-8".to_owned()))
}

/// # Safety
/// `pointer` is null or has `bytes` bytes that live as long as the result is used.
unsafe fn part<'a>(pointer: *const u8, bytes: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller promises.
    (!pointer.is_null()).then(|| unsafe { std::slice::from_raw_parts(pointer, bytes) })
}
