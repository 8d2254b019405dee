//! The progress of long work, on standard error and only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ocelli::session::LoadProgress;

pub struct WorkBar(ProgressBar);

impl WorkBar {
    /// A bar of bytes that appears with the first progress; `quiet` shows none.
    pub fn new(doing: &str, quiet: bool) -> Self {
        let style = "{bar:40} {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
        Self::of(doing, style, quiet)
    }

    /// The same of things that are counted.
    pub fn counting(doing: &str, quiet: bool) -> Self {
        Self::of(doing, "{bar:40} {pos} of {len}, {per_sec}, {eta} left", quiet)
    }

    fn of(doing: &str, style: &str, quiet: bool) -> Self {
        // Hides itself where standard error is no terminal.
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(&format!("{doing} {style}")) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub fn show(&self, progress: LoadProgress) {
        self.show_count(progress.done, progress.total);
    }

    pub fn show_count(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }

    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
