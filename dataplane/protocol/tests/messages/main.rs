//! Random messages: against another implementation, against views and writers, and damaged.

mod generated_oracle;
mod generated_random;
mod oracle;
mod random;
mod vectors;
mod views;
mod writers;
