//! Work on a data directory that no broker has open: looking, mending, taking over Kafka's.
//!
//! Nothing here needs a region or a running store. What a file must look like is decided by the
//! code that the broker itself writes and reads it with.

mod adopt;
mod container_check;
mod dump;
mod finding;
mod in_use;
mod index_check;
mod inventory;
mod kafka_metadata;
mod partition_check;
mod repair;
mod transaction_check;
mod verify;

pub use adopt::{AdoptOptions, AdoptedTopic, Survey, adopt, adopted, survey};
pub use dump::{Dumped, Dumper, dump_file};
pub use finding::{Finding, Severity};
pub use in_use::{InUse, UseLock, region_left};
pub use inventory::{Inventory, PartitionDirectory, partition_of};
pub use repair::{Plan, Repaired, Step, plan, repair};
pub use verify::{Verification, Watch, verify};
