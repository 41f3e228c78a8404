//! Whether this node lives, and whether it serves.

use crate::server::MonitorOptions;
use precursor_shm::ProcessState;

/// Why the node does not serve clients at the moment, one sentence each; empty when it does.
pub(crate) fn obstacles(options: &MonitorOptions) -> Vec<String> {
    let mut obstacles = Vec::new();
    let status = options.region.status();
    let word = match status.data_state() {
        ProcessState::Ready => None,
        ProcessState::Absent => Some("is down"),
        ProcessState::Starting => Some("is starting"),
        ProcessState::Stopping => Some("is stopping"),
    };
    if let Some(word) = word {
        obstacles.push(format!("The data plane {word}."));
    } else if !is_running(status.data_pid()) {
        obstacles.push("The data plane has died and was not started again yet.".to_owned());
    }
    if options.consensus.status().leader.is_none() {
        obstacles.push("The metadata has no leader.".to_owned());
    }
    for (number, shard) in options.view.shards().iter().enumerate() {
        if !shard.connected {
            obstacles.push(format!("Shard {number} has not reported to this process."));
        } else if shard.image_version == 0 {
            // One that is a version behind opens the logs of a new topic and serves all others.
            obstacles.push(format!("Shard {number} has no metadata yet."));
        }
    }
    obstacles
}

/// Whether a process with this id exists.
fn is_running(pid: u32) -> bool {
    pid != 0 && std::path::Path::new("/proc").join(pid.to_string()).exists()
}
