//! Log lines on standard error, as `log.format` and `log.level` say; the level may change while the
//! process runs.

use precursor_config::{LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// Libraries that tell at `info` what an operator does not want to know.
const TALKATIVE: &[&str] = &["openraft", "h2", "hyper", "tonic", "tower"];

/// Changes what is written.
#[derive(Clone)]
pub struct Levels(reload::Handle<Targets, Registry>);

impl Levels {
    /// Writes lines of this level and more severe ones from now on.
    pub fn set(&self, level: LogLevel) {
        // Fails when the logger is gone: then there is nothing to set.
        let _ = self.0.reload(filter(level));
    }
}

/// Makes every `tracing` event of this process a line.
pub fn install(format: LogFormat, level: LogLevel) -> Levels {
    let (filter, handle) = reload::Layer::new(filter(level));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
    Levels(handle)
}

fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let mut filter = Targets::new().with_default(level);
    if level <= LevelFilter::INFO {
        let quiet = level.min(LevelFilter::WARN);
        filter = filter.with_targets(TALKATIVE.iter().map(|target| (*target, quiet)));
    }
    filter
}
