//! After its start and first connections, a transport allocates nothing: not for accepting, not
//! for receiving, sending, blocking, waiting or closing. Alone in its binary for its allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::{Event, SendError, Transport, Wait};

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: hands everything to the system's allocator; counting touches only thread-local cells
// that need no allocation and no destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ARMED.get() {
            COUNT.set(COUNT.get() + 1);
        }
        // SAFETY: the caller keeps GlobalAlloc's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps GlobalAlloc's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts what `act` allocates on this thread.
fn allocations<R>(act: impl FnOnce() -> R) -> (R, usize) {
    COUNT.set(0);
    ARMED.set(true);
    let result = act();
    ARMED.set(false);
    (result, COUNT.get())
}

const REQUEST_BYTES: usize = 300_000;

fn serve_one(transport: &mut KernelTransport, events: &mut Vec<Event>, buffer: &mut [u8]) {
    let mut closed = false;
    let (mut received, mut answer) = (0, 0);
    while !closed {
        events.clear();
        transport
            .poll(Wait::AtMost(Duration::from_millis(50)), events)
            .unwrap();
        for event in events.iter() {
            let (Event::Accepted { connection: id, .. }
            | Event::Readable(id)
            | Event::Writable(id)) = *event
            else {
                continue;
            };
            while let Ok(count) = transport.receive(id, buffer) {
                received += count;
                // All of it: a close with bytes unread would reset the connection.
                if received == REQUEST_BYTES {
                    answer = 1 << 24;
                }
            }
            while answer > 0 {
                let part = buffer.len().min(answer) / 2;
                let slices = [IoSlice::new(&buffer[..part]), IoSlice::new(&buffer[part..])];
                match transport.send(id, &slices) {
                    Ok(taken) => answer = answer.saturating_sub(taken),
                    Err(SendError::WouldBlock) => break,
                    Err(SendError::Broken) => panic!("the client reads on"),
                }
                if answer == 0 {
                    transport.close(id);
                    closed = true;
                }
            }
        }
    }
}

#[test]
fn nothing_is_allocated_after_the_start() {
    for driver in [Driver::Epoll, Driver::IoUring] {
        let options = KernelOptions {
            driver,
            connections_max: 8,
            ..KernelOptions::default()
        };
        let mut transport = KernelTransport::new(options).unwrap();
        let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let (mut events, mut buffer) = (Vec::with_capacity(4), vec![0; 100_000]);
        for round in 0..5 {
            let client = std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(&[1; REQUEST_BYTES]).unwrap();
                std::io::copy(&mut stream.take(1 << 26), &mut std::io::sink()).unwrap()
            });
            let serve = || serve_one(&mut transport, &mut events, &mut buffer);
            let ((), count) = allocations(serve);
            assert_eq!(count, 0, "{driver:?}, connection {round}");
            for _ in 0..5 {
                transport
                    .poll(Wait::AtMost(Duration::from_millis(60)), &mut events)
                    .unwrap();
            }
            assert!(client.join().unwrap() > 0);
        }
    }
    let (_, count) = allocations(|| Box::new(7));
    assert_eq!(count, 1, "the allocator counts");
}
