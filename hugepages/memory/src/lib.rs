//! Mappings, NUMA, the extent allocator, buffers, fast copy and CRC.
