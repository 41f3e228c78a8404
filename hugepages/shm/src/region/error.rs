//! Why there is no region: sentences that name the culprit and what mends it.

use std::io;
use std::path::PathBuf;

/// A region could not be made or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum RegionError {
    /// The data directory cannot be made, found or locked.
    #[error("the data directory {path} cannot be used: {source}")]
    DataDirectory { path: PathBuf, source: io::Error },
    /// A place for the region cannot be used.
    #[error("no region can be made in {path}: {source}; memory.region.dir names another directory")]
    Place { path: PathBuf, source: io::Error },
    /// More memory is asked for than the place has.
    #[error(
        "the region needs {needed} bytes and {path} has {available} free; \
         lower memory.region.bytes or free some memory"
    )]
    NoRoom {
        path: PathBuf,
        needed: u64,
        available: u64,
    },
    /// `memory.hugepages=on`, and there are none to be had.
    #[error(
        "memory.hugepages is on, but {reason}; reserve 2 MiB pages (sysctl vm.nr_hugepages) and mount \
         hugetlbfs, or set memory.hugepages=auto"
    )]
    NoHugepages { reason: String },
    /// Impossible sizes were asked for.
    #[error("a region of these sizes is not possible: {reason}")]
    Options { reason: String },
    /// There is no region to attach to.
    #[error(
        "there is no region for node {node_id} and the data directory {data_dir}; start precursor serve"
    )]
    NotFound { node_id: i32, data_dir: PathBuf },
    /// Two places have a region of this node.
    #[error(
        "there are two regions for this node, {first} and {second}; one was left behind: stop every \
         process of this node and remove the older one (records in it that are not on disk are lost)"
    )]
    Ambiguous { first: PathBuf, second: PathBuf },
    /// The file is not a region, or one whose header is damaged.
    #[error(
        "{path} is not a usable region ({reason}); if nothing else needs it, remove it and start \
         again (records in it that are not on disk are lost)"
    )]
    Damaged { path: PathBuf, reason: String },
    /// Another version of precursor made it.
    #[error(
        "{path} was made by another version (region ABI {found}, this one is {expected}): start that \
         version once and stop it cleanly, which writes its records to disk, or remove the file and \
         lose those that are not there yet"
    )]
    Version {
        path: PathBuf,
        found: u32,
        expected: u32,
    },
    /// It belongs to another node.
    #[error(
        "{path} belongs to node {found}, and this is node {expected}: set node.id={found}, or give \
         this node its own memory.region.dir"
    )]
    Node {
        path: PathBuf,
        found: i32,
        expected: i32,
    },
    /// It belongs to another data directory.
    #[error(
        "{path} belongs to another data directory than {data_dir}: start once with that one and stop \
         cleanly, or give this node its own memory.region.dir"
    )]
    DataDirectoryDiffers { path: PathBuf, data_dir: PathBuf },
    /// It has other sizes than are configured.
    #[error(
        "{path} was made with {option}={found}, and {expected} is configured: start once with {found} \
         and stop cleanly, which removes the region, then change it"
    )]
    Sizes {
        path: PathBuf,
        option: &'static str,
        found: u64,
        expected: u64,
    },
    /// The operating system refused something about the region's file.
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
}
