//! Intel QuickAssist through libqatzip (`qatzip.h`, version 1): gzip.

use crate::library::Library;
use crate::{Device, NotPresent, PLAIN_BYTES_MAX, failed, too_large};
use precursor_compression::{Format, HardwareCodec};
use std::ffi::{c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::io;

const NAMES: &[&str] = &["libqatzip.so.3", "libqatzip.so"];
const QZ_OK: c_int = 0;
const QZ_DUPLICATE: c_int = 1;
/// The library is not to do it in software when there is no device.
const NO_SOFTWARE: c_uchar = 0;
/// `last` of qzCompress: the stream ends here.
const LAST: c_uint = 1;

/// `QzSession_T`.
#[repr(C)]
struct Session {
    hw_session_stat: c_long,
    thd_sess_stat: c_int,
    internal: *mut c_void,
    total_in: c_ulong,
    total_out: c_ulong,
}

const _: () = assert!(size_of::<Session>() == 40 && align_of::<Session>() == 8);

type Init = unsafe extern "C" fn(*mut Session, c_uchar) -> c_int;

/// `QzSessionParams_T` with room for what a later version may add to it. The defaults are gzip with a
/// header of QAT's at the library's level.
#[repr(C)]
struct Parameters {
    huffman: c_int,
    direction: c_int,
    format: c_int,
    level: c_uint,
    algorithm: c_uchar,
    forks_max: c_uint,
    /// Bits of what may be done in software instead.
    software: c_uchar,
    sizes: [c_uint; 5],
    more: [u64; 26],
}

const _: () = assert!(
    std::mem::offset_of!(Parameters, software) == 24
        && std::mem::offset_of!(Parameters, sizes) == 28
);

type Defaults = unsafe extern "C" fn(*mut Parameters) -> c_int;
type SetupSession = unsafe extern "C" fn(*mut Session, *mut Parameters) -> c_int;
type Compress = unsafe extern "C" fn(
    *mut Session,
    *const c_uchar,
    *mut c_uint,
    *mut c_uchar,
    *mut c_uint,
    c_uint,
) -> c_int;
type Decompress = unsafe extern "C" fn(
    *mut Session,
    *const c_uchar,
    *mut c_uint,
    *mut c_uchar,
    *mut c_uint,
) -> c_int;
type MaxCompressedLength = unsafe extern "C" fn(c_uint, *mut Session) -> c_uint;
type End = unsafe extern "C" fn(*mut Session) -> c_int;

struct Functions {
    compress: Compress,
    decompress: Decompress,
    max_compressed_length: MaxCompressedLength,
    teardown_session: End,
    close: End,
}

/// A session with a device.
pub(crate) struct Qat {
    functions: Functions,
    /// Its address stays: the library keeps it.
    session: Box<Session>,
}

impl Qat {
    pub fn open() -> Result<Qat, NotPresent> {
        let library = Library::open(NAMES)?;
        // SAFETY: the types are those of qatzip.h.
        let (init, defaults, setup, functions) = unsafe {
            let functions = Functions {
                compress: library.function("qzCompress")?,
                decompress: library.function("qzDecompress")?,
                max_compressed_length: library.function("qzMaxCompressedLength")?,
                teardown_session: library.function("qzTeardownSession")?,
                close: library.function("qzClose")?,
            };
            let init: Init = library.function("qzInit")?;
            let defaults: Defaults = library.function("qzGetDefaults")?;
            let setup: SetupSession = library.function("qzSetupSession")?;
            (init, defaults, setup, functions)
        };
        let session = Box::new(Session {
            hw_session_stat: 0,
            thd_sess_stat: 0,
            internal: std::ptr::null_mut(),
            total_in: 0,
            total_out: 0,
        });
        let mut qat = Qat { functions, session };
        // SAFETY: the session is zeroed, as the library wants it, and stays where it is.
        let found = unsafe { init(&mut *qat.session, NO_SOFTWARE) };
        if ![QZ_OK, QZ_DUPLICATE].contains(&found) {
            return Err(NotPresent::NoDevice("qzInit", found.into()));
        }
        // SAFETY: zeroes are values of all fields, which are numbers.
        let mut parameters: Parameters = unsafe { std::mem::zeroed() };
        // SAFETY: there is room for the library's structure, and more.
        let set = unsafe { defaults(&mut parameters) };
        if set != QZ_OK {
            return Err(NotPresent::NoDevice("qzGetDefaults", set.into()));
        }
        // The default is to go on in software without a word, call by call.
        parameters.software = NO_SOFTWARE;
        // SAFETY: an initialised session, and parameters that the library has filled in.
        let set = unsafe { setup(&mut *qat.session, &mut parameters) };
        if ![QZ_OK, QZ_DUPLICATE].contains(&set) {
            return Err(NotPresent::NoDevice("qzSetupSession", set.into()));
        }
        match qat.session.hw_session_stat {
            0 => Ok(qat),
            state => Err(NotPresent::SoftwareOnly(state)),
        }
    }
}

impl Drop for Qat {
    fn drop(&mut self) {
        // SAFETY: the session was given to qzInit; both take one in any state.
        unsafe {
            (self.functions.teardown_session)(&mut *self.session);
            (self.functions.close)(&mut *self.session);
        }
    }
}

impl HardwareCodec for Qat {
    fn name(&self) -> &'static str {
        Device::Qat.name()
    }

    fn format(&self) -> Format {
        Format::Gzip
    }

    /// What has no header of QAT's the library would decompress in software.
    fn reads_all(&self) -> bool {
        false
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        if plain.len() > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        let mut taken = plain.len() as c_uint;
        // SAFETY: an open session.
        let most = unsafe { (self.functions.max_compressed_length)(taken, &mut *self.session) };
        let mut out = vec![0; most as usize];
        let mut length = most;
        // SAFETY: both lengths are those of the buffers, which live as long as the call.
        let code = unsafe {
            (self.functions.compress)(
                &mut *self.session,
                plain.as_ptr(),
                &mut taken,
                out.as_mut_ptr(),
                &mut length,
                LAST,
            )
        };
        if code != QZ_OK || taken as usize != plain.len() {
            return Err(failed("qzCompress", code.into()));
        }
        if self.session.hw_session_stat != 0 {
            // It was done, and not by the device.
            return Err(failed(
                "the state of the session",
                self.session.hw_session_stat,
            ));
        }
        out.truncate(length as usize);
        Ok(out)
    }

    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        if compressed.len() > 2 * PLAIN_BYTES_MAX || bytes_max > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        let mut taken = compressed.len() as c_uint;
        let mut out = vec![0; bytes_max];
        let mut length = bytes_max as c_uint;
        // SAFETY: both lengths are those of the buffers, which live as long as the call.
        let code = unsafe {
            (self.functions.decompress)(
                &mut *self.session,
                compressed.as_ptr(),
                &mut taken,
                out.as_mut_ptr(),
                &mut length,
            )
        };
        if code != QZ_OK || taken as usize != compressed.len() {
            return Err(failed("qzDecompress", code.into()));
        }
        out.truncate(length as usize);
        Ok(out)
    }
}
