//! The structures that cross the border, as rdma-core's headers have them. Only what is read or
//! written here has a name; a structure of which there is only ever a pointer ends where that does.

use std::ffi::{c_int, c_uint, c_void};

/// `rdma_create_id`: reliable connections with TCP's port numbers.
pub const PS_TCP: c_int = 0x0106;

pub const ACCESS_LOCAL_WRITE: c_int = 1;
pub const ACCESS_REMOTE_WRITE: c_int = 1 << 1;
pub const ACCESS_REMOTE_READ: c_int = 1 << 2;
/// Windows may be bound to the memory.
pub const ACCESS_WINDOW_BIND: c_int = 1 << 4;

/// `ibv_device_attr.device_cap_flags`: windows that a request in the send queue binds, and that are
/// one queue pair's.
pub const DEVICE_WINDOW_2B: c_uint = 1 << 24;
/// `ibv_mw_type`.
pub const WINDOW_TYPE_2: c_int = 2;

/// `ibv_qp_init_attr.qp_type`: a reliable connection.
pub const QP_RELIABLE: c_int = 2;

pub const SEND_SIGNALED: c_uint = 1 << 1;

/// `ibv_wr_opcode`.
pub const WR_RDMA_WRITE: c_int = 0;
pub const WR_SEND: c_int = 2;
pub const WR_SEND_WITH_IMM: c_int = 3;
pub const WR_RDMA_READ: c_int = 4;
pub const WR_LOCAL_INVALIDATE: c_int = 7;
pub const WR_BIND_WINDOW: c_int = 8;

/// `ibv_wc_status`.
pub const WC_SUCCESS: c_int = 0;
/// What a request of a broken connection comes back with.
pub const WC_FLUSHED: c_int = 5;
/// The peer takes no such request.
pub const WC_REMOTE_REQUEST: c_int = 9;
/// The peer does not allow what was asked of its memory.
pub const WC_REMOTE_ACCESS: c_int = 10;
/// `ibv_wc_flags`: immediate data came along.
pub const WC_WITH_IMM: c_uint = 1 << 1;

/// `rdma_cm_event_type`.
pub const EVENT_ADDR_RESOLVED: c_int = 0;
pub const EVENT_ADDR_ERROR: c_int = 1;
pub const EVENT_ROUTE_RESOLVED: c_int = 2;
pub const EVENT_ROUTE_ERROR: c_int = 3;
pub const EVENT_CONNECT_REQUEST: c_int = 4;
pub const EVENT_CONNECT_ERROR: c_int = 6;
pub const EVENT_UNREACHABLE: c_int = 7;
pub const EVENT_REJECTED: c_int = 8;
pub const EVENT_ESTABLISHED: c_int = 9;
pub const EVENT_DISCONNECTED: c_int = 10;
pub const EVENT_DEVICE_REMOVAL: c_int = 11;

macro_rules! opaque {
    ($($(#[$about:meta])* $name:ident,)*) => {
        $($(#[$about])*
        #[repr(C)]
        pub struct $name {
            _opaque: [u8; 0],
        })*
    };
}

opaque! {
    /// `struct ibv_device`.
    Device,
    /// `struct ibv_pd`.
    ProtectionDomain,
}

type Unused = *const c_void;

/// `struct ibv_context`: an open device and its fast functions.
#[repr(C)]
pub struct Context {
    pub device: *mut Device,
    unused: [Unused; 7],
    /// Null where the device has no windows.
    pub alloc_mw: Option<unsafe extern "C" fn(*mut ProtectionDomain, c_int) -> *mut MemoryWindow>,
    unused_1: Unused,
    pub dealloc_mw: Option<unsafe extern "C" fn(*mut MemoryWindow) -> c_int>,
    unused_compat: Unused,
    pub poll_cq: unsafe extern "C" fn(*mut CompletionQueue, c_int, *mut WorkCompletion) -> c_int,
    pub req_notify_cq: unsafe extern "C" fn(*mut CompletionQueue, c_int) -> c_int,
    unused_2: [Unused; 7],
    pub post_srq_recv: unsafe extern "C" fn(
        *mut SharedReceiveQueue,
        *mut ReceiveRequest,
        *mut *mut ReceiveRequest,
    ) -> c_int,
    unused_3: [Unused; 4],
    pub post_send:
        unsafe extern "C" fn(*mut QueuePair, *mut SendRequest, *mut *mut SendRequest) -> c_int,
    pub post_recv: unsafe extern "C" fn(
        *mut QueuePair,
        *mut ReceiveRequest,
        *mut *mut ReceiveRequest,
    ) -> c_int,
}

/// `struct ibv_mr`: registered memory.
#[repr(C)]
pub struct MemoryRegion {
    pub context: *mut Context,
    pub domain: *mut ProtectionDomain,
    pub address: *mut c_void,
    pub length: usize,
    handle: u32,
    pub lkey: u32,
    pub rkey: u32,
}

/// `struct ibv_mw`: a window into registered memory.
#[repr(C)]
pub struct MemoryWindow {
    pub context: *mut Context,
    pub domain: *mut ProtectionDomain,
    pub rkey: u32,
    handle: u32,
    kind: c_int,
}

/// `struct ibv_comp_channel`.
#[repr(C)]
pub struct CompletionChannel {
    pub context: *mut Context,
    pub fd: c_int,
    references: c_int,
}

/// `struct ibv_cq`, its beginning.
#[repr(C)]
pub struct CompletionQueue {
    pub context: *mut Context,
}

/// `struct ibv_srq`, its beginning.
#[repr(C)]
pub struct SharedReceiveQueue {
    pub context: *mut Context,
}

/// `struct ibv_srq_init_attr`.
#[repr(C)]
pub struct SharedReceiveQueueOptions {
    pub user: *mut c_void,
    pub requests_max: u32,
    pub slices_max: u32,
    pub limit: u32,
}

/// `struct ibv_qp`, its beginning.
#[repr(C)]
pub struct QueuePair {
    pub context: *mut Context,
    user: *mut c_void,
    domain: *mut ProtectionDomain,
    send_queue: *mut CompletionQueue,
    receive_queue: *mut CompletionQueue,
    shared: *mut SharedReceiveQueue,
    handle: u32,
    pub number: u32,
}

/// `struct ibv_qp_init_attr`.
#[repr(C)]
pub struct QueuePairOptions {
    pub user: *mut c_void,
    pub send_queue: *mut CompletionQueue,
    pub receive_queue: *mut CompletionQueue,
    pub shared: *mut SharedReceiveQueue,
    pub send_requests_max: u32,
    pub receive_requests_max: u32,
    pub send_slices_max: u32,
    pub receive_slices_max: u32,
    pub inline_bytes_max: u32,
    pub kind: c_int,
    pub all_signaled: c_int,
}

/// `struct ibv_sge`: a piece of registered memory.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub address: u64,
    pub length: u32,
    pub lkey: u32,
}

/// `struct ibv_recv_wr`.
#[repr(C)]
pub struct ReceiveRequest {
    pub user: u64,
    pub next: *mut ReceiveRequest,
    pub slices: *mut Slice,
    pub slice_count: c_int,
}

/// `ibv_send_wr.bind_mw`: which window is bound to what, under which key.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bind {
    pub window: *mut MemoryWindow,
    pub key: u32,
    pub region: *mut MemoryRegion,
    pub address: u64,
    pub length: u64,
    pub access: c_uint,
}

/// `struct ibv_send_wr`, with the members of its unions that SEND, READ, WRITE and windows use.
#[repr(C)]
pub struct SendRequest {
    pub user: u64,
    pub next: *mut SendRequest,
    pub slices: *mut Slice,
    pub slice_count: c_int,
    pub opcode: c_int,
    pub flags: c_uint,
    /// In network byte order; or the key that is invalidated, as it is.
    pub immediate: u32,
    pub remote_address: u64,
    pub remote_key: u32,
    /// Of other kinds of request.
    pub unused: [u64; 3],
    pub bind: Bind,
}

impl SendRequest {
    /// A request without anything, to be filled in.
    pub const EMPTY: SendRequest = SendRequest {
        user: 0,
        next: std::ptr::null_mut(),
        slices: std::ptr::null_mut(),
        slice_count: 0,
        opcode: 0,
        flags: 0,
        immediate: 0,
        remote_address: 0,
        remote_key: 0,
        unused: [0; 3],
        bind: Bind {
            window: std::ptr::null_mut(),
            key: 0,
            region: std::ptr::null_mut(),
            address: 0,
            length: 0,
            access: 0,
        },
    };
}

/// `struct ibv_wc`. Of a failed request only `user`, `status`, `queue_pair` and `vendor_error` mean
/// something.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct WorkCompletion {
    pub user: u64,
    pub status: c_int,
    pub opcode: c_int,
    pub vendor_error: u32,
    pub length: u32,
    /// In network byte order.
    pub immediate: u32,
    pub queue_pair: u32,
    source: u32,
    pub flags: c_uint,
    unused: [u16; 3],
}

/// `struct ibv_device_attr`, as far as it is looked at.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DeviceAttributes {
    pub firmware: [u8; 64],
    guids: [u64; 4],
    ids: [u32; 3],
    pub queue_pairs_max: c_int,
    pub requests_max: c_int,
    pub capabilities: c_uint,
    pub slices_max: c_int,
    unused: c_int,
    pub completion_queues_max: c_int,
    pub completions_max: c_int,
    pub regions_max: c_int,
    domains_max: c_int,
    /// Reads of a peer that a queue pair answers at a time.
    pub reads_answered_max: c_int,
    unused_2: [c_int; 2],
    /// Reads that a queue pair may have under way.
    pub reads_asked_max: c_int,
    unused_5: [c_int; 4],
    pub windows_max: c_int,
    unused_6: [c_int; 8],
    pub shared_queues_max: c_int,
    pub shared_requests_max: c_int,
    unused_3: c_int,
    unused_4: [u16; 2],
}

impl DeviceAttributes {
    /// All zero, to be filled in.
    pub const EMPTY: DeviceAttributes = DeviceAttributes {
        firmware: [0; 64],
        guids: [0; 4],
        ids: [0; 3],
        queue_pairs_max: 0,
        requests_max: 0,
        capabilities: 0,
        slices_max: 0,
        unused: 0,
        completion_queues_max: 0,
        completions_max: 0,
        regions_max: 0,
        domains_max: 0,
        reads_answered_max: 0,
        unused_2: [0; 2],
        reads_asked_max: 0,
        unused_5: [0; 4],
        windows_max: 0,
        unused_6: [0; 8],
        shared_queues_max: 0,
        shared_requests_max: 0,
        unused_3: 0,
        unused_4: [0; 2],
    };
}

/// `struct rdma_event_channel`.
#[repr(C)]
pub struct EventChannel {
    pub fd: c_int,
}

/// `struct rdma_cm_id`, its beginning.
#[repr(C)]
pub struct CmId {
    pub context: *mut Context,
    pub channel: *mut EventChannel,
    pub user: *mut c_void,
    pub queue_pair: *mut QueuePair,
    pub source: libc::sockaddr_storage,
    pub destination: libc::sockaddr_storage,
}

/// `struct rdma_conn_param`.
#[repr(C)]
pub struct ConnectionParameters {
    pub private_data: *const c_void,
    pub private_data_length: u8,
    pub responder_resources: u8,
    pub initiator_depth: u8,
    pub flow_control: u8,
    pub retry_count: u8,
    pub rnr_retry_count: u8,
    pub shared: u8,
    pub queue_pair: u32,
}

/// `struct rdma_cm_event`; its union is as of connections.
#[repr(C)]
pub struct CmEvent {
    pub id: *mut CmId,
    pub listener: *mut CmId,
    pub event: c_int,
    pub status: c_int,
    pub connection: ConnectionParameters,
}

/// As `offsetof` and `sizeof` say on a host with the headers (`tests/headers.rs` asks them).
const _: () = {
    assert!(std::mem::offset_of!(Context, poll_cq) == 96);
    assert!(std::mem::offset_of!(Context, post_srq_recv) == 168);
    assert!(std::mem::offset_of!(Context, post_send) == 208);
    assert!(size_of::<SendRequest>() == 128);
    assert!(size_of::<WorkCompletion>() == 48);
    assert!(size_of::<DeviceAttributes>() == 232);
};
