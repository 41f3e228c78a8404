//! Running brokers: what must hold, each as a test that can fail.
#![forbid(unsafe_code)]

mod afxdp;
mod afxdp_wire;
mod crashes;
mod directories;
mod dpdk;
mod groups;
mod hostile;
mod hostile_admin;
mod hot_path;
mod idle;
mod lab;
mod limits;
mod many_partitions;
mod observability;
mod shm;
mod start;
mod wire;
