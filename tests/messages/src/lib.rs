//! Random messages: against another implementation, against views and writers, and damaged.
//!
//! A crate of its own, because much of it is generated and runs once: the protocol's crate is
//! optimised in tests too, and to optimise this takes longer than it runs.
#![forbid(unsafe_code)]
#![cfg(test)]

mod batches;
mod generated_oracle;
mod generated_random;
mod oracle;
mod random;
mod vectors;
mod views;
mod writers;
