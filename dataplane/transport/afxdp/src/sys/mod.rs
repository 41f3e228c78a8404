//! All unsafe code of this crate: system calls behind safe functions, and the memory that is shared
//! with the kernel.

mod bpf;
mod link;
mod memory;
mod packet;
mod socket;

#[cfg(test)]
pub(crate) use bpf::run_program;
pub(crate) use bpf::{attach_program, load_program, new_socket_map, set_socket};
pub(crate) use link::{Link, link};
pub(crate) use memory::{Chunks, Descriptor, RingMemory};
pub(crate) use packet::{join_multicast, new_packet_socket, receive_packet, send_packet};
pub(crate) use socket::{
    add_to_wait, bind, is_zero_copy, new_socket, new_wait_set, pending_error, register_chunks,
    ring_offsets, set_integer, set_ring_frames, statistics, wake_receiving, wake_sending,
};

use std::io;

use libc::c_int;

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
