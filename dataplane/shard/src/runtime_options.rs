//! Options of the node that change while it runs: those that concern a shard.

use crate::options::{IdlePolicy, ShardOptions};

/// Options of topics are set for the whole node under this prefix.
const TOPIC_PREFIX: &str = "topic.";

/// Puts one option in force. False for one that is not a shard's to know, or a value that it cannot
/// read; then nothing changes.
pub(crate) fn set(options: &mut ShardOptions, name: &str, value: &str) -> bool {
    apply(options, name, value).is_some()
}

fn apply(options: &mut ShardOptions, name: &str, value: &str) -> Option<()> {
    if let Some(option) = name.strip_prefix(TOPIC_PREFIX) {
        return options.topic_defaults.set(option, value).ok();
    }
    match name {
        // Of the node; each shard takes its part.
        "connections.max" => {
            let whole: usize = value.parse().ok()?;
            options.connections_max = whole.div_ceil(usize::from(options.shards.max(1)));
        }
        "connections.max.idle.ms" => options.connections_idle_ms_max = value.parse().ok()?,
        "socket.request.max.bytes" => options.request_bytes_max = value.parse().ok()?,
        "auto.create.topics.enable" => options.auto_create_topics = value.parse().ok()?,
        "dataplane.spin.us" => options.spin_us = value.parse().ok()?,
        // Of the process; every shard says the same.
        "log.level" => return options.set_log_level?(value).then_some(()),
        "dataplane.idle" => {
            options.idle = match value {
                "adaptive" => IdlePolicy::Adaptive,
                "busy" => IdlePolicy::Busy,
                "sleep" => IdlePolicy::Sleep,
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_options_are_set_and_others_change_nothing() {
        let mut options = ShardOptions::new("127.0.0.1:1".parse().unwrap());
        options.shards = 2;
        for (name, value) in [
            ("connections.max", "11"),
            ("connections.max.idle.ms", "5000"),
            ("socket.request.max.bytes", "4096"),
            ("auto.create.topics.enable", "false"),
            ("dataplane.spin.us", "7"),
            ("dataplane.idle", "sleep"),
            ("topic.max.message.bytes", "1234"),
        ] {
            assert!(set(&mut options, name, value), "{name}");
        }
        assert_eq!(options.connections_max, 6);
        assert_eq!(options.connections_idle_ms_max, 5_000);
        assert_eq!(options.request_bytes_max, 4_096);
        assert!(!options.auto_create_topics);
        assert_eq!((options.spin_us, options.idle), (7, IdlePolicy::Sleep));
        assert_eq!(options.topic_defaults.max_message_bytes, 1_234);
        assert!(!set(&mut options, "log.level", "debug"), "nobody to set it");
        options.set_log_level = Some(|level| level == "debug");
        assert!(set(&mut options, "log.level", "debug"));
        let before = format!("{options:?}");
        for (name, value) in [
            ("node.id", "7"),
            ("dataplane.idle", "lazy"),
            ("log.level", "loud"),
            ("connections.max", "many"),
            ("topic.retention.ms", "soon"),
        ] {
            assert!(!set(&mut options, name, value), "{name}");
        }
        assert_eq!(format!("{options:?}"), before);
    }

    /// What changes at once and concerns the control plane, or nothing on one node.
    const NOT_THE_SHARDS: [&str; 7] = [
        "default.replication.factor",
        "delete.topic.enable",
        "follower.replication.throttled.rate",
        "leader.replication.throttled.rate",
        "num.partitions",
        "replica.alter.log.dirs.io.max.bytes.per.second",
        "telemetry.max.bytes",
    ];

    #[test]
    fn every_option_that_changes_at_once_is_followed() {
        let mut options = ShardOptions::new("127.0.0.1:1".parse().unwrap());
        options.set_log_level = Some(|_| true);
        let told = precursor_config::NodeConfig::default().data_plane_values();
        assert!(told.len() > 2 * NOT_THE_SHARDS.len());
        for (name, value) in told {
            let followed = set(&mut options, &name, &value);
            assert_eq!(
                followed,
                !NOT_THE_SHARDS.contains(&&*name),
                "{name}={value}"
            );
        }
    }
}
