//! The loader against files, environments and command lines, good and bad.

use std::io::Write;
use std::path::PathBuf;

use precursor_config::{
    BypassWay, Endpoint, IdlePolicy, NodeConfig, OPTIONS, Source, reference_markdown,
};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    pairs.iter().map(owned).collect()
}

fn load(
    file: &str,
    environment: &[(&str, &str)],
    sets: &[(&str, &str)],
) -> Result<NodeConfig, String> {
    let mut on_disk = tempfile::NamedTempFile::new().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let path = on_disk.path();
    NodeConfig::load_from(Some(path), &pairs(environment), &pairs(sets)).map_err(|error| {
        error
            .to_string()
            .replace(&path.display().to_string(), "FILE")
    })
}

#[test]
fn the_table_is_sorted_and_shows_its_own_defaults() {
    let config = NodeConfig::default();
    for option in OPTIONS {
        assert_eq!(option.value_in(&config), option.default, "{}", option.name);
        assert!(option.doc.ends_with('.'), "{}", option.name);
    }
    assert!(OPTIONS.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert!(config.shard_count() >= 1);
}

#[test]
fn every_shown_value_can_be_set_again() {
    let mut config = NodeConfig::default();
    let texts = [
        ("dataplane.cpus", "0,2-4"),
        ("advertised.listener", "[::1]:9093"),
        ("memory.gc.threshold", "0.25"),
        ("memory.region.bytes", "64MiB"),
        ("memory.region.dir", "/dev/shm/x"),
        ("dataplane.idle", "busy"),
        ("network.address", "fd00::2/64"),
        ("network.gateway", "fd00::1"),
        ("network.interface", "eth0"),
    ];
    for (name, value) in texts {
        config.set(name, value, Source::CommandLine).unwrap();
    }
    let mut again = NodeConfig::default();
    for option in OPTIONS {
        let value = option.value_in(&config);
        again.set(option.name, &value, Source::CommandLine).unwrap();
    }
    for option in OPTIONS {
        assert_eq!(option.value_in(&again), option.value_in(&config));
    }
    assert_eq!(again.memory_region_bytes, 64 << 20);
    assert_eq!(again.dataplane_cpus, [0, 2, 3, 4]);
}

#[test]
fn later_sources_win() {
    let file = "node.id = 2\nlisten = \"0.0.0.0:1\"\ndata.dir = \"/from/file\"\n";
    let environment = [
        ("PRECURSOR_NODE_ID", "3"),
        ("PRECURSOR_LISTEN", "127.0.0.1:3"),
        ("PRECURSOR_TOPIC_RETENTION_MS", "5"),
        ("PRECURSOR_SOMETHING", "x"),
        ("HOME", "/root"),
    ];
    let sets = [("node.id", "4"), ("node.id", "5")];
    let config = load(file, &environment, &sets).unwrap();
    assert_eq!(config.node_id, 5);
    assert_eq!(config.listen, Endpoint::parse("127.0.0.1:3").unwrap());
    assert_eq!(config.data_dir, PathBuf::from("/from/file"));
    assert_eq!(config.topic_defaults.retention_ms, 5);
    assert_eq!(config.ignored_environment, ["PRECURSOR_SOMETHING"]);
}

#[test]
fn sections_dotted_names_and_lists_mean_the_same() {
    let file = "\
        # Kafka's names collide in plain TOML: one is a prefix of the other.\n\
        connections.max = 7\n\
        connections.max.idle.ms = 8_000\n\
        auto.create.topics.enable = false\n\
        [dataplane]\n\
        idle = \"busy\" # inline\n\
        cpus = [1, \"3-4\"]\n\
        spin.us = 0x10\n\
        [topic.retention]\n\
        ms = -1\n";
    let config = load(file, &[], &[]).unwrap();
    assert_eq!(config.connections_max, 7);
    assert_eq!(config.connections_idle_ms_max, 8000);
    assert!(!config.auto_create_topics);
    assert_eq!(config.dataplane_idle, IdlePolicy::Busy);
    assert_eq!(config.dataplane_cpus, [1, 3, 4]);
    assert_eq!(config.dataplane_spin_us, 16);
    assert_eq!(config.topic_defaults.retention_ms, -1);
}

#[test]
fn refusals_are_one_sentence_with_the_culprit() {
    type Sets = &'static [(&'static str, &'static str)];
    let cases: &[(&str, Sets, Sets, &str)] = &[
        (
            "node.id = 1\nnod.id = 2\n",
            &[],
            &[],
            "unknown option 'nod.id' (FILE line 2); did you mean 'node.id'?",
        ),
        (
            "[dataplane]\nshard = 2\n",
            &[],
            &[],
            "unknown option 'dataplane.shard' (FILE line 2); did you mean 'dataplane.shards'?",
        ),
        (
            "",
            &[],
            &[("retention.ms", "1")],
            "unknown option 'retention.ms' (command line); did you mean 'topic.retention.ms'?",
        ),
        (
            "",
            &[],
            &[("dataplane.shards", "257")],
            "option 'dataplane.shards' cannot be '257' (command line): it takes a count from 1 to \
             256, or 0 for one less than the processors",
        ),
        (
            "",
            &[("PRECURSOR_LISTEN", "9092")],
            &[],
            "option 'listen' cannot be '9092' (environment variable PRECURSOR_LISTEN): it takes \
             HOST:PORT, with port 0 for any free one",
        ),
        (
            "topic.segment.bytes = 12\n",
            &[],
            &[],
            "option 'topic.segment.bytes' cannot be '12' (FILE line 1): it takes bytes from 1048576 \
             to 2147483647",
        ),
        (
            "node.id = 1.5\n",
            &[],
            &[],
            "option 'node.id' cannot be '1.5' (FILE line 1): it takes a string, an integer, true, \
             false or a list of these",
        ),
        (
            "node.id = 1\n[node]\nid = 1\n",
            &[],
            &[],
            "option 'node.id' is set a second time (FILE line 3)",
        ),
    ];
    for (file, environment, sets, expected) in cases {
        assert_eq!(load(file, environment, sets).unwrap_err(), *expected);
    }
    let error = load("node.id = = 1\n", &[], &[]).unwrap_err();
    assert!(
        error.starts_with("configuration (FILE line 1) is not valid TOML: "),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
}

#[test]
fn an_unreadable_file_is_named() {
    let missing = PathBuf::from("/nonexistent/precursor.toml");
    let error = NodeConfig::load(Some(&missing), &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("configuration file /nonexistent/precursor.toml cannot be read: "),
        "{error}"
    );
}

#[test]
fn bounds_are_enforced_at_both_ends() {
    let refused = [
        ("node.id", "-1"),
        ("node.id", "2147483648"),
        ("connections.max", "0"),
        ("advertised.listener", "host:0"),
        ("memory.buffers.bytes", "1MiB"),
        ("memory.chunk.bytes", "1MiB"),
        ("memory.gc.threshold", "1.1"),
        ("memory.gc.threshold", "NaN"),
        ("memory.prewarm", "yes"),
        ("memory.region.bytes", "1MiB"),
        ("memory.region.bytes", "2048GiB"),
        ("socket.request.max.bytes", "1023"),
        ("data.dir", ""),
        ("auto.create.topics.enable", "yes"),
        ("dataplane.idle", "Busy"),
        ("dataplane.cpus", "1,1"),
    ];
    for (name, value) in refused {
        let error = load("", &[], &[(name, value)]).unwrap_err();
        assert!(
            error.contains(name) && error.contains("it takes"),
            "{error}"
        );
    }
}

#[test]
fn the_reference_lists_every_option() {
    let reference = reference_markdown();
    for option in OPTIONS {
        assert!(reference.contains(&format!("`{}`", option.name)));
    }
    assert!(reference.contains("`topic.retention.ms`"));
    assert!(reference.contains("`PRECURSOR_NODE_ID`"));
}

#[test]
fn a_way_past_the_kernel_needs_an_interface_and_an_address_of_its_own() {
    let asked = |sets: &[(&str, &str)]| load("", &[], sets).unwrap().bypass();
    let fitting = [
        ("network.interface", "eth0"),
        ("network.address", "10.0.0.2/24"),
        ("listen", "10.0.0.2:9092"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&fitting[..], more].concat();

    assert_eq!(asked(&[]), Ok(None));
    assert_eq!(asked(&with(&[("network.driver", "epoll")])), Ok(None));
    assert_eq!(asked(&with(&[("network.driver", "io_uring")])), Ok(None));
    let bypass = asked(&with(&[("network.driver", "afxdp")]))
        .unwrap()
        .unwrap();
    assert!(bypass.forced);
    assert_eq!(bypass.interface, "eth0");
    assert_eq!(bypass.network.to_string(), "10.0.0.2/24");
    assert_eq!(bypass.listen, "10.0.0.2:9092".parse().unwrap());
    let bypass = asked(&with(&[("network.gateway", "10.0.0.1")]))
        .unwrap()
        .unwrap();
    assert!(!bypass.forced, "auto may fall back");
    assert_eq!(bypass.ways, [BypassWay::AfXdp]);
    let device = (
        "network.dpdk.args",
        "--vdev=net_af_packet0,iface=eth0  --no-huge",
    );
    let ways = |more: &[(&'static str, &'static str)]| {
        let bypass = asked(&with(more)).unwrap().unwrap();
        (bypass.ways, bypass.forced)
    };
    let both = vec![BypassWay::Dpdk, BypassWay::AfXdp];
    assert_eq!(ways(&[device]), (both, false));
    let card = ("network.interface", "0000:01:00.1");
    assert_eq!(ways(&[card]), (vec![BypassWay::Dpdk], false));
    let forced = ("network.driver", "dpdk");
    assert_eq!(ways(&[forced]), (vec![BypassWay::Dpdk], true));
    let config = load("", &[], &[device]).unwrap();
    assert_eq!(config.network_dpdk_args.len(), 2);
    assert_eq!(bypass.gateway, Some("10.0.0.1".parse().unwrap()));

    let refusals = [
        (vec![("network.driver", "afxdp")], "network.interface"),
        (
            vec![("network.driver", "dpdk")],
            "network.driver=dpdk needs an interface",
        ),
        (fitting[..1].to_vec(), "network.address"),
        (
            with(&[("listen", "127.0.0.1:9092")]),
            "listen=127.0.0.1:9092",
        ),
        (
            with(&[("listen", "broker.example:9092")]),
            "listen=broker.example:9092",
        ),
        (
            with(&[("network.gateway", "fd00::1")]),
            "network.gateway=fd00::1",
        ),
    ];
    for (sets, named) in refusals {
        let sentence = asked(&sets).unwrap_err();
        assert!(sentence.contains(named), "{sentence}");
    }
    for address in [
        "10.0.0.2",
        "10.0.0.2/0",
        "10.0.0.2/33",
        "0.0.0.0/8",
        "224.0.0.1/8",
        "::1/64",
    ] {
        let refused = load("", &[], &[("network.address", address)]).unwrap_err();
        assert!(refused.contains("network.address"), "{refused}");
    }
    for interface in [&"a".repeat(64), "a/b", "a b"] {
        assert!(load("", &[], &[("network.interface", interface)]).is_err());
    }
}
