//! The network: queues of the kernel's, and ways around it.

use std::io::ErrorKind;

use socket2::{Domain, Socket, Type};

use super::host::Host;
use super::{Finding, State};

/// AF_XDP of Linux' <sys/socket.h>.
const AF_XDP: i32 = 44;

pub fn backlog(host: &Host) -> Finding {
    let why =
        "Clients that connect all at once after a restart wait in this queue, or are refused.";
    let name = "accept queue";
    let somaxconn = host.number("proc/sys/net/core/somaxconn").unwrap_or(0);
    match somaxconn {
        1024.. => Finding::new(name, why, State::Good, format!("{somaxconn} at most")),
        _ => Finding::new(name, why, State::Improvable, format!("{somaxconn} at most"))
            .mend("sudo sysctl -w net.core.somaxconn=4096"),
    }
}

pub fn af_xdp(host: &Host) -> Finding {
    let why = "Clients can be served past the kernel's TCP (network.driver=afxdp).";
    let interfaces: Vec<String> = host
        .names("sys/class/net")
        .into_iter()
        .filter(|name| host.path(&format!("sys/class/net/{name}/device")).exists())
        .collect();
    let cards = match interfaces.as_slice() {
        [] => "no network card".to_owned(),
        names => format!("cards: {}", names.join(", ")),
    };
    match Socket::new(Domain::from(AF_XDP), Type::RAW, None) {
        Ok(_) => Finding::new(
            "af_xdp",
            why,
            State::Good,
            format!("sockets can be made; {cards}"),
        ),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Finding::new(
            "af_xdp",
            why,
            State::Improvable,
            format!("the kernel has it, this user may not; {cards}"),
        )
        .mend("Run with CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF (AmbientCapabilities= in the unit)"),
        Err(error) => Finding::new("af_xdp", why, State::Absent, error.to_string())
            .mend("Choose a kernel with CONFIG_XDP_SOCKETS"),
    }
}

pub fn dpdk(host: &Host) -> Finding {
    let why = "DPDK drives a network card from user space altogether (network.driver=dpdk).";
    let library = host.library("librte_eal.so");
    let groups = host.names("sys/kernel/iommu_groups").len();
    let vfio = host.path("dev/vfio/vfio").exists();
    let found = format!(
        "{}; {}; {}",
        library
            .as_deref()
            .unwrap_or("not both of libibverbs and librdmacm"),
        if vfio {
            "vfio is loaded"
        } else {
            "vfio is not loaded"
        },
        match groups {
            0 => "no IOMMU".to_owned(),
            groups => format!("{groups} IOMMU groups"),
        }
    );
    match (library, vfio) {
        (Some(_), true) => Finding::new("dpdk", why, State::Good, found),
        (Some(_), false) => Finding::new("dpdk", why, State::Improvable, found)
            .mend("sudo modprobe vfio-pci   # with intel_iommu=on or amd_iommu=on at boot"),
        (None, _) => Finding::new("dpdk", why, State::Absent, found)
            .mend("sudo apt-get install dpdk libdpdk-dev && sudo modprobe vfio-pci"),
    }
}

pub fn rdma(host: &Host) -> Finding {
    let why = "Native clients on other hosts come over RDMA (network.driver=rdma, rdma.listen).";
    let verbs = host.library("libibverbs.so");
    let library = verbs.filter(|_| host.library("librdmacm.so").is_some());
    let devices = host.names("sys/class/infiniband");
    let found = format!(
        "{}; {}",
        library.as_deref().unwrap_or("no library"),
        match devices.as_slice() {
            [] => "no device".to_owned(),
            names => format!("devices: {}", names.join(", ")),
        }
    );
    match (library, devices.is_empty()) {
        (Some(_), false) => Finding::new("rdma", why, State::Good, found),
        (None, _) => Finding::new("rdma", why, State::Absent, found)
            .mend("sudo apt-get install rdma-core librdmacm1 ibverbs-providers"),
        (Some(_), true) => Finding::new("rdma", why, State::Absent, found).mend(
            "Add a card, or try without one: sudo modprobe -a rdma_rxe rdma_ucm && \
             sudo rdma link add rxe0 type rxe netdev eth0",
        ),
    }
}
