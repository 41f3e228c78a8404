//! Kafka requests that the control plane answers.
#![forbid(unsafe_code)]
