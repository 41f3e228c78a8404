//! From table, file, environment and command line to a [`NodeConfig`].

use std::path::{Path, PathBuf};

use precursor_model::{LogConfig, TOPIC_OPTIONS};

use crate::error::{ConfigError, Source};
use crate::file::read_file;
use crate::node::NodeConfig;
use crate::options::OPTIONS;
use crate::values::{Endpoint, IdlePolicy, LogFormat, LogLevel, NetworkDriver, Rate, Switch};

/// Options of this prefix are the node's defaults for its topics.
pub(crate) const TOPIC_PREFIX: &str = "topic.";

/// Variables of this prefix name options: `PRECURSOR_NODE_ID` is `node.id`.
const VARIABLE_PREFIX: &str = "PRECURSOR_";

impl Default for NodeConfig {
    fn default() -> Self {
        let nowhere = Endpoint {
            host: String::new(),
            port: 0,
        };
        let mut config = NodeConfig {
            node_id: 0,
            data_dir: PathBuf::new(),
            listen: nowhere.clone(),
            advertised_listener: None,
            admin_listen: nowhere.clone(),
            metrics_listen: nowhere,
            dataplane_shards: 0,
            dataplane_idle: IdlePolicy::Adaptive,
            dataplane_cpus: Vec::new(),
            dataplane_spin_us: 0,
            network_driver: NetworkDriver::Auto,
            memory_region_bytes: 0,
            memory_region_dir: None,
            memory_hugepages: Switch::Auto,
            connections_max: 0,
            connections_idle_ms_max: 0,
            socket_request_bytes_max: 0,
            auto_create_topics: false,
            num_partitions: 0,
            default_replication_factor: 0,
            group_initial_rebalance_delay_ms: 0,
            group_session_timeout_ms_min: 0,
            group_session_timeout_ms_max: 0,
            group_size_max: 0,
            offset_metadata_bytes_max: 0,
            offsets_retention_minutes: 0,
            offsets_retention_check_interval_ms: 0,
            offsets_topic_partitions: 0,
            offsets_topic_replication_factor: 0,
            offsets_topic_segment_bytes: 0,
            fetch_session_slots_max: 0,
            producer_id_expiration_ms: 0,
            log_retention_check_interval_ms: 0,
            log_checkpoint_interval_ms: 0,
            log_cleaner_enable: false,
            log_cleaner_backoff_ms: 0,
            log_cleaner_dedupe_buffer_bytes: 0,
            log_cleaner_io_bytes_per_second_max: Rate::UNBOUNDED,
            storage_direct_io: Switch::Auto,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            topic_defaults: LogConfig::default(),
            ignored_environment: Vec::new(),
        };
        for option in OPTIONS {
            let applied = (option.apply)(&mut config, option.default);
            assert!(
                applied.is_some(),
                "the default of {} is out of its own bounds",
                option.name
            );
        }
        config
    }
}

impl NodeConfig {
    /// Loads the options of this process: defaults, then `file`, then the process's environment,
    /// then `sets` in their order.
    ///
    /// # Errors
    /// The first refusal, as one sentence that names the option and where it was set.
    pub fn load(file: Option<&Path>, sets: &[(String, String)]) -> Result<NodeConfig, ConfigError> {
        let environment: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((
                    name.into_string().ok()?,
                    value.to_string_lossy().into_owned(),
                ))
            })
            .collect();
        Self::load_from(file, &environment, sets)
    }

    /// As [`NodeConfig::load`], with the environment given.
    ///
    /// # Errors
    /// As there.
    pub fn load_from(
        file: Option<&Path>,
        environment: &[(String, String)],
        sets: &[(String, String)],
    ) -> Result<NodeConfig, ConfigError> {
        let mut config = NodeConfig::default();
        if let Some(path) = file {
            for entry in read_file(path)? {
                config.set(&entry.name, &entry.value, entry.source)?;
            }
        }
        for (variable, value) in environment {
            if !variable.starts_with(VARIABLE_PREFIX) {
                continue;
            }
            match option_of_variable(variable) {
                Some(name) => {
                    let source = Source::Environment {
                        variable: variable.clone(),
                    };
                    config.set(&name, value, source)?;
                }
                None => config.ignored_environment.push(variable.clone()),
            }
        }
        for (name, value) in sets {
            config.set(name, value, Source::CommandLine)?;
        }
        Ok(config)
    }

    /// Sets one option by name.
    ///
    /// # Errors
    /// No such option, or a value outside its bounds.
    pub fn set(&mut self, name: &str, value: &str, source: Source) -> Result<(), ConfigError> {
        let value = value.trim();
        let bad = |accepts: &str, source: Source| ConfigError::BadValue {
            source,
            name: name.to_owned(),
            value: value.to_owned(),
            accepts: accepts.to_owned(),
        };
        if let Some(option) = OPTIONS.iter().find(|option| option.name == name) {
            return (option.apply)(self, value).ok_or_else(|| bad(option.accepts, source));
        }
        let topic = name.strip_prefix(TOPIC_PREFIX);
        let topic = topic.and_then(|topic| TOPIC_OPTIONS.iter().find(|o| o.name == topic));
        if let Some(option) = topic {
            let applied = self.topic_defaults.set(option.name, value);
            return applied.map_err(|_| bad(option.accepts, source));
        }
        Err(ConfigError::UnknownOption {
            source,
            name: name.to_owned(),
            nearest: nearest_name(name),
        })
    }
}

/// Every settable name: the node's options and its topic defaults.
fn names() -> impl Iterator<Item = String> {
    let topic = TOPIC_OPTIONS
        .iter()
        .map(|option| format!("{TOPIC_PREFIX}{}", option.name));
    OPTIONS
        .iter()
        .map(|option| option.name.to_owned())
        .chain(topic)
}

fn option_of_variable(variable: &str) -> Option<String> {
    names().find(|name| variable_of_option(name) == variable)
}

/// The environment variable of an option: `node.id` is `PRECURSOR_NODE_ID`.
pub(crate) fn variable_of_option(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace(['.', '-'], "_");
    format!("{VARIABLE_PREFIX}{upper}")
}

/// The known name with the smallest edit distance. A topic option written without its prefix is
/// such a common slip that the prefix costs nothing.
fn nearest_name(name: &str) -> String {
    names()
        .min_by_key(|known| {
            let bare = known.strip_prefix(TOPIC_PREFIX).unwrap_or(known);
            edit_distance(name, known).min(edit_distance(name, bare))
        })
        .unwrap_or_default()
}

fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
