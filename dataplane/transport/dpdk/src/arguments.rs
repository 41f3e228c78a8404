//! The words that DPDK's environment is started with.

use std::path::Path;

use crate::DpdkError;

/// Memory of an environment without hugepages, in MiB: for virtual devices of a few queues.
const PLAIN_MEMORY_MIB: &str = "256";

/// What the choice of words depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) has_free_hugepages: bool,
    /// A processor that this thread may use.
    pub(crate) cpu: usize,
}

impl Host {
    /// Asks this host.
    pub(crate) fn ask() -> Host {
        let sizes = std::fs::read_dir("/sys/kernel/mm/hugepages");
        let is_free = |folder: &Path| {
            let text = std::fs::read_to_string(folder.join("free_hugepages")).unwrap_or_default();
            text.trim().parse::<u64>().is_ok_and(|pages| pages > 0)
        };
        // SAFETY: takes nothing and answers a number.
        let cpu = unsafe { libc::sched_getcpu() };
        Host {
            has_free_hugepages: sizes
                .is_ok_and(|mut sizes| sizes.any(|size| size.is_ok_and(|s| is_free(&s.path())))),
            cpu: usize::try_from(cpu).unwrap_or(0),
        }
    }
}

/// Whether a word is the option `name`, alone or with its value: `-a`, `--allow=…`.
fn is(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| match name.strip_prefix("--") {
        Some(_) => word == *name || word.strip_prefix(name).is_some_and(|v| v.starts_with('=')),
        // A short option's value may follow at once.
        None => !word.starts_with("--") && word.starts_with(name),
    })
}

/// A PCI address with its domain, as DPDK writes it: `01:00.0` is `0000:01:00.0`.
pub(crate) fn pci_address(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    let (domain, bus, rest) = match parts[..] {
        [bus, rest] => ("0000", bus, rest),
        [domain, bus, rest] => (domain, bus, rest),
        _ => return None,
    };
    let (device, function) = rest.split_once('.')?;
    let hex = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let is_one = hex(domain, 4) && hex(bus, 2) && hex(device, 2) && hex(function, 1);
    is_one.then(|| format!("{domain}:{bus}:{device}.{function}").to_ascii_lowercase())
}

/// Completes the configured words by what a broker needs and nobody said otherwise.
///
/// # Errors
/// They name no device, or a card on a host without free hugepages, or what a broker cannot be.
pub(crate) fn complete(
    interface: &str,
    configured: &[String],
    host: Host,
) -> Result<Vec<String>, DpdkError> {
    let has = |names: &[&str]| configured.iter().any(|word| is(word, names));
    if has(&["-h", "--help"]) || configured.iter().any(|word| word == "--") {
        return Err(DpdkError::Arguments(String::from(
            "network.dpdk.args takes options of DPDK's environment alone, and none that ask for help",
        )));
    }
    if configured
        .iter()
        .any(|word| word.contains("proc-type") && word.contains("secondary"))
    {
        return Err(DpdkError::Arguments(String::from(
            "a broker is a primary process of DPDK: take --proc-type out of network.dpdk.args",
        )));
    }
    let card = pci_address(interface);
    let names_card = has(&["-a", "--allow", "-w"]);
    if card.is_none() && !names_card && !has(&["--vdev"]) {
        return Err(DpdkError::NoDevice {
            interface: interface.to_owned(),
        });
    }
    let mut words = vec![String::from("precursor")];
    words.extend_from_slice(configured);
    let mut add = |new: &[&str]| words.extend(new.iter().map(|&word| String::from(word)));
    match &card {
        Some(card) if !names_card => add(&["-a", card]),
        // Cards that nobody named are left alone.
        None if !names_card && !has(&["-b", "--block", "--no-pci"]) => add(&["--no-pci"]),
        _ => {}
    }
    if !has(&["-l", "-c", "-s", "-S", "--lcores"]) {
        // One, and only until the environment stands: shards are threads of ours.
        add(&["-l", &host.cpu.to_string()]);
    }
    let mut plain = has(&["--no-huge"]);
    if !host.has_free_hugepages && !plain {
        if card.is_some() || names_card {
            return Err(DpdkError::NoHugepages);
        }
        plain = true;
        add(&["--no-huge"]);
        if !has(&["-m", "--socket-mem"]) {
            add(&["-m", PLAIN_MEMORY_MIB]);
        }
    }
    let own_files = [
        "--huge-dir",
        "--file-prefix",
        "--huge-unlink",
        "--proc-type",
        "--no-shconf",
    ];
    if !has(&["--in-memory"]) && !has(&own_files) {
        // Memory and locks without files, so that nothing is left by whoever is killed. Without
        // hugepages the memory has none anyway, and EAL does not take the two together.
        add(&[if plain { "--no-shconf" } else { "--in-memory" }]);
    }
    if !has(&["--telemetry", "--no-telemetry"]) {
        add(&["--no-telemetry"]);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Host = Host {
        has_free_hugepages: true,
        cpu: 3,
    };

    fn words(interface: &str, configured: &str, host: Host) -> Result<String, String> {
        let configured: Vec<String> = configured.split_whitespace().map(str::to_owned).collect();
        let completed = complete(interface, &configured, host);
        completed
            .map(|words| words.join(" "))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_card_is_allowed_by_its_address_and_others_are_not() {
        let expected = "precursor -a 0000:3b:02.1 -l 3 --in-memory --no-telemetry";
        assert_eq!(words("0000:3B:02.1", "", HOST).as_deref(), Ok(expected));
        assert_eq!(words("3b:02.1", "", HOST).as_deref(), Ok(expected));
        let own = "-a 0000:3b:02.1,rx=1 --lcores=1 --file-prefix=x --telemetry";
        assert_eq!(words("3b:02.1", own, HOST), Ok(format!("precursor {own}")));
    }

    #[test]
    fn a_virtual_device_needs_neither_cards_nor_hugepages() {
        let device = "--vdev=net_af_packet0,iface=near";
        let rich = format!("precursor {device} --no-pci -l 3 --in-memory --no-telemetry");
        assert_eq!(words("near", device, HOST), Ok(rich));
        let poor = Host {
            has_free_hugepages: false,
            ..HOST
        };
        let more = "--no-pci -l 3 --no-huge -m 256 --no-shconf --no-telemetry";
        let plain = format!("precursor {device} {more}");
        assert_eq!(words("near", device, poor), Ok(plain));
        let own = format!("{device} --no-huge -m 64 --no-shconf -l0");
        let kept = format!("precursor {own} --no-pci --no-telemetry");
        assert_eq!(words("near", &own, poor), Ok(kept));
    }

    #[test]
    fn what_cannot_be_is_one_sentence() {
        let poor = Host {
            has_free_hugepages: false,
            ..HOST
        };
        let refused = |interface, configured, host| {
            words(interface, configured, host).expect_err("it is refused")
        };
        assert!(refused("eth1", "", HOST).contains("--vdev=net_af_packet0,iface=eth1"));
        assert!(refused("01:00.0", "", poor).contains("setup-hugepages.sh"));
        assert!(refused("01:00.0", "--help", HOST).contains("ask for help"));
        assert!(refused("01:00.0", "-l 1 -- --app", HOST).contains("alone"));
        assert!(refused("01:00.0", "--proc-type=secondary", HOST).contains("primary"));
    }

    #[test]
    fn addresses_are_told_from_names() {
        assert_eq!(pci_address("1:00.0"), None);
        assert_eq!(pci_address("eth0"), None);
        assert_eq!(pci_address("eth0.5"), None);
        assert_eq!(pci_address("fd00::1"), None);
        assert_eq!(pci_address("10000:01:00.0"), None);
        assert_eq!(pci_address("0001:0A:1f.7").as_deref(), Some("0001:0a:1f.7"));
    }
}
