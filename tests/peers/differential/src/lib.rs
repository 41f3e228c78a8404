//! The same request sequences, made from a seed, to two brokers in step: their answers must be the
//! same, field by field, but for what is named in [`known`].
#![forbid(unsafe_code)]

pub mod compare;
mod dice;
pub mod kafka;
pub mod known;
pub mod pair;
pub mod run;
mod steps;
mod subject;
