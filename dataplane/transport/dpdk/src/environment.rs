//! DPDK's environment: one per process, started once, on a thread of its own.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::{Mutex, MutexGuard, OnceLock};

use precursor_dpdk_sys::Dpdk;

use crate::DpdkError;

/// Lines of complaint that are remembered for the sentence that says why.
const COMPLAINTS_MAX: usize = 8;
/// RTE_LOG_ERR, RTE_LOG_WARNING and RTE_LOG_NOTICE: what is above is worse.
const LEVEL_ERROR: c_int = 4;
const LEVEL_WARNING: c_int = 5;
const LEVEL_NOTICE: c_int = 6;

/// How severe a line of DPDK's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Error,
    Warning,
    Notice,
    Debug,
}

/// A started environment.
pub(crate) struct Environment {
    pub(crate) dpdk: Dpdk,
}

/// Or why it cannot start: it is not to be asked twice.
static STARTED: OnceLock<Result<Environment, String>> = OnceLock::new();
/// DPDK's own lists of devices are not for several threads at a time.
static DEVICES: Mutex<()> = Mutex::new(());
static SINK: OnceLock<fn(LogLevel, &str)> = OnceLock::new();
static COMPLAINTS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Holds DPDK's lists of devices still.
pub(crate) fn lock_devices() -> MutexGuard<'static, ()> {
    DEVICES
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What DPDK complained about since this was asked last, as one line; `otherwise` if it did not.
pub(crate) fn complaints(otherwise: &str) -> String {
    let mut lines = COMPLAINTS
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let lines: Vec<String> = lines.drain(..).collect();
    match lines.is_empty() {
        true => otherwise.to_owned(),
        false => lines.join("; "),
    }
}

unsafe extern "C" fn on_log(level: c_int, text: *const c_char, length: usize) {
    // SAFETY: the shim passes the bytes that it was given to write and their number.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let severity = match level {
            ..=LEVEL_ERROR => LogLevel::Error,
            LEVEL_WARNING => LogLevel::Warning,
            LEVEL_NOTICE => LogLevel::Notice,
            _ => LogLevel::Debug,
        };
        if severity == LogLevel::Error && !line.ends_with("'command line' arguments.") {
            let mut lines = COMPLAINTS
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            // Tries that are repeated complain each time.
            if !lines.iter().any(|known| known == line) {
                if lines.len() == COMPLAINTS_MAX {
                    lines.pop_front();
                }
                lines.push_back(line.to_owned());
            }
        }
        if let Some(sink) = SINK.get() {
            sink(severity, line);
        }
    }
}

/// Starts the environment with these words, or answers the one that was started before.
///
/// # Errors
/// DPDK is not there, or refuses.
pub(crate) fn start(
    words: &[String],
    log: fn(LogLevel, &str),
) -> Result<&'static Environment, DpdkError> {
    let _devices = lock_devices();
    if let Some(started) = STARTED.get() {
        return outcome(started);
    }
    let dpdk = Dpdk::open().map_err(DpdkError::Library)?;
    let words: Result<Vec<CString>, _> = words.iter().map(|word| CString::new(&word[..])).collect();
    let words = words
        .map_err(|_| DpdkError::Arguments(String::from("network.dpdk.args holds a zero byte")))?;
    SINK.get_or_init(|| log);
    // Whoever starts it is moved to the environment's main processor, so nobody else does.
    let run = || {
        let mut words: Vec<*mut c_char> =
            words.iter().map(|word| word.as_ptr().cast_mut()).collect();
        let count = words.len() as c_int;
        // C programs expect a null behind the last word.
        words.push(std::ptr::null_mut());
        // SAFETY: as many words as are counted, each ending in a zero; EAL reorders the pointers
        // and copies what it keeps. Nothing of DPDK was called before.
        unsafe { (dpdk.start)(count, words.as_mut_ptr(), on_log) }
    };
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(String::from("dpdk-start"));
        thread
            .spawn_scoped(scope, run)
            .map(|thread| thread.join().unwrap_or(-libc::EFAULT))
    });
    let result = result.map_err(|error| DpdkError::Environment {
        why: error.to_string(),
    })?;
    outcome(STARTED.get_or_init(|| match result {
        0.. => Ok(Environment { dpdk }),
        error => Err(complaints(&describe(&dpdk, error))),
    }))
}

fn outcome(
    started: &'static Result<Environment, String>,
) -> Result<&'static Environment, DpdkError> {
    started
        .as_ref()
        .map_err(|why| DpdkError::Environment { why: why.clone() })
}

/// Ends the environment: what it has in the host goes. All devices must be gone; nothing of DPDK
/// works afterwards in this process.
pub fn shut_down() {
    let _devices = lock_devices();
    if let Some(Ok(started)) = STARTED.get() {
        // SAFETY: the environment stands, and the caller promises that no device is left.
        unsafe { (started.dpdk.stop)() };
    }
}

pub(crate) fn describe(dpdk: &Dpdk, error: c_int) -> String {
    // SAFETY: answers a text that stays until this thread asks again, and is copied here.
    let text = unsafe { CStr::from_ptr((dpdk.describe)(error)) };
    text.to_string_lossy().into_owned()
}

impl Environment {
    pub(crate) fn version(&self) -> String {
        // SAFETY: takes nothing, and answers a constant text.
        let version = unsafe { CStr::from_ptr((self.dpdk.version)()) };
        version.to_string_lossy().into_owned()
    }
}
