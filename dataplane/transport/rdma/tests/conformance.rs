//! RDMA clients pass the suite that every transport passes; TCP clients beside them are held to those
//! of its rules that are about ids, events and waits, which are two transports' together.
//! Needs an RDMA device: `scripts/lab` has one.

mod network;

use precursor_transport_port::conformance_suite;

use network::{RdmaNetwork, TcpBesideRdma};

conformance_suite!(rdma, RdmaNetwork::new());
conformance_suite!(kernel_sockets_beside, TcpBesideRdma::new(),
    bytes_arrive_in_order
    a_reset_is_no_end
    stale_ids_name_nothing
    a_connection_above_the_limit_is_ended
    stop_listening_keeps_connections
    events_never_exceed_their_capacity
    full_events_lose_nothing
    a_wait_ends_by_bytes
    a_wait_ends_by_time
    a_wait_ends_by_a_watched_descriptor
    nothing_names_a_closed_connection
);
