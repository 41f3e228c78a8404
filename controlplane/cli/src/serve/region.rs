//! The shared region as the supervisor uses it: it makes it, reads the status page, removes it.

use precursor_config::{NodeConfig, Switch};
use precursor_shm::{Found, Hugepages, ProcessState, Region, RegionOptions};

use super::engine::Role;
use crate::failure::Failure;

/// The region of this node.
pub struct SharedRegion {
    region: Region,
    found: Found,
}

/// What a configuration asks of the region; the processes ask for the same.
pub fn region_options(config: &NodeConfig) -> RegionOptions {
    RegionOptions {
        directory: config.memory_region_dir.clone(),
        hugepages: match config.memory_hugepages {
            Switch::Auto => Hugepages::Auto,
            Switch::On => Hugepages::On,
            Switch::Off => Hugepages::Off,
        },
        shards: config.shard_count(),
        pool_bytes: config.memory_region_bytes,
        buffer_bytes: config.memory_buffers_bytes,
        ..RegionOptions::new(config.node_id, &config.data_dir)
    }
}

impl SharedRegion {
    /// Makes the region, or attaches to the one that an earlier run left.
    ///
    /// # Errors
    /// There is no memory for it, or what is there does not fit this configuration.
    pub fn open(config: &NodeConfig) -> Result<SharedRegion, Failure> {
        let (region, found) = Region::create_or_attach(&region_options(config))
            .map_err(|error| Failure::new(error.to_string()))?;
        region.status().begin_supervisor(std::process::id());
        Ok(SharedRegion { region, found })
    }

    /// Where the region lives, for the operator.
    pub fn description(&self) -> String {
        let history = match self.found {
            Found::Created => "new",
            Found::Existing => "kept from an earlier run",
        };
        let path = self.region.path().display();
        format!("region on {}, {history}: {path}", self.region.kind())
    }

    /// Whether this run made the region.
    pub fn created(&self) -> bool {
        self.found == Found::Created
    }

    /// Whether the process of this pid serves.
    pub fn ready(&self, role: Role, pid: u32) -> bool {
        let status = self.region.status();
        let (state, of) = match role {
            Role::DataPlane => (status.data_state(), status.data_pid()),
            Role::ControlPlane => (status.control_state(), status.control_pid()),
        };
        state == ProcessState::Ready && of == pid
    }

    /// The bound port of the Kafka listener.
    pub fn kafka_port(&self) -> u16 {
        self.region.status().kafka_port()
    }

    /// Says that the whole is serving.
    pub fn set_ready(&self) {
        let status = self.region.status();
        status.set_supervisor_state(ProcessState::Ready);
    }

    /// How far both processes are, for a start that takes long.
    pub fn progress(&self) -> String {
        let status = self.region.status();
        format!(
            "the data plane is {:?}, the control plane is {:?}",
            status.data_state(),
            status.control_state()
        )
    }

    /// Removes the region: everything in it is on disk.
    pub fn unlink(&self) {
        if let Err(error) = self.region.unlink() {
            eprintln!("precursor: the region was not removed: {error}");
        }
    }
}
