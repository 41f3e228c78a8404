//! The region between processes: killed ones, racing ones, full and huge filesystems.
//!
//! Children are this very binary, told by its environment which part to play ([`support::child`]).

mod allocations;
mod filesystems;
mod idle;
mod killed;
mod race;
mod support;
