//! Intel IAA through libqpl (`qpl/c_api/job.h`, version 1): deflate in members of gzip.

use crate::library::Library;
use crate::{Device, NotPresent, PLAIN_BYTES_MAX, failed, too_large};
use precursor_compression::{Format, HardwareCodec};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;

const NAMES: &[&str] = &["libqpl.so.1", "libqpl.so"];
const STATUS_OK: u32 = 0;
/// `qpl_path_hardware`: never the library's software.
const PATH_HARDWARE: u32 = 1;
const OP_DECOMPRESS: u32 = 0;
const OP_COMPRESS: u32 = 1;
const FLAG_FIRST: u32 = 0x0001;
const FLAG_LAST: u32 = 0x0002;
const FLAG_GZIP: u32 = 0x0008;
const FLAG_DYNAMIC_HUFFMAN: u32 = 0x2000;
const LEVEL_DEFAULT: u32 = 1;
/// What a job may take for its state.
const JOB_BYTES_MAX: u32 = 64 << 20;
const JOB_ALIGN: usize = 64;

/// The beginning of `qpl_job`: what follows is for operations that are not used, and its size is
/// the library's to tell.
#[repr(C)]
struct Job {
    next_in: *const u8,
    available_in: u32,
    total_in: u32,
    next_out: *mut u8,
    available_out: u32,
    total_out: u32,
    operation: u32,
    flags: u32,
    crc: u32,
    xor_checksum: u32,
    last_bit_offset: u32,
    level: u32,
}

const _: () = assert!(size_of::<Job>() == 56 && std::mem::offset_of!(Job, level) == 52);

type JobSize = unsafe extern "C" fn(u32, *mut u32) -> u32;
type Initialise = unsafe extern "C" fn(u32, *mut Job) -> u32;
type Execute = unsafe extern "C" fn(*mut Job) -> u32;

/// A job on a device.
pub(crate) struct Iaa {
    execute: Execute,
    finish: Execute,
    job: *mut Job,
    layout: Layout,
}

impl Iaa {
    pub fn open() -> Result<Iaa, NotPresent> {
        let library = Library::open(NAMES)?;
        // SAFETY: the types are those of job.h; its enumerations are 32 bits wide.
        let (size_of_job, initialise, execute, finish) = unsafe {
            let size: JobSize = library.function("qpl_get_job_size")?;
            let initialise: Initialise = library.function("qpl_init_job")?;
            let execute: Execute = library.function("qpl_execute_job")?;
            let finish: Execute = library.function("qpl_fini_job")?;
            (size, initialise, execute, finish)
        };
        let mut bytes = 0;
        // SAFETY: the place is there for the answer.
        let status = unsafe { size_of_job(PATH_HARDWARE, &mut bytes) };
        let no_device = |function, status: u32| NotPresent::NoDevice(function, status.into());
        let fits = (size_of::<Job>() as u32..=JOB_BYTES_MAX).contains(&bytes);
        let layout = Layout::from_size_align(bytes as usize, JOB_ALIGN).ok();
        let (true, Some(layout)) = (status == STATUS_OK && fits, layout) else {
            return Err(no_device("qpl_get_job_size", status));
        };
        // SAFETY: the layout has a size.
        let job = unsafe { alloc_zeroed(layout) }.cast::<Job>();
        if job.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: zeroed memory of the size that the library asked for.
        let status = unsafe { initialise(PATH_HARDWARE, job) };
        if status != STATUS_OK {
            // SAFETY: allocated above with this layout; the library keeps nothing of a job that it
            // did not take.
            unsafe { dealloc(job.cast(), layout) };
            return Err(no_device("qpl_init_job", status));
        }
        let mut iaa = Iaa {
            execute,
            finish,
            job,
            layout,
        };
        // Whether there is a device that may be used shows with the first job.
        match iaa.run(OP_COMPRESS, FLAG_DYNAMIC_HUFFMAN, b"a first job", 256) {
            Ok(_) => Ok(iaa),
            Err(status) => Err(no_device("qpl_execute_job", status)),
        }
    }

    fn run(
        &mut self,
        operation: u32,
        flags: u32,
        input: &[u8],
        output_max: usize,
    ) -> Result<Vec<u8>, u32> {
        let mut out = vec![0; output_max];
        // SAFETY: the job is initialised and nobody else has it; lengths are those of the buffers,
        // which live as long as the call, and fit 32 bits.
        let (status, taken, length) = unsafe {
            let job = &mut *self.job;
            job.next_in = input.as_ptr();
            job.available_in = input.len() as u32;
            job.total_in = 0;
            job.next_out = out.as_mut_ptr();
            job.available_out = output_max as u32;
            job.total_out = 0;
            job.operation = operation;
            job.flags = FLAG_FIRST | FLAG_LAST | FLAG_GZIP | flags;
            job.level = LEVEL_DEFAULT;
            let status = (self.execute)(self.job);
            (status, (*self.job).total_in, (*self.job).total_out)
        };
        if status != STATUS_OK || taken as usize > input.len() || length as usize > output_max {
            return Err(status);
        }
        out.truncate(length as usize);
        Ok(out)
    }
}

impl Drop for Iaa {
    fn drop(&mut self) {
        // SAFETY: an initialised job that is not used any more, allocated with this layout.
        unsafe {
            (self.finish)(self.job);
            dealloc(self.job.cast(), self.layout);
        }
    }
}

impl HardwareCodec for Iaa {
    fn name(&self) -> &'static str {
        Device::Iaa.name()
    }

    fn format(&self) -> Format {
        Format::Gzip
    }

    /// The device looks back 4 KiB; other compressors go back 32.
    fn reads_all(&self) -> bool {
        false
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        if plain.len() > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        // What does not shrink grows by a header for each stored block.
        let most = plain.len() + plain.len() / 8 + 1024;
        let done = self.run(OP_COMPRESS, FLAG_DYNAMIC_HUFFMAN, plain, most);
        done.map_err(|status| failed("qpl_execute_job", status.into()))
    }

    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        if compressed.len() > 2 * PLAIN_BYTES_MAX || bytes_max > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        let done = self.run(OP_DECOMPRESS, 0, compressed, bytes_max);
        done.map_err(|status| failed("qpl_execute_job", status.into()))
    }
}
