//! The program, loaded into this kernel and run on frames: needs root.

use std::os::fd::AsFd;

use super::*;
use crate::sys;

const OURS: i32 = 4;
const ADDRESS: &str = "10.7.0.2";
const HIGH_ADDRESS: &str = "203.0.113.250";
const ADDRESS6: &str = "fd00::7:2";

struct Filter(std::os::fd::OwnedFd);

impl Filter {
    fn new(vlan: Option<u16>) -> Filter {
        let redirection = Redirection {
            addresses: [ADDRESS, HIGH_ADDRESS, ADDRESS6]
                .map(|a| a.parse().unwrap())
                .into(),
            ports: vec![9092, 40_000],
            vlan,
        };
        redirection.check().unwrap();
        let program = redirection.program(Target::Verdict(OURS));
        Filter(sys::load_program(&program).expect("the verifier takes the program; run as root"))
    }

    fn takes(&self, frame: &[u8]) -> bool {
        match sys::run_program(self.0.as_fd(), frame).expect("the program runs") {
            OURS => true,
            XDP_PASS => false,
            other => panic!("verdict {other}"),
        }
    }
}

fn ethernet(tags: &[(u16, u16)], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for (tag, identifier) in tags {
        frame.extend_from_slice(&tag.to_be_bytes());
        frame.extend_from_slice(&identifier.to_be_bytes());
    }
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

struct V4 {
    to: &'static str,
    protocol: u8,
    port: u16,
    options: usize,
    fragment: u16,
}

const V4_TCP: V4 = V4 {
    to: ADDRESS,
    protocol: 6,
    port: 9092,
    options: 0,
    fragment: 0x4000,
};

impl V4 {
    fn packet(&self) -> Vec<u8> {
        let to: Ipv4Addr = self.to.parse().unwrap();
        let mut packet = vec![0; 20 + self.options * 4 + 20];
        packet[0] = 0x45 + self.options as u8;
        packet[6..8].copy_from_slice(&self.fragment.to_be_bytes());
        packet[9] = self.protocol;
        packet[16..20].copy_from_slice(&to.octets());
        let port = 20 + self.options * 4 + 2;
        packet[port..port + 2].copy_from_slice(&self.port.to_be_bytes());
        packet
    }

    fn frame(&self) -> Vec<u8> {
        ethernet(&[], ETHERTYPE_IPV4, &self.packet())
    }
}

fn v6(to: &str, next: u8, port: u16) -> Vec<u8> {
    let to: Ipv6Addr = to.parse().unwrap();
    let mut packet = vec![0; 60];
    packet[0] = 0x60;
    packet[6] = next;
    packet[24..40].copy_from_slice(&to.octets());
    packet[42..44].copy_from_slice(&port.to_be_bytes());
    ethernet(&[], ETHERTYPE_IPV6, &packet)
}

fn arp(target: &str) -> Vec<u8> {
    let target: Ipv4Addr = target.parse().unwrap();
    let mut packet = vec![0; 28];
    packet[24..28].copy_from_slice(&target.octets());
    ethernet(&[], ETHERTYPE_ARP, &packet)
}

#[test]
fn tcp_to_the_listener_is_ours() {
    let filter = Filter::new(None);
    assert!(filter.takes(&V4_TCP.frame()));
    assert!(
        filter.takes(
            &V4 {
                port: 40_000,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(
        filter.takes(
            &V4 {
                to: HIGH_ADDRESS,
                ..V4_TCP
            }
            .frame()
        )
    );
    for options in 1..=10 {
        assert!(filter.takes(&V4 { options, ..V4_TCP }.frame()), "{options}");
        assert!(
            !filter.takes(
                &V4 {
                    options,
                    port: 22,
                    ..V4_TCP
                }
                .frame()
            )
        );
    }
    // The first of several fragments has the port.
    assert!(
        filter.takes(
            &V4 {
                fragment: 0x2000,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(filter.takes(&v6(ADDRESS6, 6, 9092)));
    assert!(filter.takes(&v6(ADDRESS6, 6, 40_000)));
}

#[test]
fn everything_else_is_the_kernels() {
    let filter = Filter::new(None);
    assert!(!filter.takes(&V4 { port: 22, ..V4_TCP }.frame()));
    assert!(
        !filter.takes(
            &V4 {
                to: "10.7.0.1",
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(
        !filter.takes(
            &V4 {
                to: "10.7.0.1",
                protocol: 1,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(
        !filter.takes(
            &V4 {
                protocol: 17,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(
        !filter.takes(
            &V4 {
                fragment: 0x2001,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(!filter.takes(&v6(ADDRESS6, 6, 22)));
    assert!(!filter.takes(&v6(ADDRESS6, 17, 9092)));
    assert!(!filter.takes(&v6("fd00::7:3", 6, 9092)));
    assert!(!filter.takes(&v6("fd01::7:2", 6, 9092)));
    assert!(!filter.takes(&v6("ff02::1", 58, 0)));
    assert!(!filter.takes(&arp("10.7.0.1")));
    assert!(!filter.takes(&ethernet(&[], 0x88cc, &[0; 60])), "LLDP");
}

#[test]
fn neighbours_find_our_addresses() {
    let filter = Filter::new(None);
    assert!(filter.takes(&arp(ADDRESS)));
    assert!(filter.takes(&arp(HIGH_ADDRESS)));
    assert!(
        filter.takes(
            &V4 {
                protocol: 1,
                port: 0,
                ..V4_TCP
            }
            .frame()
        )
    );
    assert!(filter.takes(&v6(ADDRESS6, 58, 0)));
    assert!(filter.takes(&v6("ff02::1:ff07:2", 58, 0)));
    assert!(!filter.takes(&v6("ff02::1:ff07:2", 17, 0)));
    assert!(!filter.takes(&v6("ff02::1:ff07:3", 58, 0)));
}

#[test]
fn a_vlan_is_a_network_of_its_own() {
    let packet = V4_TCP.packet();
    let tagged = |tag, identifier| ethernet(&[(tag, identifier)], ETHERTYPE_IPV4, &packet);
    let untagged = Filter::new(None);
    assert!(untagged.takes(&tagged(0x8100, 0x6000)), "a priority alone");
    assert!(!untagged.takes(&tagged(0x8100, 100)));
    let filter = Filter::new(Some(100));
    assert!(filter.takes(&tagged(0x8100, 100)));
    assert!(filter.takes(&tagged(0x8100, 0xe000 | 100)));
    assert!(!filter.takes(&tagged(0x8100, 101)));
    assert!(!filter.takes(&tagged(0x88a8, 100)));
    assert!(!filter.takes(&V4_TCP.frame()));
    let twice = ethernet(&[(0x88a8, 7), (0x8100, 100)], ETHERTYPE_IPV4, &packet);
    assert!(!filter.takes(&twice));
}

#[test]
fn a_frame_that_ends_early_is_the_kernels() {
    let filter = Filter::new(None);
    let tcp = V4_TCP.frame();
    for frame in [tcp, v6(ADDRESS6, 6, 9092), arp(ADDRESS)] {
        let needed = match frame[12..14] {
            [0x08, 0x00] => 14 + 24,
            [0x08, 0x06] => 14 + 28,
            _ => 14 + 44,
        };
        // The kernel itself runs no program on less than a header.
        for bytes in 14..frame.len() {
            assert_eq!(
                filter.takes(&frame[..bytes]),
                bytes >= needed,
                "{bytes} bytes"
            );
        }
    }
    for options in 0..16 {
        let mut frame = V4_TCP.frame();
        frame[14] = 0x40 + options;
        filter.takes(&frame);
    }
    let mut short_header = V4_TCP.frame();
    short_header[14] = 0x44;
    assert!(!filter.takes(&short_header));
}

#[test]
fn limits_are_kept() {
    let good = Redirection {
        addresses: vec![ADDRESS.parse().unwrap()],
        ports: vec![1],
        vlan: None,
    };
    assert!(good.check().is_ok());
    let refused = [
        Redirection {
            addresses: Vec::new(),
            ..good.clone()
        },
        Redirection {
            addresses: vec![ADDRESS.parse().unwrap(); 17],
            ..good.clone()
        },
        Redirection {
            ports: Vec::new(),
            ..good.clone()
        },
        Redirection {
            ports: vec![0],
            ..good.clone()
        },
        Redirection {
            ports: vec![1; 65],
            ..good.clone()
        },
        Redirection {
            vlan: Some(0),
            ..good.clone()
        },
        Redirection {
            vlan: Some(4095),
            ..good.clone()
        },
    ];
    for redirection in refused {
        assert!(redirection.check().is_err(), "{redirection:?}");
    }
    for address in [ADDRESS, ADDRESS6] {
        let largest = Redirection {
            addresses: vec![address.parse().unwrap(); 16],
            ports: (1..=64).collect(),
            vlan: Some(9),
        };
        largest.check().unwrap();
        sys::load_program(&largest.program(Target::Verdict(OURS))).expect("the verifier takes it");
    }
}
