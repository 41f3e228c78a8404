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
conformance_suite!(rdma_by_send, RdmaNetwork::by_send(),
    bytes_arrive_in_order
    a_full_connection_blocks_and_tells_when_it_can_go_on
    an_end_after_bytes_is_seen_after_the_bytes
    a_half_closed_client_still_receives
    close_delivers_what_was_taken
);
