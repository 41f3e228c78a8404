//! The engine from outside: requests in, commands out.

mod admin;
mod harness;
mod membership;
mod offsets;
mod vectors;
