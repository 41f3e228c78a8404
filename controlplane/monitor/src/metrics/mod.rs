//! One scrape: every family, from where its numbers are kept.

mod broker;
mod process;
mod shards;
mod topics;

use crate::families::Families;
use crate::server::MonitorOptions;

/// Reads everything once.
pub(crate) fn gather(options: &MonitorOptions) -> Families {
    let mut families = Families::default();
    broker::add(&mut families, options);
    process::add(&mut families, options);
    shards::add(&mut families, options);
    topics::add(&mut families, options);
    families
}
