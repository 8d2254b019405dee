//! Whole models on every software adapter; `model` runs the same cases on the CPU player.

#[path = "common/adapters.rs"]
mod adapters;
#[path = "model/mod.rs"]
mod model;

use std::process::ExitCode;

use adapters::{Case, run_everywhere};
use model::pool::Place;

fn main() -> ExitCode {
    // Every case opens a device of its own on the only adapter in sight, as a program would.
    run_everywhere(|| {
        model::cases().into_iter().map(|case| Case::new(case.name, move |_| (case.run)(Place::Gpu))).collect()
    })
}
