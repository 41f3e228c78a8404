//! TCP (RFC 9293) and what belongs to it.

mod acceptance;
mod acknowledge;
mod active;
mod bbr;
mod congestion;
mod connection;
mod cookies;
mod delivery;
mod input;
mod listen;
mod output;
mod payload;
mod rack;
mod receive_buffer;
mod recovery;
mod rtt;
mod scoreboard;
mod segment_out;
mod send_queue;
mod timers;
mod user;

pub(crate) use active::{Active, Actives};
pub(crate) use connection::{Connection, Flags, State};
pub(crate) use cookies::Cookies;
pub(crate) use listen::{Listener, RateLimit};
pub use send_queue::{Lender, Lent};
pub use user::OpenError;
