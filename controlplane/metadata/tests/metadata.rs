//! The state machine, driven by lists of commands.

use precursor_metadata::{
    Broker, CONFIG_RESOURCES_MAX, Change, Command, ConfigAlteration, ConfigResource, Metadata,
    NewTopic, NewTopicPartition, Outcome, PARTITIONS_PER_TOPIC_MAX, QUOTAS_MAX, QuotaAlteration,
    QuotaEntity, QuotaKey, QuotaLimit, QuotaName, Refusal,
};
use precursor_model::{ErrorCode, LogUid, TopicId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn broker(id: i32) -> Command {
    Command::RegisterBroker {
        broker: Broker {
            id,
            host: String::new(),
            port: 0,
            rack: String::new(),
        },
    }
}

fn id(number: u8) -> TopicId {
    TopicId([number; 16])
}

fn topic(number: u8, name: &str, partitions: usize) -> NewTopic {
    NewTopic {
        id: id(number),
        name: name.to_owned(),
        internal: false,
        partitions: vec![
            NewTopicPartition {
                replicas: vec![(1, 0)],
                leader_epoch: 0,
            };
            partitions
        ],
        configs: BTreeMap::new(),
    }
}

fn create(topics: Vec<NewTopic>) -> Command {
    Command::CreateTopics { topics }
}

fn with_broker() -> Metadata {
    let mut state = Metadata::default();
    state.apply(&broker(1));
    state
}

fn creation(state: &mut Metadata, new: NewTopic) -> Result<TopicId, Refusal> {
    let Outcome::TopicsCreated(mut outcomes) = state.apply(&create(vec![new])).outcome else {
        panic!("another outcome");
    };
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).map(|created| created.id)
}

fn creation_error(state: &mut Metadata, new: NewTopic) -> ErrorCode {
    let before = state.clone();
    let error = creation(state, new).unwrap_err().error();
    assert_eq!(*state, before, "a refused command changes nothing");
    error
}

#[test]
fn a_topic_is_made_found_and_removed() {
    let mut state = with_broker();
    assert_eq!(state.version(), 1);
    let applied = state.apply(&create(vec![topic(1, "a", 2), topic(2, "b", 1)]));
    assert_eq!(applied.version, 2);
    assert_eq!(
        applied.changes,
        [Change::Topic(id(1)), Change::Topic(id(2))]
    );
    let logs: Vec<LogUid> = state
        .topics()
        .flat_map(|t| &t.partitions)
        .map(|p| p.replicas[0].log)
        .collect();
    assert_eq!(logs, [LogUid(1), LogUid(2), LogUid(3)]);
    assert_eq!(state.topic_named("a").map(|t| t.id), Some(id(1)));

    let applied = state.apply(&Command::DeleteTopics {
        ids: vec![id(1), id(9)],
    });
    let Outcome::TopicsDeleted(outcomes) = applied.outcome else {
        panic!("another outcome");
    };
    assert_eq!(outcomes[0], Ok("a".to_owned()));
    let refusal = outcomes[1].as_ref().unwrap_err();
    assert_eq!(refusal.error(), ErrorCode::UnknownTopicId);
    assert_eq!(applied.changes, [Change::TopicRemoved(id(1))]);
    assert_eq!(state.topic_named("a"), None);

    // A log's number never comes back, whatever its topic was called.
    creation(&mut state, topic(3, "a", 1)).unwrap();
    let log = state.topic_named("a").unwrap().partitions[0].replicas[0].log;
    assert_eq!(log, LogUid(4));
    state.check_invariants().unwrap();
}

#[test]
fn a_command_without_effect_changes_no_version() {
    let mut state = with_broker();
    assert_eq!(state.apply(&broker(1)).changes, []);
    state.apply(&Command::AllocateProducerIds { count: 5 });
    assert_eq!(state.version(), 1);
}

#[test]
fn refusals_name_kafkas_errors() {
    let mut state = with_broker();
    creation(&mut state, topic(1, "a.b", 1)).unwrap();
    for (new, error) in [
        (topic(2, "a.b", 1), ErrorCode::TopicAlreadyExists),
        (topic(2, "a_b", 1), ErrorCode::InvalidTopicException),
        (topic(2, "a b", 1), ErrorCode::InvalidTopicException),
        (topic(2, "", 1), ErrorCode::InvalidTopicException),
        (topic(2, "__cluster_metadata", 1), ErrorCode::InvalidRequest),
        (topic(1, "c", 1), ErrorCode::InvalidRequest),
        (topic(0, "c", 1), ErrorCode::InvalidRequest),
        (topic(2, "c", 0), ErrorCode::InvalidPartitions),
        (
            topic(2, "c", PARTITIONS_PER_TOPIC_MAX + 1),
            ErrorCode::InvalidPartitions,
        ),
    ] {
        assert_eq!(
            creation_error(&mut state, new.clone()),
            error,
            "{}",
            new.name
        );
    }
    let replicas = |lists: &[&[(i32, u16)]]| {
        let mut new = topic(2, "c", 0);
        new.partitions
            .extend(lists.iter().map(|list| NewTopicPartition {
                replicas: list.to_vec(),
                leader_epoch: 0,
            }));
        new
    };
    state.apply(&broker(2));
    for new in [
        replicas(&[&[]]),
        replicas(&[&[(1, 0), (1, 1)]]),
        replicas(&[&[(3, 0)]]),
        replicas(&[&[(1, 0)], &[(1, 0), (2, 0)]]),
    ] {
        let error = creation_error(&mut state, new);
        assert_eq!(error, ErrorCode::InvalidReplicaAssignment);
    }
    for (name, value) in [
        ("retention.mss", "1"),
        ("segment.bytes", "12"),
        ("retention.ms", &"1".repeat(2_000)),
    ] {
        let mut new = topic(2, "c", 1);
        new.configs.insert(name.to_owned(), value.to_owned());
        assert_eq!(creation_error(&mut state, new), ErrorCode::InvalidConfig);
    }
}

#[test]
fn the_name_that_collided_is_free_once_the_other_is_gone() {
    let mut state = with_broker();
    creation(&mut state, topic(1, "a.b", 1)).unwrap();
    state.apply(&Command::DeleteTopics { ids: vec![id(1)] });
    creation(&mut state, topic(2, "a_b", 1)).unwrap();
    state.check_invariants().unwrap();
}

#[test]
fn one_command_makes_a_bounded_number_of_partitions() {
    let mut state = with_broker();
    let applied = state.apply(&create(vec![topic(1, "a", 9_999), topic(2, "b", 2)]));
    let Outcome::TopicsCreated(outcomes) = applied.outcome else {
        panic!("another outcome");
    };
    assert!(outcomes[0].is_ok());
    let refusal = outcomes[1].as_ref().unwrap_err();
    assert_eq!(refusal.error(), ErrorCode::PolicyViolation);
    state.check_invariants().unwrap();
}

#[test]
fn partitions_are_added_with_the_topics_replication_factor() {
    let mut state = with_broker();
    state.apply(&broker(2));
    creation(&mut state, topic(1, "a", 1)).unwrap();
    let add = |replicas: Vec<(i32, u16)>| Command::CreatePartitions {
        topic: id(1),
        partitions: vec![NewTopicPartition {
            replicas,
            leader_epoch: 0,
        }],
    };
    let Outcome::Done(Err(refusal)) = state.apply(&add(vec![(1, 0), (2, 0)])).outcome else {
        panic!("another outcome");
    };
    assert_eq!(refusal.error(), ErrorCode::InvalidReplicaAssignment);
    let applied = state.apply(&add(vec![(2, 1)]));
    assert_eq!(applied.outcome, Outcome::Done(Ok(())));
    let topic = state.topic(id(1)).unwrap();
    assert_eq!(topic.partitions.len(), 2);
    assert_eq!(topic.partitions[1].leader, 2);
    assert_eq!(topic.partitions[1].replicas[0].log, LogUid(2));
    state.check_invariants().unwrap();
}

#[test]
fn producer_ids_are_given_once() {
    let mut state = Metadata::default();
    let mut expected = 0;
    for count in [1, 1_000, 1_000_000] {
        let outcome = state.apply(&Command::AllocateProducerIds { count }).outcome;
        assert_eq!(outcome, Outcome::ProducerIds(Ok(expected)));
        expected += i64::from(count);
    }
    for count in [0, 1_000_001] {
        let outcome = state.apply(&Command::AllocateProducerIds { count }).outcome;
        assert!(matches!(outcome, Outcome::ProducerIds(Err(_))));
    }
}

#[test]
fn the_cluster_is_named_once() {
    let mut state = Metadata::default();
    let name = |text: &str| Command::SetClusterId {
        cluster_id: text.to_owned(),
    };
    assert_eq!(state.apply(&name("x")).changes, [Change::Cluster]);
    assert_eq!(state.apply(&name("x")).changes, []);
    let Outcome::Done(Err(refusal)) = state.apply(&name("y")).outcome else {
        panic!("another outcome");
    };
    assert_eq!(refusal.error(), ErrorCode::InconsistentClusterId);
    assert_eq!(state.cluster_id(), Some("x"));
}

#[test]
fn snapshots_that_lie_are_refused() {
    let mut state = with_broker();
    creation(&mut state, topic(1, "a", 2)).unwrap();
    let text = String::from_utf8(state.to_snapshot()).unwrap();
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"next_log_uid\":3", "\"next_log_uid\":2"),
        ("\"log\":2", "\"log\":1"),
        ("\"log\":2", "\"log\":0"),
        ("\"leader\":1", "\"leader\":7"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let changed = text.replacen(from, to, 1);
        assert!(
            Metadata::from_snapshot(changed.as_bytes()).is_err(),
            "{to} was accepted"
        );
    }
    for cut in 0..text.len() {
        assert!(Metadata::from_snapshot(&text.as_bytes()[..cut]).is_err());
    }
}

fn alteration(resource: ConfigResource, values: &[(&str, Option<&str>)]) -> ConfigAlteration {
    let owned = |(name, value): &(&str, Option<&str>)| (name.to_string(), value.map(str::to_owned));
    ConfigAlteration {
        resource,
        values: values.iter().map(owned).collect(),
    }
}

fn alter(state: &mut Metadata, alteration: ConfigAlteration) -> (Option<ErrorCode>, Vec<Change>) {
    let alterations = vec![alteration];
    let applied = state.apply(&Command::AlterConfigs { alterations });
    let Outcome::Altered(outcomes) = applied.outcome else {
        panic!("another outcome");
    };
    (
        outcomes[0].as_ref().err().map(Refusal::error),
        applied.changes,
    )
}

#[test]
fn options_are_set_and_taken_away() {
    let mut state = with_broker();
    creation(&mut state, topic(1, "a", 1)).unwrap();
    let on_topic = || ConfigResource::Topic { id: id(1) };
    let set = alteration(
        on_topic(),
        &[("retention.ms", Some("5")), ("segment.ms", Some("6"))],
    );
    assert_eq!(
        alter(&mut state, set.clone()),
        (None, vec![Change::Topic(id(1))])
    );
    assert_eq!(alter(&mut state, set), (None, vec![]), "nothing changes");
    // All or nothing, and the rest of the topic's options is checked with it.
    let bad = alteration(
        on_topic(),
        &[("retention.ms", None), ("segment.ms", Some("soon"))],
    );
    assert_eq!(alter(&mut state, bad).0, Some(ErrorCode::InvalidConfig));
    assert_eq!(state.topic(id(1)).unwrap().configs.len(), 2);
    let unset = alteration(on_topic(), &[("retention.ms", None), ("segment.ms", None)]);
    alter(&mut state, unset);
    assert!(state.topic(id(1)).unwrap().configs.is_empty());
    let gone = alteration(ConfigResource::Topic { id: id(9) }, &[]);
    assert_eq!(
        alter(&mut state, gone).0,
        Some(ErrorCode::UnknownTopicOrPartition)
    );

    let set = alteration(ConfigResource::Brokers, &[("num.partitions", Some("5"))]);
    let change = Change::Configs(ConfigResource::Brokers);
    assert_eq!(alter(&mut state, set), (None, vec![change]));
    assert_eq!(
        state.configs(&ConfigResource::Brokers)["num.partitions"],
        "5"
    );
    assert!(state.configs(&ConfigResource::Broker { id: 1 }).is_empty());
    let unset = alteration(ConfigResource::Brokers, &[("num.partitions", None)]);
    alter(&mut state, unset);
    assert_eq!(state.config_resources().count(), 0);
}

#[test]
fn options_are_set_on_a_bounded_number_of_resources() {
    let mut state = with_broker();
    let subscription = |number: usize| ConfigResource::ClientMetrics {
        name: number.to_string(),
    };
    let set = |number| alteration(subscription(number), &[("interval.ms", Some("1000"))]);
    for number in 0..CONFIG_RESOURCES_MAX {
        assert_eq!(alter(&mut state, set(number)).0, None);
    }
    let more = alter(&mut state, set(CONFIG_RESOURCES_MAX));
    assert_eq!(more.0, Some(ErrorCode::PolicyViolation));
    let long = "x".repeat(1 << 20);
    let long = alteration(subscription(0), &[("metrics", Some(&long))]);
    assert_eq!(alter(&mut state, long).0, Some(ErrorCode::InvalidConfig));
}

fn quota(user: Option<&str>, limit: Option<f64>) -> QuotaAlteration {
    let user = user.map_or(QuotaName::Default, |name| QuotaName::Named(name.to_owned()));
    let limit = limit.map(|limit| QuotaLimit::new(limit).unwrap());
    QuotaAlteration {
        entity: QuotaEntity {
            user: Some(user),
            client_id: None,
        },
        limits: BTreeMap::from([(QuotaKey::ProducerByteRate, limit)]),
    }
}

#[test]
fn quotas_are_set_and_taken_away_within_bounds() {
    let mut state = with_broker();
    let alter = |state: &mut Metadata, alteration: QuotaAlteration| {
        let alterations = vec![alteration];
        let applied = state.apply(&Command::AlterQuotas { alterations });
        let Outcome::Altered(outcomes) = applied.outcome else {
            panic!("another outcome");
        };
        (
            outcomes[0].clone().map_err(|r| r.error()),
            applied.changes.len(),
        )
    };
    assert_eq!(
        alter(&mut state, quota(Some("u"), Some(0.1 + 0.2))),
        (Ok(()), 1)
    );
    assert_eq!(
        alter(&mut state, quota(Some("u"), Some(0.1 + 0.2))),
        (Ok(()), 0)
    );
    assert_eq!(alter(&mut state, quota(None, None)), (Ok(()), 0));
    let restored = Metadata::from_snapshot(&state.to_snapshot()).unwrap();
    assert_eq!(restored, state, "to the last bit");
    assert_eq!(alter(&mut state, quota(Some("u"), None)), (Ok(()), 1));
    assert_eq!(state.quotas().len(), 0);
    let nobody = QuotaAlteration {
        entity: QuotaEntity::default(),
        limits: BTreeMap::new(),
    };
    assert_eq!(alter(&mut state, nobody).0, Err(ErrorCode::InvalidRequest));
    for number in 0..QUOTAS_MAX {
        assert!(
            alter(&mut state, quota(Some(&number.to_string()), Some(1.0)))
                .0
                .is_ok()
        );
    }
    let more = alter(&mut state, quota(None, Some(1.0)));
    assert_eq!(more.0, Err(ErrorCode::PolicyViolation));
    for limit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(QuotaLimit::new(limit), None);
    }
}

/// Few names and ids, so that commands meet each other.
fn any_command() -> impl Strategy<Value = Command> {
    let name = prop::sample::select(vec!["a", "b", "a.b", "a_b", "a.b_c", "bad name", ""]);
    let new_topic = (
        0u8..6,
        name,
        prop::collection::vec(prop::collection::vec((0i32..4, 0u16..3), 0..3), 0..4),
        prop::option::of(prop::sample::select(vec!["1", "-1", "x"])),
    )
        .prop_map(|(number, name, partitions, retention)| NewTopic {
            id: id(number),
            name: name.to_owned(),
            internal: false,
            partitions: partitions
                .into_iter()
                .map(|replicas| NewTopicPartition {
                    replicas,
                    leader_epoch: 0,
                })
                .collect(),
            configs: retention
                .map(|value| ("retention.ms".to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
        });
    prop_oneof![
        (0i32..4).prop_map(broker),
        prop::collection::vec(new_topic, 0..4).prop_map(create),
        prop::collection::vec((0u8..6).prop_map(id), 0..3)
            .prop_map(|ids| Command::DeleteTopics { ids }),
        ((0u8..6), 0i32..4).prop_map(|(number, broker)| Command::CreatePartitions {
            topic: id(number),
            partitions: vec![NewTopicPartition {
                replicas: vec![(broker, 0)],
                leader_epoch: 0,
            }],
        }),
        (0u32..2_000).prop_map(|count| Command::AllocateProducerIds { count }),
        (
            (0u8..6),
            prop::option::of(prop::sample::select(vec!["1", "x"]))
        )
            .prop_map(|(number, value)| Command::AlterConfigs {
                alterations: vec![
                    alteration(
                        ConfigResource::Topic { id: id(number) },
                        &[("retention.ms", value)]
                    ),
                    alteration(
                        ConfigResource::Broker { id: 1 },
                        &[("num.partitions", value)]
                    ),
                ],
            }),
        prop::option::of(0.001f64..1e9).prop_map(|limit| Command::AlterQuotas {
            alterations: vec![quota(Some("u"), limit), quota(None, limit)],
        }),
        prop::sample::select(vec!["x", "y"]).prop_map(|cluster| Command::SetClusterId {
            cluster_id: cluster.to_owned()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x5eed_0001),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any commands keep the invariants; logs and producer ids are never given twice in a history;
    /// commands survive their own bytes; a snapshot at any point continues like the original.
    #[test]
    fn any_history_holds(commands in prop::collection::vec(any_command(), 1..40), cut in 0usize..40) {
        let mut state = Metadata::default();
        let mut copy = None;
        let mut logs = BTreeSet::new();
        let mut next_producer_id = 0;
        for (index, command) in commands.iter().enumerate() {
            if index == cut.min(commands.len() - 1) {
                let restored = Metadata::from_snapshot(&state.to_snapshot()).unwrap();
                prop_assert_eq!(&restored, &state);
                copy = Some(restored);
            }
            let bytes = serde_json::to_vec(command).unwrap();
            let read: Command = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&read, command);

            let before = state.version();
            let applied = state.apply(command);
            prop_assert_eq!(applied.version, before + u64::from(!applied.changes.is_empty()));
            if let Some(copy) = &mut copy {
                prop_assert_eq!(&copy.apply(&read), &applied);
            }
            prop_assert_eq!(state.check_invariants(), Ok(()));
            for change in &applied.changes {
                if let Change::Topic(id) = change {
                    let topic = state.topic(*id).unwrap();
                    for replica in topic.partitions.iter().flat_map(|p| &p.replicas) {
                        logs.insert((replica.log, *id, topic.name.clone()));
                    }
                }
            }
            if let Outcome::ProducerIds(Ok(first)) = applied.outcome {
                prop_assert!(first >= next_producer_id);
                next_producer_id = first + 1;
            }
        }
        let numbers: BTreeSet<_> = logs.iter().map(|(log, _, _)| *log).collect();
        prop_assert_eq!(numbers.len(), logs.len(), "a log number served two topics");
        prop_assert_eq!(copy, Some(state));
    }
}
