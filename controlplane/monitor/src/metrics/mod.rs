//! One scrape: every family, from where its numbers are kept.

mod broker;
mod clients;
mod groups;
mod latency;
mod logs;
mod process;
mod shards;
mod topics;

use crate::families::Families;
use crate::server::MonitorOptions;

/// Reads everything once.
pub(crate) async fn gather(options: &MonitorOptions) -> Families {
    let mut families = Families::default();
    broker::add(&mut families, options);
    latency::add(&mut families, options);
    process::add(&mut families, options);
    shards::add(&mut families, options);
    topics::add(&mut families, options);
    // A data plane that is away describes no logs; everything else is still told.
    let logs = logs::describe(options).await;
    logs::add(&mut families, &logs);
    clients::add(&mut families, options);
    groups::add(&mut families, options, &logs).await;
    families
}
