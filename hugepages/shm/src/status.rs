//! The status page: who runs, in which state, and where it listens. Everybody may read it; each
//! field has one writer.

use std::mem::{align_of, offset_of, size_of};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ProcessState {
    /// Not started, or gone after a clean stop.
    Absent = 0,
    /// Running, not serving yet: recovering logs, waiting for the other process.
    Starting = 1,
    /// Serving.
    Ready = 2,
    /// Told to stop, flushing.
    Stopping = 3,
}

impl ProcessState {
    fn from_u32(value: u32) -> ProcessState {
        match value {
            1 => ProcessState::Starting,
            2 => ProcessState::Ready,
            3 => ProcessState::Stopping,
            // Also for garbage: a state that nobody ever wrote is nobody's state.
            _ => ProcessState::Absent,
        }
    }
}

/// One page of the region. The data plane writes the first line, the control plane the second, the
/// supervisor the third.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct StatusPage {
    data: Process,
    control: Process,
    supervisor: Process,
}

#[derive(Debug)]
#[repr(C, align(128))]
struct Process {
    state: AtomicU32,
    pid: AtomicU32,
    generation: AtomicU64,
    port: AtomicU32,
    reserved: AtomicU32,
    image_version: AtomicU64,
}

const _: () = {
    assert!(size_of::<StatusPage>() == 4096 && align_of::<StatusPage>() == 4096);
    assert!(offset_of!(StatusPage, data) == 0);
    assert!(offset_of!(StatusPage, control) == 128);
    assert!(offset_of!(StatusPage, supervisor) == 256);
    assert!(size_of::<Process>() == 128);
    assert!(offset_of!(Process, generation) == 8);
    assert!(offset_of!(Process, port) == 16);
    assert!(offset_of!(Process, image_version) == 24);
};

impl Process {
    fn begin(&self, pid: u32) -> u64 {
        let generation = self.generation.load(Ordering::Relaxed) + 1;
        self.port.store(0, Ordering::Relaxed);
        self.image_version.store(0, Ordering::Relaxed);
        self.pid.store(pid, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
        // Release: who sees the state sees the pid and generation that it belongs to.
        self.state
            .store(ProcessState::Starting as u32, Ordering::Release);
        generation
    }

    fn port(&self) -> u16 {
        u16::try_from(self.port.load(Ordering::Acquire)).unwrap_or(0)
    }
}

macro_rules! process_fields {
    ($($field:ident $begin:ident $state:ident $set_state:ident $pid:ident $generation:ident $who:literal),*) => {
        impl StatusPage {
            $(
                #[doc = concat!("The ", $who, " starts: state Starting, its pid, no port yet, and the next generation, which is returned.")]
                pub fn $begin(&self, pid: u32) -> u64 {
                    self.$field.begin(pid)
                }
                #[doc = concat!("How far the ", $who, " has come. It may have died since: ask its pid.")]
                pub fn $state(&self) -> ProcessState {
                    ProcessState::from_u32(self.$field.state.load(Ordering::Acquire))
                }
                #[doc = concat!("Only the ", $who, " says this (or the supervisor, of a dead one).")]
                pub fn $set_state(&self, state: ProcessState) {
                    self.$field.state.store(state as u32, Ordering::Release);
                }
                #[doc = concat!("The process id of the last ", $who, "; 0 if there was none.")]
                pub fn $pid(&self) -> u32 {
                    self.$field.pid.load(Ordering::Acquire)
                }
                #[doc = concat!("How many times the ", $who, " started on this region.")]
                pub fn $generation(&self) -> u64 {
                    self.$field.generation.load(Ordering::Acquire)
                }
            )*
        }
    };
}

process_fields! {
    data begin_data data_state set_data_state data_pid data_generation "data plane",
    control begin_control control_state set_control_state control_pid control_generation "control plane",
    supervisor begin_supervisor supervisor_state set_supervisor_state supervisor_pid supervisor_generation "supervisor"
}

impl StatusPage {
    /// The bound port of the Kafka listener; 0 before it is bound.
    pub fn kafka_port(&self) -> u16 {
        self.data.port()
    }

    /// The data plane bound its Kafka listener.
    pub fn set_kafka_port(&self, port: u16) {
        self.data.port.store(u32::from(port), Ordering::Release);
    }

    /// The bound port of the gRPC administration; 0 before it is bound.
    pub fn admin_port(&self) -> u16 {
        self.control.port()
    }

    /// The control plane bound its gRPC listener.
    pub fn set_admin_port(&self, port: u16) {
        self.control.port.store(u32::from(port), Ordering::Release);
    }

    /// The version of the last metadata image that the control plane published.
    pub fn image_version(&self) -> u64 {
        self.control.image_version.load(Ordering::Acquire)
    }

    /// The control plane published this metadata image.
    pub fn set_image_version(&self, version: u64) {
        self.control.image_version.store(version, Ordering::Release);
    }
}
