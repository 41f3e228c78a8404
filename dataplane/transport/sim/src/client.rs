//! The far end of a simulated connection.

use std::time::Duration;

use crate::network::{Link, SimNetwork};
use crate::pipe::Found;

/// What a client's receive found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientReceived {
    Bytes(usize),
    Nothing,
    End,
    Reset,
}

/// A client's connection. Dropping it closes it, as closing a socket does: the server may find an
/// end, and finds a failure when it goes on sending.
pub struct SimClient {
    network: SimNetwork,
    link: u64,
}

impl SimClient {
    pub(crate) fn new(network: SimNetwork, link: u64) -> SimClient {
        SimClient { network, link }
    }

    /// Sends; returns how many bytes were taken: 0 when there is no room or no connection.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let mut state = self.network.lock();
        let now = state.now_us;
        let Some(link) = state.links.get(&self.link) else {
            return 0;
        };
        if link.broken || link.to_server.is_ended() {
            return 0;
        }
        let room = link.to_server.room().min(bytes.len());
        let (taken, breaks) = state.send_fate(room);
        let when = state.arrival();
        let Some(link) = state.links.get_mut(&self.link) else {
            return 0;
        };
        if breaks || link.server_gone {
            link.breaks_at.get_or_insert(when);
        }
        if taken > 0 {
            link.to_server.write(&bytes[..taken], when);
        }
        link.to_server.advance(now);
        taken
    }

    /// Receives what has arrived. Does not move time.
    pub fn receive(&mut self, buffer: &mut [u8]) -> ClientReceived {
        let mut state = self.network.lock();
        let now = state.now_us;
        let Some(link) = state.links.get_mut(&self.link) else {
            return ClientReceived::Reset;
        };
        link.to_client.advance(now);
        match link.to_client.read(buffer) {
            Found::Bytes(length) => ClientReceived::Bytes(length),
            Found::End => ClientReceived::End,
            Found::Nothing if link.broken => ClientReceived::Reset,
            Found::Nothing => ClientReceived::Nothing,
        }
    }

    /// Receives everything that has arrived; true when the connection has ended or broken.
    pub fn receive_all(&mut self, into: &mut Vec<u8>) -> bool {
        let mut buffer = [0; 4096];
        loop {
            match self.receive(&mut buffer) {
                ClientReceived::Bytes(length) => into.extend_from_slice(&buffer[..length]),
                ClientReceived::Nothing => return false,
                ClientReceived::End | ClientReceived::Reset => return true,
            }
        }
    }

    /// Ends the sending direction; answers can still be received.
    pub fn finish_sending(&mut self) {
        self.with_link(|link, when| link.to_server.end(when));
    }

    /// Breaks the connection.
    pub fn reset(self) {
        self.with_link(|link, when| {
            link.breaks_at.get_or_insert(when);
        });
    }

    /// Breaks the connection after `delay`.
    pub fn reset_after(&self, delay: Duration) {
        self.with_link(|link, when| {
            link.breaks_at
                .get_or_insert(when + delay.as_micros() as u64);
        });
    }

    fn with_link(&self, act: impl FnOnce(&mut Link, u64)) {
        let mut state = self.network.lock();
        let when = state.arrival();
        if let Some(link) = state.links.get_mut(&self.link) {
            act(link, when);
        }
    }
}

impl Drop for SimClient {
    fn drop(&mut self) {
        self.with_link(|link, when| {
            link.client_gone = true;
            link.to_server.end(when);
        });
        self.network.lock().settle(self.link);
    }
}
