//! A process without a descriptor left turns clients away instead of letting them wait, and
//! serves again once there are some. Alone in its binary, for it takes all descriptors.

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::{Event, Transport, Wait};

#[test]
fn exhausted_descriptors_are_survived() {
    let limit = libc::rlimit {
        rlim_cur: 64,
        rlim_max: 64,
    };
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    for driver in [Driver::Epoll, Driver::IoUring] {
        let options = KernelOptions {
            driver,
            ..KernelOptions::default()
        };
        let mut transport = KernelTransport::new(options).unwrap();
        assert!(transport.report().contains("ulimit -n"));
        let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut events = Vec::with_capacity(8);
        transport.poll(Wait::None, &mut events).unwrap();

        let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        taken.pop();
        let mut refused = TcpStream::connect(address).unwrap();
        refused
            .set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let start = Instant::now();
        let ended = loop {
            transport
                .poll(Wait::AtMost(Duration::from_millis(10)), &mut events)
                .unwrap();
            match refused.read(&mut [0]) {
                Ok(0) => break true,
                _ if start.elapsed() > Duration::from_secs(30) => break false,
                _ => {}
            }
        };
        assert!(ended, "{driver:?}: the client was left to wait");
        assert!(events.is_empty());
        assert_eq!(transport.refused_count(), 1);

        taken.clear();
        let _served = TcpStream::connect(address).unwrap();
        while events.is_empty() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{driver:?}: never accepts again"
            );
            transport
                .poll(Wait::AtMost(Duration::from_millis(10)), &mut events)
                .unwrap();
        }
        assert!(matches!(events[0], Event::Accepted { .. }));
    }
}
