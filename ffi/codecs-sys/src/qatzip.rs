//! Intel QuickAssist through libqatzip (`qatzip.h`, version 1): gzip.

use crate::library::Library;
use crate::{Format, HardwareCodec, NotPresent, PLAIN_BYTES_MAX, failed, too_large};
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
/// The second is of parameters; null takes the defaults, which are gzip with a header of QAT's.
type SetupSession = unsafe extern "C" fn(*mut Session, *mut c_void) -> c_int;
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
        let (init, setup, functions) = unsafe {
            let functions = Functions {
                compress: library.function("qzCompress")?,
                decompress: library.function("qzDecompress")?,
                max_compressed_length: library.function("qzMaxCompressedLength")?,
                teardown_session: library.function("qzTeardownSession")?,
                close: library.function("qzClose")?,
            };
            let init: Init = library.function("qzInit")?;
            let setup: SetupSession = library.function("qzSetupSession")?;
            (init, setup, functions)
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
        // SAFETY: an initialised session; null stands for the defaults.
        let set = unsafe { setup(&mut *qat.session, std::ptr::null_mut()) };
        match [QZ_OK, QZ_DUPLICATE].contains(&set) {
            true => Ok(qat),
            false => Err(NotPresent::NoDevice("qzSetupSession", set.into())),
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
