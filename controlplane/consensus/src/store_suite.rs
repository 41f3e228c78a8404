//! openraft's own suite over the log store and the state machine, each case on a fresh file.

use crate::disk::Disk;
use crate::log_store::LogStore;
use crate::state_machine::StateMachine;
use crate::types::TypeConfig;
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

struct FreshFile;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for FreshFile {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::open(&directory.path().join("log"), 1).unwrap();
        let state_machine = StateMachine::open(disk.clone()).unwrap();
        Ok((directory, LogStore::new(disk), state_machine))
    }
}

#[tokio::test]
async fn the_store_passes_openrafts_suite() {
    Suite::test_all(FreshFile).await.unwrap();
}
