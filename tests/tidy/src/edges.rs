//! Which crate may use which: architecture.md, "The rooms", as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Complaint;

/// A crate of the house and the crates of the house that it may use (not as a dev-dependency:
/// tests may look at anything).
pub const ALLOWED: &[(&str, &[&str])] = &[
    ("precursor-model", &[]),
    ("precursor-memory", &[]),
    ("precursor-shm", &["memory", "model"]),
    ("precursor-config", &["model"]),
    ("precursor-protocol", &["memory", "model"]),
    ("precursor-protocol-generator", &[]),
    ("precursor-codecs-sys", &["compression"]),
    ("precursor-compression", &["protocol"]),
    ("precursor-disk", &["memory", "shm"]),
    (
        "precursor-storage",
        &["compression", "disk", "memory", "model", "protocol", "shm"],
    ),
    ("precursor-transport-port", &["memory", "model"]),
    (
        "precursor-transport-kernel",
        &["memory", "model", "transport-port"],
    ),
    (
        "precursor-transport-afxdp",
        &["memory", "model", "transport-port"],
    ),
    ("precursor-dpdk-sys", &[]),
    ("precursor-rdma-sys", &[]),
    (
        "precursor-transport-dpdk",
        &["dpdk-sys", "memory", "model", "transport-port"],
    ),
    (
        "precursor-transport-bypass",
        &["memory", "model", "netstack", "transport-port"],
    ),
    ("precursor-transport-shm", &["memory", "transport-port"]),
    (
        "precursor-transport-rdma",
        &["memory", "rdma-sys", "transport-port"],
    ),
    ("precursor-ffi", &["client"]),
    (
        "precursor-client",
        &[
            "compression",
            "model",
            "protocol",
            "transport-rdma",
            "transport-shm",
        ],
    ),
    (
        "precursor-transport-sim",
        &["memory", "model", "transport-port"],
    ),
    ("precursor-netstack", &["transport-port"]),
    (
        "precursor-shard",
        &[
            "memory",
            "model",
            "protocol",
            "shm",
            "storage",
            "transport-port",
        ],
    ),
    (
        "precursor-dataplane",
        &[
            "codecs-sys",
            "compression",
            "config",
            "disk",
            "memory",
            "model",
            "protocol",
            "shard",
            "shm",
            "storage",
            "transport-afxdp",
            "transport-bypass",
            "transport-dpdk",
            "transport-kernel",
            "transport-port",
            "transport-rdma",
            "transport-shm",
        ],
    ),
    // In the place of a crate under openraft.
    ("base2histogram", &[]),
    ("precursor-metadata", &["model", "protocol"]),
    ("precursor-groups", &["model", "protocol"]),
    ("precursor-telemetry", &["compression", "model", "protocol"]),
    ("precursor-consensus", &["metadata", "model"]),
    (
        "precursor-bridge",
        &[
            "consensus",
            "memory",
            "metadata",
            "model",
            "protocol",
            "shm",
        ],
    ),
    (
        "precursor-coordinator",
        &[
            "bridge",
            "compression",
            "consensus",
            "groups",
            "metadata",
            "model",
            "protocol",
        ],
    ),
    (
        "precursor-kafka-api",
        &[
            "bridge",
            "config",
            "consensus",
            "coordinator",
            "groups",
            "metadata",
            "model",
            "protocol",
            "telemetry",
        ],
    ),
    ("precursor-admin-api", &[]),
    (
        "precursor-admin",
        &[
            "admin-api",
            "consensus",
            "kafka-api",
            "metadata",
            "model",
            "shm",
        ],
    ),
    (
        "precursor-monitor",
        &[
            "bridge",
            "consensus",
            "coordinator",
            "metadata",
            "model",
            "protocol",
            "shm",
            "telemetry",
        ],
    ),
    (
        "precursor-controlplane",
        &[
            "admin",
            "admin-api",
            "bridge",
            "config",
            "consensus",
            "coordinator",
            "kafka-api",
            "memory",
            "metadata",
            "model",
            "monitor",
            "protocol",
            "shm",
            "telemetry",
        ],
    ),
    (
        "precursor-cli",
        &[
            "admin-api",
            "client",
            "codecs-sys",
            "compression",
            "config",
            "disk",
            "memory",
            "metadata",
            "model",
            "protocol",
            "shm",
            "storage",
        ],
    ),
];

/// Crates from outside that may appear below `controlplane/` only, also through other crates.
pub const CONTROL_PLANE_ONLY: &[&str] = &["axum", "hyper", "openraft", "tokio", "tonic"];

/// Folders whose crates may hold unsafe code; every other crate root says `forbid(unsafe_code)`.
pub const UNSAFE_ADDRESSES: &[&str] = &[
    "ffi/",
    "hugepages/",
    "dataplane/disk/",
    "dataplane/transport/kernel/",
    "dataplane/transport/afxdp/",
    "dataplane/transport/bypass/",
    "dataplane/transport/shm/",
    "dataplane/transport/dpdk/",
    "dataplane/transport/rdma/",
];

/// What `cargo metadata` says of the workspace.
pub struct Workspace {
    metadata: Value,
    root: String,
}

impl Workspace {
    /// Asks cargo, for this platform alone.
    pub fn read(root: &Path) -> Workspace {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1"])
            .arg("--filter-platform")
            .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
            .current_dir(root)
            .output()
            .expect("cargo metadata starts");
        assert!(
            output.status.success(),
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's JSON");
        Workspace {
            metadata,
            root: format!("{}/", root.display()),
        }
    }

    fn members(&self) -> impl Iterator<Item = &Value> {
        let ids: BTreeSet<&str> = list(&self.metadata["workspace_members"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        list(&self.metadata["packages"])
            .iter()
            .filter(move |package| ids.contains(text(&package["id"])))
    }

    fn folder<'a>(&self, package: &'a Value) -> &'a str {
        let path = text(&package["manifest_path"]);
        path.strip_prefix(self.root.as_str()).unwrap_or(path)
    }

    /// Edges between crates of the house that the table does not have.
    pub fn forbidden_edges(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for package in self.members() {
            let name = text(&package["name"]);
            if self.folder(package).starts_with("tests/") || name == "xtask" {
                continue;
            }
            let Some((_, allowed)) = ALLOWED.iter().find(|(of, _)| *of == name) else {
                let sentence = "is not in the table of tests/tidy/src/edges.rs; give it a row";
                complaints.push(Complaint::new(name, sentence));
                continue;
            };
            for used in house_dependencies(package) {
                if !allowed.contains(&used) {
                    let sentence = format!(
                        "may not use precursor-{used}; dependencies point one way, and it may use {allowed:?}"
                    );
                    complaints.push(Complaint::new(name, sentence));
                }
            }
        }
        complaints
    }

    /// Crates outside `controlplane/` that reach tokio and its like through any chain of crates.
    pub fn async_outside_the_control_plane(&self) -> Vec<Complaint> {
        let graph = self.graph();
        let names: BTreeMap<&str, &str> = list(&self.metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut complaints = Vec::new();
        for package in self.members() {
            let folder = self.folder(package);
            if folder.starts_with("controlplane/") || folder.starts_with("tests/") {
                continue;
            }
            let mut seen = BTreeSet::new();
            let mut open = vec![text(&package["id"])];
            while let Some(id) = open.pop() {
                if seen.insert(id) {
                    open.extend(graph.get(id).into_iter().flatten());
                }
            }
            for banned in seen.iter().filter_map(|id| names.get(id)) {
                if CONTROL_PLANE_ONLY.contains(banned) {
                    let sentence = format!("reaches {banned}, which lives in controlplane/ only");
                    complaints.push(Complaint::new(text(&package["name"]), sentence));
                }
            }
        }
        complaints
    }

    /// Package id → the ids it needs to be built (not its dev-dependencies).
    fn graph(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut graph = BTreeMap::new();
        for node in list(&self.metadata["resolve"]["nodes"]) {
            let needed = list(&node["deps"])
                .iter()
                .filter(|dep| list(&dep["dep_kinds"]).iter().any(|k| k["kind"] != "dev"))
                .map(|dep| text(&dep["pkg"]))
                .collect();
            graph.insert(text(&node["id"]), needed);
        }
        graph
    }

    /// Crate roots that should forbid unsafe code and do not, and tests and build scripts that
    /// hold some.
    pub fn unsafe_without_an_address(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for package in self.members() {
            let folder = self.folder(package);
            if UNSAFE_ADDRESSES
                .iter()
                .any(|place| folder.starts_with(place))
            {
                continue;
            }
            for target in list(&package["targets"]) {
                let path = text(&target["src_path"]);
                let source = std::fs::read_to_string(path).unwrap_or_default();
                let root_of_crate = list(&target["kind"])
                    .iter()
                    .any(|k| k == "lib" || k == "bin");
                let place = path.strip_prefix(self.root.as_str()).unwrap_or(path);
                if root_of_crate && !source.contains("#![forbid(unsafe_code)]") {
                    let sentence = "says no #![forbid(unsafe_code)]; unsafe code has addresses";
                    complaints.push(Complaint::new(place, sentence));
                }
                if !root_of_crate && (source.contains("unsafe {") || source.contains("unsafe impl"))
                {
                    complaints.push(Complaint::new(place, "holds unsafe code; it has addresses"));
                }
            }
        }
        complaints
    }
}

/// The crates of the house that a package uses, without their prefix and without dev-dependencies.
fn house_dependencies(package: &Value) -> impl Iterator<Item = &str> {
    list(&package["dependencies"])
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
        .filter_map(|dependency| text(&dependency["name"]).strip_prefix("precursor-"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(json: &str) -> Workspace {
        Workspace {
            metadata: serde_json::from_str(json).unwrap(),
            root: "/r/".to_owned(),
        }
    }

    #[test]
    fn an_edge_against_the_arrow_is_named() {
        let found = workspace(
            r#"{"workspace_members":["m"],"packages":[{"id":"m","name":"precursor-model",
            "manifest_path":"/r/dataplane/model/Cargo.toml","targets":[],
            "dependencies":[{"name":"precursor-storage","kind":null},
                            {"name":"precursor-shard","kind":"dev"}]}]}"#,
        )
        .forbidden_edges();
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("precursor-storage"));
    }

    #[test]
    fn tokio_is_found_behind_another_crate() {
        let found = workspace(
            r#"{"workspace_members":["a"],"packages":[
            {"id":"a","name":"precursor-shard","manifest_path":"/r/dataplane/shard/Cargo.toml"},
            {"id":"b","name":"between"},{"id":"c","name":"tokio"}],
            "resolve":{"nodes":[{"id":"a","deps":[{"pkg":"b","dep_kinds":[{"kind":null}]}]},
            {"id":"b","deps":[{"pkg":"c","dep_kinds":[{"kind":null}]}]}]}}"#,
        )
        .async_outside_the_control_plane();
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("tokio"));
    }
}
