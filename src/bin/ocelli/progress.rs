//! The progress of long work, on standard error and only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ocelli::session::LoadProgress;

pub struct WorkBar(ProgressBar);

impl WorkBar {
    /// A bar that appears with the first progress; `quiet` shows none.
    pub fn new(doing: &str, quiet: bool) -> Self {
        // Hides itself where standard error is no terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = format!(
            "{doing} {{bar:40}} {{binary_bytes}} of {{binary_total_bytes}}, {{binary_bytes_per_sec}}, {{eta}} left"
        );
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub fn show(&self, progress: LoadProgress) {
        self.0.set_length(progress.total as u64);
        self.0.set_position(progress.done as u64);
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
