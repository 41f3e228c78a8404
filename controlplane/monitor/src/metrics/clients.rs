//! What clients have pushed of their own metrics (KIP-714).

use crate::families::{Families, Kind, Label};
use crate::server::MonitorOptions;
use std::sync::PoisonError;

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let (counts, pushed) = {
        let telemetry = &options.telemetry;
        let telemetry = telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        (telemetry.counts(), telemetry.families())
    };
    let gauges = [
        (
            "telemetry_clients",
            "Clients that ask which metrics to push.",
            counts.clients,
        ),
        (
            "telemetry_series",
            "Series that clients have pushed.",
            counts.series,
        ),
    ];
    for (name, help, value) in gauges {
        families.add_single(Kind::Gauge, name, help, value as f64);
    }
    let counters = [
        (
            "telemetry_pushes",
            "Pushes of clients' metrics that were taken.",
            counts.pushes,
        ),
        (
            "telemetry_pushes_refused",
            "Pushes of clients' metrics that were refused.",
            counts.pushes_refused,
        ),
        (
            "telemetry_samples_left_out",
            "Numbers that were pushed and not kept: too many, or not told in a way that is kept.",
            counts.samples_left_out,
        ),
    ];
    for (name, help, value) in counters {
        families.add_single(Kind::Counter, name, help, value as f64);
    }
    for family in pushed {
        let kind = if family.counter {
            Kind::Counter
        } else {
            Kind::Gauge
        };
        let mut of_clients = families.begin(kind, &family.name, "Pushed by clients.");
        for series in &family.series {
            let labels = series.labels.iter();
            let labels: Vec<Label<'_>> = labels.map(|(name, value)| (&**name, &**value)).collect();
            of_clients.sample(&labels, series.value);
        }
        families.add(of_clients);
    }
}
