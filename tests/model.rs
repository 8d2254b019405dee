//! Whole models on the CPU player; `model_gpu` runs the same cases on the software adapters.

#[path = "model/mod.rs"]
mod model;
#[path = "common/scratch.rs"]
mod scratch;

use std::process::ExitCode;

use model::pool::Place;

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let (mut passed, mut failed) = (0, 0);
    let cases = model::host_cases().into_iter().chain(model::cases()).chain(model::large_cases());
    for case in cases.filter(|case| chosen(&case.name)) {
        // A panic in one case must not hide the others.
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (case.run)(Place::Cpu)));
        match run.unwrap_or_else(|_| Err("it panicked".into())) {
            Ok(()) => passed += 1,
            Err(message) => {
                println!("FAILED cpu {}: {message}", case.name);
                failed += 1;
            }
        }
    }
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
