//! Random messages: against another implementation, against views and writers, and damaged.

mod batches;
mod generated_oracle;
mod generated_random;
mod oracle;
mod random;
mod vectors;
mod views;
mod writers;
