//! NUMA nodes, as the kernel tells of them, and memory that is to come from one.

use std::fs;
use std::io;
use std::path::Path;

const NODES: &str = "/sys/devices/system/node";
/// `MPOL_PREFERRED`: from this node while it has any, else from the nearest.
const PREFERRED: i32 = 1;
/// Nodes that a policy can name here.
const NODES_MAX: u32 = 1024;

/// The machine's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Each node with the processors that are near it, ascending.
    nodes: Vec<(u32, Vec<usize>)>,
}

impl Topology {
    /// What this machine has; one node where the kernel tells of none.
    pub fn detect() -> Topology {
        Topology::read(Path::new(NODES))
    }

    fn read(directory: &Path) -> Topology {
        let list = |path: &Path| fs::read_to_string(path).ok().and_then(|text| parse(&text));
        let online = list(&directory.join("online")).unwrap_or_default();
        let nodes = online.into_iter().map(|node| {
            let processors = list(&directory.join(format!("node{node}/cpulist")));
            (node as u32, processors.unwrap_or_default())
        });
        Topology {
            nodes: nodes.collect(),
        }
    }

    /// How many nodes there are, at least 1.
    pub fn count(&self) -> usize {
        self.nodes.len().max(1)
    }

    /// The node of a processor; `None` where the kernel does not tell.
    pub fn node_of(&self, processor: usize) -> Option<u32> {
        let near = |(_, processors): &&(u32, Vec<usize>)| processors.contains(&processor);
        self.nodes.iter().find(near).map(|(node, _)| *node)
    }
}

/// Numbers and ranges, as `0-3,8`.
fn parse(text: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        let bounded = first <= last && last < 1 << 16;
        bounded.then(|| numbers.extend(first..=last))?;
    }
    Some(numbers)
}

/// Has the calling thread's own memory come from this node while it has any.
///
/// # Errors
/// There is no such node, or the kernel knows none.
pub fn prefer_node(node: u32) -> io::Result<()> {
    let mask = mask_of(node)?;
    let bits = u64::from(NODES_MAX) + 1;
    // SAFETY: the kernel reads so many bits of the mask, which lives for the call.
    let outcome = unsafe { libc::syscall(libc::SYS_set_mempolicy, PREFERRED, mask.as_ptr(), bits) };
    match outcome {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The same for a range of whole pages that is mapped.
pub(crate) fn prefer_node_for(start: *mut u8, bytes: usize, node: u32) -> io::Result<()> {
    let mask = mask_of(node)?;
    let bits = u64::from(NODES_MAX) + 1;
    // SAFETY: a policy changes where pages come from, not what they hold; the kernel reads so many
    // bits of the mask, which lives for the call.
    let outcome = unsafe {
        libc::syscall(
            libc::SYS_mbind,
            start,
            bytes,
            PREFERRED,
            mask.as_ptr(),
            bits,
            0,
        )
    };
    match outcome {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn mask_of(node: u32) -> io::Result<[u64; NODES_MAX as usize / 64]> {
    let mut mask = [0; NODES_MAX as usize / 64];
    let word = mask.get_mut(node as usize / 64);
    *word.ok_or(io::ErrorKind::InvalidInput)? |= 1 << (node % 64);
    Ok(mask)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Mapping;

    #[test]
    fn nodes_are_read_with_their_processors() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("online", "0,2-3\n");
        write("node0/cpulist", "0-1,8\n");
        write("node2/cpulist", "2\n");
        write("node3/cpulist", "\n");
        let topology = Topology::read(directory.path());
        assert_eq!(topology.count(), 3);
        assert_eq!(topology.node_of(8), Some(0));
        assert_eq!(topology.node_of(2), Some(2));
        assert_eq!(topology.node_of(3), None);
        let none = Topology::read(&directory.path().join("absent"));
        assert_eq!((none.count(), none.node_of(0)), (1, None));
        for wrong in ["3-1", "0-99999999", "x", "1-"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    /// The policy in force for an address or, without one, for the calling thread: its mode and mask.
    fn policy(address: Option<*mut u8>) -> io::Result<(i32, u64)> {
        let (mut mode, mut mask) = (0_i32, [0_u64; NODES_MAX as usize / 64]);
        let by_address = 2 * u64::from(address.is_some());
        let address = address.unwrap_or(std::ptr::null_mut());
        let bits = u64::from(NODES_MAX);
        // SAFETY: the kernel writes a number and so many bits, which live for the call.
        let outcome = unsafe {
            libc::syscall(
                libc::SYS_get_mempolicy,
                &raw mut mode,
                mask.as_mut_ptr(),
                bits,
                address,
                by_address,
            )
        };
        match outcome {
            0 => Ok((mode, mask[0])),
            _ => Err(io::Error::last_os_error()),
        }
    }

    #[test]
    fn memory_comes_from_the_node_that_is_named() {
        let topology = Topology::detect();
        let Some(node) = topology.node_of(0) else {
            eprintln!("SKIPPED: this kernel tells of no nodes");
            return;
        };
        let mut mapping = Mapping::anonymous(1 << 20).unwrap();
        if let Err(error) = mapping.prefer_node(4096, 8192, node) {
            eprintln!("SKIPPED: this host forbids it: {error}");
            return;
        }
        let at = |offset| mapping.as_ptr().wrapping_add(offset);
        assert_eq!(policy(Some(at(4096))).unwrap(), (PREFERRED, 1 << node));
        assert_eq!(policy(Some(at(0))).unwrap().0, 0, "only the range");
        mapping.prefault(4096, 8192).unwrap();
        assert!(mapping.prefer_node(0, 4096, NODES_MAX).is_err());
        std::thread::spawn(move || {
            prefer_node(node).unwrap();
            assert_eq!(policy(None).unwrap(), (PREFERRED, 1 << node));
        })
        .join()
        .unwrap();
        mapping = Mapping::anonymous(4096).unwrap();
        drop(mapping);
        assert_eq!(policy(None).unwrap().0, 0, "only that thread");
    }
}
