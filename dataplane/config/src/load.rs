//! From table, file, environment and command line to a [`NodeConfig`].

use std::path::{Path, PathBuf};

use precursor_model::{LogConfig, edit_distance};

use crate::error::{ConfigError, Source};
use crate::file::read_file;
use crate::node::{AfXdpConfig, NodeConfig, Stated};
use crate::options::OPTIONS;
use crate::setting::{Setting, TOPIC_PREFIX, settings};
use crate::values::{
    CodecHardware, CongestionControl, Endpoint, FrameCopy, IdlePolicy, LogFormat, LogLevel,
    NetworkDriver, Part, Rate, Switch, XdpMode,
};

/// Variables of this prefix name options: `PRECURSOR_NODE_ID` is `node.id`.
const VARIABLE_PREFIX: &str = "PRECURSOR_";

fn nowhere() -> Endpoint {
    Endpoint {
        host: String::new(),
        port: 0,
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        let mut config = NodeConfig {
            node_id: 0,
            data_dir: PathBuf::new(),
            log_dirs: Vec::new(),
            log_dirs_free_bytes_min: 0,
            log_dirs_free_percent_min: 0,
            listen: nowhere(),
            advertised_listener: None,
            admin_listen: nowhere(),
            metrics_listen: nowhere(),
            dataplane_shards: 0,
            dataplane_idle: IdlePolicy::Adaptive,
            dataplane_codec_hardware: CodecHardware::Auto,
            dataplane_codec_workers: 0,
            dataplane_cpus: Vec::new(),
            dataplane_spin_us: 0,
            dataplane_watchdog_ms: 0,
            network_driver: NetworkDriver::Auto,
            network_interface: String::new(),
            network_address: None,
            network_gateway: None,
            network_vlan: 0,
            network_afxdp: AfXdpConfig {
                mode: XdpMode::Auto,
                copy: FrameCopy::Auto,
                ring_frames: 2048,
                busy_poll_us: 0,
            },
            network_tcp_congestion: CongestionControl::Cubic,
            network_capture_dir: None,
            rdma_listen: None,
            rdma_clients_max: 0,
            rdma_access_bytes: 0,
            rdma_access_timeout_ms: 0,
            rdma_follow_bytes: 0,
            shm_enabled: false,
            shm_socket: None,
            shm_clients_max: 0,
            shm_ring_bytes: 0,
            shm_group: None,
            network_dpdk_args: Vec::new(),
            memory_region_bytes: 0,
            memory_region_dir: None,
            memory_hugepages: Switch::Auto,
            memory_buffers_bytes: 0,
            memory_chunk_bytes: 2 << 20,
            memory_gc_threshold: Part::parse("0.8").expect("a part"),
            memory_initial_bytes: 0,
            memory_prewarm: false,
            connections_max: 0,
            connections_idle_ms_max: 0,
            socket_request_bytes_max: 0,
            auto_create_topics: false,
            delete_topics: false,
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
            cold_compression_backoff_ms: 0,
            cold_compression_cpu_percent_max: 0,
            cold_compression_io_bytes_per_second_max: Rate::UNBOUNDED,
            storage_direct_io: Switch::Auto,
            log_format: LogFormat::Text,
            log_level: LogLevel::Info,
            telemetry_bytes_max: 0,
            replication_rates_max: [0; 3],
            topic_defaults: LogConfig::default(),
            stated: Vec::new(),
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
                    config.set(name, value, source)?;
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
        let Some(setting) = Setting::find(name) else {
            return Err(ConfigError::UnknownOption {
                source,
                name: name.to_owned(),
                nearest: nearest(name),
            });
        };
        let Some(normal) = setting.normal(value) else {
            return Err(ConfigError::BadValue {
                source,
                name: name.to_owned(),
                value: value.to_owned(),
                accepts: setting.accepts(),
            });
        };
        let rank = source.rank();
        self.stated
            .retain(|stated| stated.setting.name != name || stated.rank != rank);
        self.stated.push(Stated {
            setting,
            value: normal,
            rank,
        });
        let in_force = self.stated_for(setting)[0].value.clone();
        // It was taken a moment ago.
        let _ = setting.apply(self, &in_force);
        Ok(())
    }
}

fn option_of_variable(variable: &str) -> Option<&'static str> {
    let mut settings = settings().iter();
    let setting = settings.find(|setting| variable_of_option(&setting.name) == variable)?;
    Some(&setting.name)
}

/// The environment variable of an option: `node.id` is `PRECURSOR_NODE_ID`.
fn variable_of_option(name: &str) -> String {
    let upper = name.to_ascii_uppercase().replace(['.', '-'], "_");
    format!("{VARIABLE_PREFIX}{upper}")
}

/// The known name with the smallest edit distance. A topic option written without its prefix is
/// such a common slip that the prefix costs nothing.
fn nearest(name: &str) -> String {
    let distance = |known: &str| {
        let bare = known.strip_prefix(TOPIC_PREFIX).unwrap_or(known);
        edit_distance(name, known).min(edit_distance(name, bare))
    };
    let names = settings().iter().map(|setting| setting.name.as_str());
    let nearest = names.min_by_key(|known| distance(known));
    nearest.unwrap_or_default().to_owned()
}
