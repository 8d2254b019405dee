//! Whole models on every software adapter; `model` runs the same cases on the CPU player.

#[path = "common/adapters.rs"]
mod adapters;
#[path = "model/mod.rs"]
mod model;
#[path = "common/scratch.rs"]
mod scratch;

use std::process::ExitCode;

use adapters::{Case, run_everywhere};
use model::pool::Place;

fn main() -> ExitCode {
    // Every case opens a device of its own on the only adapter in sight, as a program would.
    run_everywhere(|adapter| {
        let all = model::cases().into_iter().chain(model::large_cases());
        // Each takes SwiftShader ten seconds and more; lavapipe runs them too.
        let slow = |name: &str| ["a picture of 896 pixels in chunks", "bindings of 1048576 bytes"].contains(&name);
        let as_it_is = all
            .filter(|case| adapter != "swiftshader" || !slow(&case.name))
            .map(|case| Case::new(case.name, move |_| (case.run)(Place::Gpu)));
        // It takes minutes over barriers. The browser's tests have it run these kernels too, with every format of
        // weights. A checkpoint more tells nothing new of formats, in which every kernel is compared on its own.
        let told = |name: &str| name.ends_with("equals dequantised") && !name.starts_with("pg2-gqa");
        let as_real_gpu = model::cases()
            .into_iter()
            .filter(|case| if adapter == "swiftshader" { case.name == "masks: q8" } else { !told(&case.name) })
            .map(|case| Case::new(format!("as a real GPU: {}", case.name), move |_| (case.run)(Place::AsRealGpu)));
        as_it_is.chain(as_real_gpu).collect()
    })
}
