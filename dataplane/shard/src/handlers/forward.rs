//! Requests that the control plane answers: passed on as they are.

use crate::answer::Waits;
use crate::control::{Caller, connection_number};
use crate::core::{Core, Handled, Request};
use precursor_shm::control::Origin;
use std::fmt::Write;

/// Everyone, until there is authentication.
pub(super) const USER: &str = "ANONYMOUS";
const PRINCIPAL: &str = "User:ANONYMOUS";

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    if !core.control.has_room() {
        core.out_of_control.push(request.connection);
        return Handled::Blocked;
    }
    let answer = core.begin_forwarded_answer(request);
    core.answers[answer].waits = Waits::Control;
    let mut peer = String::new();
    let mut software = None;
    if let Some(connection) = core.connections.get_mut(request.connection) {
        connection.forwarded += 1;
        // Writing to a string cannot fail.
        let _ = write!(peer, "{}", connection.peer);
        software = connection.software.as_deref();
    }
    let caller = Caller::Request {
        answer,
        connection: request.connection,
    };
    let origin = Origin {
        peer: &peer,
        listener: &core.options.listener_name,
        principal: PRINCIPAL,
        software_name: software.map_or("", |software| &software.name),
        software_version: software.map_or("", |software| &software.version),
    };
    let number = connection_number(request.connection);
    core.control.forward(caller, number, origin, request.frame);
    core.stats.control_forwarded.add(1);
    Handled::Done
}
