//! The stack against itself and against smoltcp over a network with seeded faults, packet scripts for
//! the rules of the RFCs, and what it costs.

mod double;
mod ours;
mod random;
mod smol;
mod streams;
