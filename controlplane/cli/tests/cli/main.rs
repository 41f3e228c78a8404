//! The program `precursor` as its users meet it.
//!
//! The tests with a broker need the two other programs beside this one: `cargo build --bins`.

mod administration;
mod broker;
mod groups;
mod grpc;
mod manual;
mod options;
mod records;
mod refusals;
mod storage;
mod views;
