//! Both drivers pass the suite that every transport passes.

mod client;

use precursor_transport_kernel::Driver;
use precursor_transport_port::conformance_suite;

use client::KernelNetwork;

conformance_suite!(epoll, KernelNetwork::new(Driver::Epoll));
conformance_suite!(io_uring, KernelNetwork::new(Driver::IoUring));
