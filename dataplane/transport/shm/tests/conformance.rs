//! Shared-memory clients pass the suite that every transport passes: alone, and beside kernel
//! sockets, where both kinds of client do.

mod network;

use precursor_transport_port::conformance_suite;

use network::{ShmBesideKernel, ShmNetwork, TcpBesideShm};

conformance_suite!(alone, ShmNetwork::new());
conformance_suite!(beside_kernel_sockets, ShmBesideKernel::new());
conformance_suite!(kernel_sockets_beside, TcpBesideShm::new());
