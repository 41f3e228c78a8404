//! Metrics that clients push to the broker (KIP-714): which ones they are asked for, what is known
//! of each client, and the series that came.
//!
//! Pure: the time and new ids come from the caller. Everything that a client decides (sizes, names,
//! how many series, how many clients) has a bound.
#![forbid(unsafe_code)]

mod clients;
mod otlp;
mod push;
mod series;
mod subscription;
mod wire;

pub use clients::{ACCEPTED_CODECS, Client, Counts, Granted, INSTANCES_MAX, Push, Telemetry};
pub use otlp::{Decoded, Sample, SampleKind};
pub use push::{PushRefused, decode};
pub use series::{ClientFamily, ClientSeries, SERIES_MAX, SERIES_PER_CLIENT_MAX};
pub use subscription::{
    OPTIONS, OptionError, Subscription, SubscriptionOption, check_option, find_option,
};
