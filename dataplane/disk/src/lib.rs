//! File I/O for one shard: io_uring, O_DIRECT, and a helper thread for metadata operations.
