//! Where io_uring is forbidden, as in many containers, epoll serves and the report says so.

use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::Transport;

/// Answers io_uring_setup of this thread with EPERM, as a container's filter does.
fn forbid_io_uring() {
    let statement = |code: u32, jump_if_not: u8, value: u32| libc::sock_filter {
        code: code as u16,
        jt: 0,
        jf: jump_if_not,
        k: value,
    };
    let refusal = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let mut filter = [
        // The system call's number is the first field of what the filter sees.
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            1,
            libc::SYS_io_uring_setup as u32,
        ),
        statement(libc::BPF_RET | libc::BPF_K, 0, refusal),
        statement(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: takes no pointers.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(result, 0);
    // SAFETY: `program` and its filter outlive the call, which copies them.
    let result = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        )
    };
    assert_eq!(result, 0);
}

#[test]
fn epoll_serves_where_io_uring_is_forbidden() {
    let start = |driver| {
        let options = KernelOptions {
            driver,
            connections_max: 4,
            ..KernelOptions::default()
        };
        KernelTransport::new(options).unwrap()
    };
    // In a thread of its own, for a filter cannot be taken off again.
    let forbidden = std::thread::spawn(move || {
        forbid_io_uring();
        let transport = start(Driver::IoUring);
        (
            transport.capabilities().name,
            transport.report().to_string(),
        )
    });
    let (name, report) = forbidden.join().unwrap();
    assert_eq!(name, "epoll");
    assert!(report.contains("epoll instead of io_uring"), "{report}");
    assert!(report.contains("forbidden to this process"), "{report}");
    assert_eq!(start(Driver::Epoll).capabilities().name, "epoll");
}
