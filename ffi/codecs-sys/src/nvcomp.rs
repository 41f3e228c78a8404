//! GPUs through nvCOMP 5 (`nvcomp/zstd.h`) and the CUDA runtime: zstd, one frame at a time.

use crate::library::Library;
use crate::{Device, NotPresent, PLAIN_BYTES_MAX, failed, too_large};
use precursor_compression::{Format, HardwareCodec};
use std::ffi::{c_int, c_void};
use std::io;

const CUDA_NAMES: &[&str] = &["libcudart.so.13", "libcudart.so.12", "libcudart.so"];
const NAMES: &[&str] = &["libnvcomp.so.5", "libnvcomp.so"];
const SUCCESS: c_int = 0;
/// `cudaMemcpyDefault`: the runtime sees by the addresses which way it goes.
const COPY_DEFAULT: c_int = 4;

/// `nvcompBatchedZstdCompressOpts_t`, and `nvcompBatchedZstdDecompressOpts_t`, whose first four
/// bytes are the backend: zeroes are the defaults of both.
#[repr(C)]
#[derive(Clone, Copy)]
struct Options {
    backend: c_int,
    reserved: [u8; 60],
}

const DEFAULTS: Options = Options {
    backend: 0,
    reserved: [0; 60],
};

const _: () = assert!(size_of::<Options>() == 64 && align_of::<Options>() == 4);

/// `cudaStream_t`; null is the default stream.
type Stream = *mut c_void;
type DeviceCount = unsafe extern "C" fn(*mut c_int) -> c_int;
type Allocate = unsafe extern "C" fn(*mut *mut c_void, usize) -> c_int;
type Free = unsafe extern "C" fn(*mut c_void) -> c_int;
type Copy = unsafe extern "C" fn(*mut c_void, *const c_void, usize, c_int) -> c_int;
type Synchronize = unsafe extern "C" fn(Stream) -> c_int;
type TempSize = unsafe extern "C" fn(usize, usize, Options, *mut usize, usize) -> c_int;
type MaxOutput = unsafe extern "C" fn(usize, Options, *mut usize) -> c_int;
type Compress = unsafe extern "C" fn(
    *const *const c_void,
    *const usize,
    usize,
    usize,
    *mut c_void,
    usize,
    *const *mut c_void,
    *mut usize,
    Options,
    *mut c_int,
    Stream,
) -> c_int;
type Decompress = unsafe extern "C" fn(
    *const *const c_void,
    *const usize,
    *const usize,
    *mut usize,
    usize,
    *mut c_void,
    usize,
    *const *mut c_void,
    Options,
    *mut c_int,
    Stream,
) -> c_int;

#[derive(Clone, Copy)]
struct Cuda {
    device_count: DeviceCount,
    allocate: Allocate,
    free: Free,
    copy: Copy,
    synchronize: Synchronize,
}

/// The first device.
pub(crate) struct Gpu {
    cuda: Cuda,
    compress_temp: TempSize,
    compress_max: MaxOutput,
    compress: Compress,
    decompress_temp: TempSize,
    decompress: Decompress,
}

/// Memory of the device.
struct Block {
    cuda: Cuda,
    address: *mut c_void,
    length: usize,
}

impl Block {
    fn new(cuda: Cuda, length: usize) -> io::Result<Block> {
        let mut address = std::ptr::null_mut();
        // SAFETY: the place is there for the answer.
        let code = unsafe { (cuda.allocate)(&mut address, length.max(1)) };
        match code {
            SUCCESS => Ok(Block {
                cuda,
                address,
                length,
            }),
            code => Err(failed("cudaMalloc", code.into())),
        }
    }

    fn of(cuda: Cuda, bytes: &[u8]) -> io::Result<Block> {
        let block = Block::new(cuda, bytes.len())?;
        // SAFETY: the block has the length of the bytes.
        let code = unsafe {
            let from = bytes.as_ptr().cast();
            (cuda.copy)(block.address, from, bytes.len(), COPY_DEFAULT)
        };
        match code {
            SUCCESS => Ok(block),
            code => Err(failed("cudaMemcpy", code.into())),
        }
    }

    /// One number, or one address, as an array of one.
    fn of_word(cuda: Cuda, word: usize) -> io::Result<Block> {
        Block::of(cuda, &word.to_ne_bytes())
    }

    fn read(&self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length.min(self.length)];
        // SAFETY: no more than the block holds, into as many bytes.
        let code = unsafe {
            let to = bytes.as_mut_ptr().cast();
            (self.cuda.copy)(to, self.address, bytes.len(), COPY_DEFAULT)
        };
        match code {
            SUCCESS => Ok(bytes),
            code => Err(failed("cudaMemcpy", code.into())),
        }
    }

    fn word(&self) -> io::Result<usize> {
        let mut word = [0; size_of::<usize>()];
        word.copy_from_slice(&self.read(size_of::<usize>())?);
        Ok(usize::from_ne_bytes(word))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated by the same runtime, and everything that used it was waited for.
        unsafe { (self.cuda.free)(self.address) };
    }
}

impl Gpu {
    pub fn open() -> Result<Gpu, NotPresent> {
        let runtime = Library::open(CUDA_NAMES)?;
        let library = Library::open(NAMES)?;
        // SAFETY: the types are those of cuda_runtime_api.h and nvcomp/zstd.h of version 5.
        let gpu = unsafe {
            Gpu {
                cuda: Cuda {
                    device_count: runtime.function("cudaGetDeviceCount")?,
                    allocate: runtime.function("cudaMalloc")?,
                    free: runtime.function("cudaFree")?,
                    copy: runtime.function("cudaMemcpy")?,
                    synchronize: runtime.function("cudaStreamSynchronize")?,
                },
                compress_temp: library.function("nvcompBatchedZstdCompressGetTempSizeAsync")?,
                compress_max: library.function("nvcompBatchedZstdCompressGetMaxOutputChunkSize")?,
                compress: library.function("nvcompBatchedZstdCompressAsync")?,
                decompress_temp: library.function("nvcompBatchedZstdDecompressGetTempSizeAsync")?,
                decompress: library.function("nvcompBatchedZstdDecompressAsync")?,
            }
        };
        let mut devices = 0;
        // SAFETY: the place is there for the answer.
        let code = unsafe { (gpu.cuda.device_count)(&mut devices) };
        match (code, devices) {
            (SUCCESS, 1..) => Ok(gpu),
            (code, _) => Err(NotPresent::NoDevice("cudaGetDeviceCount", code.into())),
        }
    }

    fn temp(&self, size: TempSize, plain: usize) -> io::Result<Block> {
        let mut bytes = 0;
        // SAFETY: the place is there for the answer.
        let code = unsafe { size(1, plain, DEFAULTS, &mut bytes, plain) };
        match code {
            SUCCESS => Block::new(self.cuda, bytes),
            code => Err(failed("nvcompBatchedZstd…GetTempSizeAsync", code.into())),
        }
    }

    /// Waits for the device, and takes what it made.
    fn finish(&self, launched: c_int, made: &Made) -> io::Result<Vec<u8>> {
        // SAFETY: the default stream.
        let waited = unsafe { (self.cuda.synchronize)(std::ptr::null_mut()) };
        for code in [launched, waited] {
            if code != SUCCESS {
                return Err(failed("nvcompBatchedZstd…Async", code.into()));
            }
        }
        let mut status = [0; size_of::<c_int>()];
        status.copy_from_slice(&made.status.read(size_of::<c_int>())?);
        match c_int::from_ne_bytes(status) {
            SUCCESS => made.bytes.read(made.length.word()?),
            code => Err(failed("nvcompBatchedZstd…Async", code.into())),
        }
    }
}

/// Where the device puts what it makes.
struct Made {
    bytes: Block,
    pointer: Block,
    length: Block,
    status: Block,
}

impl Made {
    fn new(cuda: Cuda, length: usize) -> io::Result<Made> {
        let bytes = Block::new(cuda, length)?;
        Ok(Made {
            pointer: Block::of_word(cuda, bytes.address as usize)?,
            length: Block::of_word(cuda, 0)?,
            status: Block::of(cuda, &c_int::to_ne_bytes(-1))?,
            bytes,
        })
    }
}

impl HardwareCodec for Gpu {
    fn name(&self) -> &'static str {
        Device::Gpu.name()
    }

    fn format(&self) -> Format {
        Format::Zstd
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        if plain.len() > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        let mut most = 0;
        // SAFETY: the place is there for the answer.
        let code = unsafe { (self.compress_max)(plain.len(), DEFAULTS, &mut most) };
        if code != SUCCESS || most > 2 * PLAIN_BYTES_MAX {
            return Err(failed(
                "nvcompBatchedZstdCompressGetMaxOutputChunkSize",
                code.into(),
            ));
        }
        let input = Block::of(self.cuda, plain)?;
        let pointer = Block::of_word(self.cuda, input.address as usize)?;
        let length = Block::of_word(self.cuda, plain.len())?;
        let temp = self.temp(self.compress_temp, plain.len())?;
        let made = Made::new(self.cuda, most)?;
        // SAFETY: arrays of one each, on the device, that live until it was waited for; cudaMalloc
        // aligns more than is asked for.
        let launched = unsafe {
            (self.compress)(
                pointer.address.cast(),
                length.address.cast(),
                plain.len(),
                1,
                temp.address,
                temp.length,
                made.pointer.address.cast(),
                made.length.address.cast(),
                DEFAULTS,
                made.status.address.cast(),
                std::ptr::null_mut(),
            )
        };
        self.finish(launched, &made)
    }

    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        if compressed.len() > 2 * PLAIN_BYTES_MAX || bytes_max > PLAIN_BYTES_MAX {
            return Err(too_large());
        }
        let input = Block::of(self.cuda, compressed)?;
        let pointer = Block::of_word(self.cuda, input.address as usize)?;
        let length = Block::of_word(self.cuda, compressed.len())?;
        let room = Block::of_word(self.cuda, bytes_max)?;
        let temp = self.temp(self.decompress_temp, bytes_max)?;
        let made = Made::new(self.cuda, bytes_max)?;
        // SAFETY: as above; the device writes no more than `room` says.
        let launched = unsafe {
            (self.decompress)(
                pointer.address.cast(),
                length.address.cast(),
                room.address.cast(),
                made.length.address.cast(),
                1,
                temp.address,
                temp.length,
                made.pointer.address.cast(),
                DEFAULTS,
                made.status.address.cast(),
                std::ptr::null_mut(),
            )
        };
        self.finish(launched, &made)
    }
}
