//! Around a request's handler, where there are quotas (KIP-219): the answer goes at once and says
//! for how long the connection is not read on.

use super::forward::USER;
use crate::core::{Core, Handled, Request};
use crate::quotas::Kind;
use precursor_protocol::ApiKey;
use precursor_protocol::api::AnsweredBy;
use std::time::Instant;

/// Handles a request of a client with its quotas in force. What it owes by now it is told in its
/// answer, and waits for after it; what this request costs it is told with the next, but for the
/// bytes of a Produce, which are known before its answer.
pub(super) fn handle(core: &mut Core, request: &Request<'_>, by: AnsweredBy) -> Handled {
    around(core, request, |core| super::handle(core, request, by))
}

/// The same around whatever handles a request.
pub(super) fn around(
    core: &mut Core,
    request: &Request<'_>,
    handle: impl FnOnce(&mut Core) -> Handled,
) -> Handled {
    let accounts = core
        .quotas
        .accounts(USER, request.client_id.unwrap_or_default());
    let account = |kind: Kind| accounts[kind as usize];
    let now_us = core.now.monotonic_us;
    core.throttle_ms = core.quotas.throttle_ms(account(Kind::Request), now_us);
    core.throttle_account = match request.key {
        ApiKey::Produce => account(Kind::Produce),
        ApiKey::Fetch => account(Kind::Fetch),
        _ => None,
    };
    if request.key == ApiKey::Fetch {
        let owed = core.quotas.throttle_ms(account(Kind::Fetch), now_us);
        core.throttle_ms = core.throttle_ms.max(owed);
    }
    let timed = account(Kind::Request).map(|account| (account, Instant::now()));
    let handled = handle(core);
    if let Some((account, began)) = timed {
        let spent_ns = began.elapsed().as_nanos() as u64;
        core.quotas.charge(Some(account), spent_ns, now_us);
    }
    let throttle_ms = std::mem::take(&mut core.throttle_ms);
    core.throttle_account = None;
    if throttle_ms > 0 && handled == Handled::Done {
        core.mute(request.connection, request.key, throttle_ms);
    }
    handled
}
