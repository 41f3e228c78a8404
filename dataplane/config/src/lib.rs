//! The node's options as one table, and their loader.
//!
//! [`OPTIONS`] feeds the parser, the error messages, the documents and the command line. A value is
//! looked up in this order, later ones win: the table's default, the configuration file (TOML), the
//! environment (`PRECURSOR_NODE_ID` for `node.id`), `--set key=value`.
//!
//! All processes of a node load the same sources and so arrive at the same [`NodeConfig`].
#![forbid(unsafe_code)]

mod arguments;
mod error;
mod file;
mod in_force;
mod load;
mod node;
mod options;
mod reference;
mod setting;
mod values;

/// Exit code of a process whose command line or configuration is wrong: starting it again as it is
/// cannot help, which the systemd units know (`RestartPreventExitStatus=`).
pub const EXIT_CONFIGURATION: u8 = 2;

pub use arguments::ProcessArguments;
pub use error::{ConfigError, Source};
pub use in_force::{ChangeError, ConfigSource, Dynamic, Layer, changeable, topic_default};
pub use node::{AfXdpConfig, Bypass, BypassWay, NodeConfig};
pub use options::{NodeOption, OPTIONS, Unit};
pub use reference::reference_markdown;
pub use setting::{Setting, Target, settings};
pub use values::{
    CodecHardware, CongestionControl, Endpoint, FrameCopy, IdlePolicy, LogFormat, LogLevel,
    NetworkAddress, NetworkDriver, Part, Rate, Switch, XdpMode,
};
