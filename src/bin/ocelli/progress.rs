//! The progress of a load, on standard error and only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ocelli::session::LoadProgress;

pub struct LoadBar(ProgressBar);

impl LoadBar {
    /// A bar that appears with the first progress; `quiet` shows none.
    pub fn new(quiet: bool) -> Self {
        // Hides itself where standard error is no terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = "loading {bar:40} {binary_bytes} of {binary_total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
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
