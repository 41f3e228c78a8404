use super::*;
use proptest::prelude::*;
use prost::Message;

/// The schema's messages as another implementation of protobuf writes them.
#[derive(Clone, PartialEq, Message)]
struct MetricsData {
    #[prost(message, repeated, tag = "1")]
    resource_metrics: Vec<ResourceMetrics>,
}
#[derive(Clone, PartialEq, Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_metrics: Vec<ScopeMetrics>,
    #[prost(string, tag = "3")]
    schema_url: String,
}
#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}
#[derive(Clone, PartialEq, Message)]
struct ScopeMetrics {
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<PushedMetric>,
}
#[derive(Clone, PartialEq, Message)]
struct PushedMetric {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "5")]
    gauge: Option<Points>,
    #[prost(message, optional, tag = "7")]
    sum: Option<Points>,
    #[prost(message, optional, tag = "9")]
    histogram: Option<Histogram>,
    #[prost(message, optional, tag = "11")]
    summary: Option<Points>,
}
#[derive(Clone, PartialEq, Message)]
struct Points {
    #[prost(message, repeated, tag = "1")]
    points: Vec<Point>,
    #[prost(int32, tag = "2")]
    temporality: i32,
    #[prost(bool, tag = "3")]
    monotonic: bool,
}
#[derive(Clone, PartialEq, Message)]
struct Point {
    #[prost(fixed64, tag = "3")]
    time_ns: u64,
    #[prost(double, optional, tag = "4")]
    double: Option<f64>,
    #[prost(sfixed64, optional, tag = "6")]
    int: Option<i64>,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}
#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(message, repeated, tag = "1")]
    points: Vec<HistogramPoint>,
    #[prost(int32, tag = "2")]
    temporality: i32,
}
#[derive(Clone, PartialEq, Message)]
struct HistogramPoint {
    #[prost(fixed64, tag = "4")]
    count: u64,
    #[prost(double, optional, tag = "5")]
    sum: Option<f64>,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}
#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}
#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(int64, optional, tag = "3")]
    int: Option<i64>,
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = AnyValue {
        text: Some(value.into()),
        int: None,
    };
    KeyValue {
        key: key.into(),
        value: Some(value),
    }
}

fn number(key: &str, value: i64) -> KeyValue {
    let value = AnyValue {
        text: None,
        int: Some(value),
    };
    KeyValue {
        key: key.into(),
        value: Some(value),
    }
}

fn metric(name: &str) -> PushedMetric {
    PushedMetric {
        name: name.into(),
        ..PushedMetric::default()
    }
}

fn data(metrics: Vec<PushedMetric>) -> Vec<u8> {
    let resource = Resource {
        attributes: vec![text("group_id", "g")],
    };
    let of_resource = ResourceMetrics {
        resource: Some(resource),
        scope_metrics: vec![ScopeMetrics { metrics }],
        schema_url: "unknown here".into(),
    };
    MetricsData {
        resource_metrics: vec![of_resource],
    }
    .encode_to_vec()
}

#[test]
fn gauges_sums_and_histograms_are_read() {
    let point = |double, int| Point {
        time_ns: 1,
        double,
        int,
        attributes: vec![number("node.id", -1)],
    };
    let points = |points, temporality, monotonic| {
        Some(Points {
            points,
            temporality,
            monotonic,
        })
    };
    let bytes = data(vec![
        PushedMetric {
            gauge: points(vec![point(Some(1.5), None)], 0, false),
            ..metric("g")
        },
        PushedMetric {
            sum: points(vec![point(None, Some(-3))], 1, true),
            ..metric("d")
        },
        PushedMetric {
            sum: points(vec![point(Some(4.0), None)], 2, true),
            ..metric("t")
        },
        PushedMetric {
            sum: points(vec![point(Some(5.0), None)], 1, false),
            ..metric("u")
        },
        PushedMetric {
            histogram: Some(Histogram {
                points: vec![HistogramPoint {
                    count: 2,
                    sum: Some(7.0),
                    attributes: vec![],
                }],
                temporality: 1,
            }),
            ..metric("h")
        },
        PushedMetric {
            gauge: points(vec![point(None, None)], 0, false),
            ..metric("empty")
        },
        PushedMetric {
            summary: points(vec![point(None, None)], 0, false),
            ..metric("s")
        },
    ]);
    let decoded = metrics_data(&bytes).unwrap();
    assert_eq!(decoded.left_out, 2);
    let seen: Vec<_> = decoded
        .samples
        .iter()
        .map(|s| (&*s.name, s.kind, s.value))
        .collect();
    let expected = [
        ("g", SampleKind::Gauge, 1.5),
        ("d", SampleKind::Increase, -3.0),
        ("t", SampleKind::Total, 4.0),
        ("u", SampleKind::Gauge, 5.0),
        ("h.count", SampleKind::Increase, 2.0),
        ("h.sum", SampleKind::Increase, 7.0),
    ];
    assert_eq!(seen, expected);
    let labels = [("group_id", "g"), ("node.id", "-1")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(decoded.samples[0].labels, labels);
}

#[test]
fn what_a_client_makes_large_is_bounded() {
    let attributes = (0..1_000).map(|n| text(&format!("k{n}"), &"ü".repeat(500)));
    let point = Point {
        double: Some(1.0),
        attributes: attributes.collect(),
        ..Point::default()
    };
    let points = Points {
        points: vec![point],
        ..Points::default()
    };
    let decoded = metrics_data(&data(vec![PushedMetric {
        gauge: Some(points),
        ..metric("g")
    }]));
    let labels = &decoded.unwrap().samples[0].labels;
    assert_eq!(labels.len(), LABELS_MAX);
    assert!(
        labels
            .iter()
            .all(|(_, value)| value.len() <= LABEL_BYTES_MAX)
    );

    let point = Point {
        double: Some(1.0),
        ..Point::default()
    };
    let points = Points {
        points: vec![point; 10_000],
        ..Points::default()
    };
    let many = data(vec![PushedMetric {
        gauge: Some(points),
        ..metric("g")
    }]);
    assert_eq!(metrics_data(&many).unwrap().samples.len(), SAMPLES_MAX);
    let long = data(vec![PushedMetric {
        gauge: Some(Points::default()),
        ..metric(&"x".repeat(300))
    }]);
    assert_eq!(metrics_data(&long), Err(Malformed));
}

proptest! {
    /// Whatever bytes come, reading them ends in numbers or a refusal.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = metrics_data(&bytes);
    }

    #[test]
    fn a_cut_or_changed_message_is_read_or_refused(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()
    ) {
        let point = Point { double: Some(1.0), attributes: vec![text("a", "b")], ..Point::default() };
        let points = Points { points: vec![point; 3], temporality: 1, monotonic: true };
        let mut bytes = data(vec![PushedMetric { sum: Some(points), ..metric("m") }]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Ok(decoded) = metrics_data(&bytes) {
            prop_assert!(decoded.samples.len() <= 3);
        }
    }
}
