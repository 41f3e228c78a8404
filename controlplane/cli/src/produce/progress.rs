//! How far writing has come, for somebody who watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two drawings.
const REDRAW: Duration = Duration::from_millis(200);

/// A line on standard error that is redrawn; nothing where nobody watches.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Begins, with the number of bytes that will come where it is known. Somebody who types the
    /// lines needs no bar between them.
    pub fn new(bytes: Option<u64>, typed: bool) -> Progress {
        let bar = if typed || !std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(bytes, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr_with_hz(5))
        };
        let template = match bytes {
            Some(_) => {
                "{bar:30} {percent}%  {bytes} of {total_bytes}  {bytes_per_sec}  {msg}  \
                 {eta} left"
            }
            None => "{spinner} {bytes}  {bytes_per_sec}  {msg}  {elapsed}",
        };
        // The templates are ours and fixed; a wrong one would only cost its look.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(REDRAW);
        }
        Progress { bar }
    }

    /// So many bytes of input have been taken, and so many records written.
    pub fn show(&self, bytes: u64, records: u64) {
        self.bar.set_position(bytes);
        let seconds = self.bar.elapsed().as_secs_f64();
        if seconds > 0.0 && !self.bar.is_hidden() {
            let rate = records as f64 / seconds;
            self.bar
                .set_message(format!("{records} records, {rate:.0}/s"));
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
