//! Symbols of libibverbs and librdmacm, as far as reliable connections need them.
//!
//! Both libraries keep their binary interface stable, so that their structures are declared here
//! ([`layout`]) and no header is needed to build: one program serves hosts with and without RDMA.
//! [`Rdma::open`] gives the libraries' names to the dynamic loader; until it is called nothing of
//! them is loaded, and where one is missing that is one sentence. What the headers have as static
//! inlines (posting and polling) goes through the functions that a device's context holds.
//!
//! Raw symbols only: `precursor-transport-rdma` makes connections of them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt;

mod layout;

pub use layout::*;

/// Why RDMA cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// A library is not installed: its file name, the packages that have it, the loader's words.
    Missing {
        library: &'static str,
        packages: &'static str,
        why: String,
    },
    /// A library is there and lacks a symbol.
    TooOld { library: &'static str, why: String },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Missing {
                library,
                packages,
                why,
            } => write!(f, "rdma: {library} is not here; install {packages} ({why})"),
            OpenError::TooOld { library, why } => {
                write!(
                    f,
                    "rdma: {library} is too old ({why}); install rdma-core 22 or newer"
                )
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// The functions of both libraries; their manual pages say what they do.
pub struct Rdma {
    pub get_device_list: unsafe extern "C" fn(*mut c_int) -> *mut *mut Device,
    pub free_device_list: unsafe extern "C" fn(*mut *mut Device),
    pub get_device_name: unsafe extern "C" fn(*mut Device) -> *const c_char,
    pub query_device: unsafe extern "C" fn(*mut Context, *mut DeviceAttributes) -> c_int,
    pub alloc_pd: unsafe extern "C" fn(*mut Context) -> *mut ProtectionDomain,
    pub dealloc_pd: unsafe extern "C" fn(*mut ProtectionDomain) -> c_int,
    pub reg_mr:
        unsafe extern "C" fn(*mut ProtectionDomain, *mut c_void, usize, c_int) -> *mut MemoryRegion,
    pub dereg_mr: unsafe extern "C" fn(*mut MemoryRegion) -> c_int,
    pub create_comp_channel: unsafe extern "C" fn(*mut Context) -> *mut CompletionChannel,
    pub destroy_comp_channel: unsafe extern "C" fn(*mut CompletionChannel) -> c_int,
    pub create_cq: unsafe extern "C" fn(
        *mut Context,
        c_int,
        *mut c_void,
        *mut CompletionChannel,
        c_int,
    ) -> *mut CompletionQueue,
    pub destroy_cq: unsafe extern "C" fn(*mut CompletionQueue) -> c_int,
    pub get_cq_event: unsafe extern "C" fn(
        *mut CompletionChannel,
        *mut *mut CompletionQueue,
        *mut *mut c_void,
    ) -> c_int,
    pub ack_cq_events: unsafe extern "C" fn(*mut CompletionQueue, u32),
    pub create_srq: unsafe extern "C" fn(
        *mut ProtectionDomain,
        *mut SharedReceiveQueueOptions,
    ) -> *mut SharedReceiveQueue,
    pub destroy_srq: unsafe extern "C" fn(*mut SharedReceiveQueue) -> c_int,

    pub create_event_channel: unsafe extern "C" fn() -> *mut EventChannel,
    pub destroy_event_channel: unsafe extern "C" fn(*mut EventChannel),
    pub create_id:
        unsafe extern "C" fn(*mut EventChannel, *mut *mut CmId, *mut c_void, c_int) -> c_int,
    pub destroy_id: unsafe extern "C" fn(*mut CmId) -> c_int,
    pub bind_addr: unsafe extern "C" fn(*mut CmId, *mut libc::sockaddr) -> c_int,
    pub resolve_addr:
        unsafe extern "C" fn(*mut CmId, *mut libc::sockaddr, *mut libc::sockaddr, c_int) -> c_int,
    pub resolve_route: unsafe extern "C" fn(*mut CmId, c_int) -> c_int,
    pub create_qp:
        unsafe extern "C" fn(*mut CmId, *mut ProtectionDomain, *mut QueuePairOptions) -> c_int,
    pub destroy_qp: unsafe extern "C" fn(*mut CmId),
    pub connect: unsafe extern "C" fn(*mut CmId, *mut ConnectionParameters) -> c_int,
    pub listen: unsafe extern "C" fn(*mut CmId, c_int) -> c_int,
    pub accept: unsafe extern "C" fn(*mut CmId, *mut ConnectionParameters) -> c_int,
    pub reject: unsafe extern "C" fn(*mut CmId, *const c_void, u8) -> c_int,
    pub disconnect: unsafe extern "C" fn(*mut CmId) -> c_int,
    pub get_cm_event: unsafe extern "C" fn(*mut EventChannel, *mut *mut CmEvent) -> c_int,
    pub ack_cm_event: unsafe extern "C" fn(*mut CmEvent) -> c_int,
    pub get_source_port: unsafe extern "C" fn(*mut CmId) -> u16,
}

impl Rdma {
    /// Loads both libraries. They stay until the process ends.
    ///
    /// # Errors
    /// One sentence: [`OpenError`].
    // Each field's own type says what its symbol is.
    #[allow(clippy::missing_transmute_annotations)]
    pub fn open() -> Result<Rdma, OpenError> {
        let verbs = Library::load(
            c"libibverbs.so.1",
            "libibverbs.so.1",
            "rdma-core/libibverbs1",
        )?;
        let cm = Library::load(c"librdmacm.so.1", "librdmacm.so.1", "rdma-core/librdmacm1")?;
        macro_rules! symbols {
            ($($field:ident: $library:ident $name:literal,)*) => {
                Rdma {
                    $($field: {
                        let symbol = $library.symbol($name)?;
                        // SAFETY: the library's manual declares the symbol of this name with this
                        // signature, and it is never unloaded.
                        unsafe { std::mem::transmute(symbol) }
                    },)*
                }
            };
        }
        Ok(symbols! {
            get_device_list: verbs c"ibv_get_device_list",
            free_device_list: verbs c"ibv_free_device_list",
            get_device_name: verbs c"ibv_get_device_name",
            query_device: verbs c"ibv_query_device",
            alloc_pd: verbs c"ibv_alloc_pd",
            dealloc_pd: verbs c"ibv_dealloc_pd",
            reg_mr: verbs c"ibv_reg_mr",
            dereg_mr: verbs c"ibv_dereg_mr",
            create_comp_channel: verbs c"ibv_create_comp_channel",
            destroy_comp_channel: verbs c"ibv_destroy_comp_channel",
            create_cq: verbs c"ibv_create_cq",
            destroy_cq: verbs c"ibv_destroy_cq",
            get_cq_event: verbs c"ibv_get_cq_event",
            ack_cq_events: verbs c"ibv_ack_cq_events",
            create_srq: verbs c"ibv_create_srq",
            destroy_srq: verbs c"ibv_destroy_srq",
            create_event_channel: cm c"rdma_create_event_channel",
            destroy_event_channel: cm c"rdma_destroy_event_channel",
            create_id: cm c"rdma_create_id",
            destroy_id: cm c"rdma_destroy_id",
            bind_addr: cm c"rdma_bind_addr",
            resolve_addr: cm c"rdma_resolve_addr",
            resolve_route: cm c"rdma_resolve_route",
            create_qp: cm c"rdma_create_qp",
            destroy_qp: cm c"rdma_destroy_qp",
            connect: cm c"rdma_connect",
            listen: cm c"rdma_listen",
            accept: cm c"rdma_accept",
            reject: cm c"rdma_reject",
            disconnect: cm c"rdma_disconnect",
            get_cm_event: cm c"rdma_get_cm_event",
            ack_cm_event: cm c"rdma_ack_cm_event",
            get_source_port: cm c"rdma_get_src_port",
        })
    }

    /// The names of this host's RDMA devices.
    pub fn devices(&self) -> Vec<String> {
        let mut count = 0;
        // SAFETY: the list is the library's own until it is freed, has `count` entries, and the
        // names in it are read before that.
        unsafe {
            let list = (self.get_device_list)(&mut count);
            if list.is_null() {
                return Vec::new();
            }
            let names = (0..usize::try_from(count).unwrap_or(0))
                .map(|at| CStr::from_ptr((self.get_device_name)(*list.add(at))))
                .map(|name| name.to_string_lossy().into_owned())
                .collect();
            (self.free_device_list)(list);
            names
        }
    }
}

/// A loaded library, for as long as the process lives.
struct Library {
    handle: *mut c_void,
    name: &'static str,
}

impl Library {
    fn load(file: &CStr, name: &'static str, packages: &'static str) -> Result<Library, OpenError> {
        // SAFETY: the name ends in a zero. The initialisers of these libraries register drivers
        // and read nothing of ours.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        match handle.is_null() {
            true => Err(OpenError::Missing {
                library: name,
                packages,
                why: last_error(),
            }),
            false => Ok(Library { handle, name }),
        }
    }

    fn symbol(&self, name: &CStr) -> Result<*mut c_void, OpenError> {
        // SAFETY: the handle is open and the name ends in a zero.
        let symbol = unsafe { libc::dlsym(self.handle, name.as_ptr()) };
        match symbol.is_null() {
            true => Err(OpenError::TooOld {
                library: self.name,
                why: last_error(),
            }),
            false => Ok(symbol),
        }
    }
}

fn last_error() -> String {
    // SAFETY: the text is the loader's own and is copied before another call changes it.
    unsafe {
        let text = libc::dlerror();
        match text.is_null() {
            true => String::from("the loader does not say why"),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_one_sentence_that_names_what_to_install() {
        let refusal = Library::load(c"libibverbs.so.999", "libibverbs.so.999", "rdma-core/none");
        let sentence = refusal.err().expect("there is no such library").to_string();
        assert!(
            sentence.starts_with("rdma: libibverbs.so.999 is not here; install rdma-core/none"),
            "{sentence}"
        );
        assert!(!sentence.contains('\n'), "{sentence}");
    }

    /// Where both are installed they have every symbol; elsewhere the sentence says what is missing.
    #[test]
    fn what_is_installed_is_opened() {
        match Rdma::open() {
            Ok(rdma) => drop(rdma.devices()),
            Err(OpenError::Missing { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
