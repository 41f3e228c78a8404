use super::*;
use crate::otlp::{Sample, SampleKind};

const CLIENT: Client<'static> = Client {
    id: "app-1",
    software_name: "apache-kafka-java",
    software_version: "4.3.1",
    address: "10.0.0.7",
    port: "40000",
};
const ID: InstanceId = [7; 16];
const BYTES_MAX: usize = 1_000;

fn subscriptions(all: &[(&str, &[(&str, &str)])]) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let set = |(name, options): &(&str, &[(&str, &str)])| {
        ((*name).to_owned(), options.iter().map(text).collect())
    };
    all.iter().map(set).collect()
}

fn telemetry() -> Telemetry {
    let mut telemetry = Telemetry::default();
    telemetry.subscribe(
        1,
        subscriptions(&[
            ("all", &[("metrics", "a.,b."), ("interval.ms", "5000")]),
            (
                "some",
                &[("metrics", "b.,c."), ("match", "client_id=app-.*")],
            ),
            ("others", &[("metrics", "*"), ("match", "client_id=else")]),
        ]),
    );
    telemetry
}

fn push(granted: &Granted) -> Push {
    Push {
        instance_id: granted.instance_id,
        subscription_id: granted.subscription_id,
        terminating: false,
        compression_type: 4,
        length: 10,
    }
}

fn one_sample() -> Decoded {
    let sample = Sample {
        name: "m".into(),
        kind: SampleKind::Gauge,
        labels: vec![],
        value: 1.0,
    };
    Decoded {
        samples: vec![sample],
        left_out: 0,
    }
}

#[test]
fn a_client_is_asked_for_all_that_fits_it() {
    let mut telemetry = telemetry();
    let granted = telemetry.ask(ID, &CLIENT, 0).unwrap();
    assert_eq!(granted.metrics, ["a.", "b.", "c."]);
    assert_eq!(granted.push_interval_ms, 5_000);
    let other = Client {
        id: "else",
        ..CLIENT
    };
    let everything = telemetry.ask([8; 16], &other, 0).unwrap();
    assert_eq!(everything.metrics, ["*"]);
    assert_ne!(everything.subscription_id, granted.subscription_id);
    // Nothing is asked for where nothing fits.
    telemetry.subscribe(2, BTreeMap::new());
    let nothing = telemetry.ask(ID, &CLIENT, 1).unwrap();
    assert!(nothing.metrics.is_empty());
    assert_eq!(nothing.push_interval_ms, 300_000);
}

#[test]
fn requests_come_once_an_interval() {
    use ErrorCode::ThrottlingQuotaExceeded;
    let mut telemetry = telemetry();
    let granted = telemetry.ask(ID, &CLIENT, 1_000).unwrap();
    assert_eq!(
        telemetry.ask(ID, &CLIENT, 1_001),
        Err(ThrottlingQuotaExceeded)
    );
    let push = push(&granted);
    // The first push may come early, the next one not.
    assert_eq!(
        telemetry.admit(&push, BYTES_MAX, &CLIENT, 2_000),
        Ok(Codec::Zstd)
    );
    let early = telemetry.admit(&push, BYTES_MAX, &CLIENT, 6_999);
    assert_eq!(early, Err(ThrottlingQuotaExceeded));
    assert_eq!(
        telemetry.admit(&push, BYTES_MAX, &CLIENT, 7_000),
        Ok(Codec::Zstd)
    );
    // The last one comes when it comes; nothing comes after it.
    let last = Push {
        terminating: true,
        ..push
    };
    assert_eq!(
        telemetry.admit(&last, BYTES_MAX, &CLIENT, 7_001),
        Ok(Codec::Zstd)
    );
    let after = telemetry.admit(&push, BYTES_MAX, &CLIENT, 20_000);
    assert_eq!(after, Err(ErrorCode::InvalidRequest));
    assert_eq!(telemetry.counts().pushes, 3);
    assert_eq!(telemetry.counts().pushes_refused, 2);
}

#[test]
fn a_changed_subscription_reaches_the_client_at_once() {
    let mut telemetry = telemetry();
    let granted = telemetry.ask(ID, &CLIENT, 0).unwrap();
    assert!(
        telemetry
            .admit(&push(&granted), BYTES_MAX, &CLIENT, 1)
            .is_ok()
    );
    telemetry.record(ID, &one_sample());
    telemetry.subscribe(2, subscriptions(&[("all", &[("metrics", "z.")])]));
    let refused = telemetry.admit(&push(&granted), BYTES_MAX, &CLIENT, 5_001);
    assert_eq!(refused, Err(ErrorCode::UnknownSubscriptionId));
    let granted = telemetry.ask(ID, &CLIENT, 5_002).unwrap();
    assert_eq!(granted.metrics, ["z."]);
    assert_eq!(telemetry.families().len(), 1, "what was pushed stays");
    // Another change of the metadata is none of the subscriptions.
    telemetry.subscribe(3, subscriptions(&[("all", &[("metrics", "z.")])]));
    assert!(telemetry.is_of(3));
    assert!(telemetry.ask(ID, &CLIENT, 5_003).is_err());
}

#[test]
fn what_cannot_be_taken_has_kafkas_code() {
    let mut telemetry = telemetry();
    let granted = telemetry.ask(ID, &CLIENT, 0).unwrap();
    let mut now_ms = 0;
    let mut refused = |push: Push| {
        now_ms += 5_000;
        telemetry
            .admit(&push, BYTES_MAX, &CLIENT, now_ms)
            .unwrap_err()
    };
    let push = push(&granted);
    let unknown = Push {
        subscription_id: 0,
        ..push
    };
    assert_eq!(refused(unknown), ErrorCode::UnknownSubscriptionId);
    let codec = Push {
        compression_type: 5,
        ..push
    };
    assert_eq!(refused(codec), ErrorCode::UnsupportedCompressionType);
    let codec = Push {
        compression_type: -1,
        ..push
    };
    assert_eq!(refused(codec), ErrorCode::UnsupportedCompressionType);
    let large = Push {
        length: BYTES_MAX + 1,
        ..push
    };
    assert_eq!(refused(large), ErrorCode::TelemetryTooLarge);
    for instance_id in RESERVED {
        assert_eq!(
            refused(Push {
                instance_id,
                ..push
            }),
            ErrorCode::InvalidRequest
        );
    }
    telemetry.unreadable(ID);
    assert!(
        telemetry.ask(ID, &CLIENT, 20_001).is_err(),
        "not one to ask anew after"
    );
}

#[test]
fn clients_are_forgotten_and_bounded() {
    let mut telemetry = telemetry();
    telemetry.ask(ID, &CLIENT, 0).unwrap();
    telemetry.record(ID, &one_sample());
    telemetry.forget(59_999);
    assert_eq!(
        (telemetry.counts().clients, telemetry.counts().series),
        (1, 1)
    );
    telemetry.forget(60_000);
    assert_eq!(
        (telemetry.counts().clients, telemetry.counts().series),
        (0, 0)
    );
    for number in 0..INSTANCES_MAX as u64 + 10 {
        let mut id = [1; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        telemetry.ask(id, &CLIENT, 100_000 + number).unwrap();
        telemetry.record(id, &one_sample());
    }
    assert_eq!(telemetry.counts().clients, INSTANCES_MAX);
    assert_eq!(telemetry.deadlines.len(), INSTANCES_MAX);
    assert_eq!(telemetry.counts().series, INSTANCES_MAX);
}
