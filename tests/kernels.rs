//! Every kernel, with every epilogue and override, on every software adapter against its plain CPU twin.

#[path = "common/adapters.rs"]
mod adapters;
#[path = "kernels/attention.rs"]
mod attention;
#[path = "kernels/case.rs"]
mod case;
#[path = "kernels/linear.rs"]
mod linear;
#[path = "common/random.rs"]
mod random;
#[path = "kernels/rows.rs"]
mod rows;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "kernels/select.rs"]
mod select;
#[path = "kernels/sequence_rows.rs"]
mod sequence_rows;
#[path = "kernels/sequences.rs"]
mod sequences;
#[path = "common/tolerance.rs"]
mod tolerance;

use std::process::ExitCode;

use adapters::{Case, run_everywhere};
use ocelli::cpu::CpuPlayer;
use ocelli::gpu::GpuPlayer;
use ocelli::kernels::KernelId;

fn main() -> ExitCode {
    run_everywhere(|_| {
        let mut cases: Vec<Case> = all_cases().map(as_case).collect();
        cases.push(Case::new("every kernel has a case", every_kernel_has_a_case));
        cases.push(Case::new("what sequences see matters", |_| sequences::what_matters()));
        cases.push(Case::new("fast CPU kernels over sequences", |_| fast_kernels()));
        cases
    })
}

fn all_cases() -> impl Iterator<Item = case::KernelCase> {
    let rows = [rows::cases(), sequence_rows::cases()].into_iter().flatten();
    [linear::cases(), attention::cases(), sequences::cases(), select::cases()].into_iter().flatten().chain(rows)
}

fn as_case(case: case::KernelCase) -> Case {
    Case::new(case.label.clone(), move |gpu| {
        if let Some(feature) = missing_feature(gpu, &case) {
            return must_be_refused(gpu, &case, feature);
        }
        case.check(gpu, &mut CpuPlayer::plain())
    })
}

fn fast_kernels() -> Result<(), String> {
    sequences::cases().iter().try_for_each(|case| case.check_fast().map_err(|error| format!("{}: {error}", case.label)))
}

/// The feature of a case's kernels that the adapter lacks.
fn missing_feature(gpu: &GpuPlayer, case: &case::KernelCase) -> Option<&'static str> {
    let capabilities = gpu.capabilities();
    let lacks = |kernel: KernelId| {
        let needs = kernel.info().needs;
        let f16 = (needs.shader_f16 && !capabilities.shader_f16).then_some("shader-f16");
        f16.or((needs.subgroups && capabilities.subgroups.is_none()).then_some("subgroups"))
    };
    case.kernels().find_map(lacks)
}

/// What cannot run must say so, instead of giving a wrong answer.
fn must_be_refused(gpu: &mut GpuPlayer, case: &case::KernelCase, feature: &str) -> Result<(), String> {
    match case.check(gpu, &mut CpuPlayer::plain()) {
        Err(message) if message.contains(feature) => Ok(()),
        Err(message) => Err(format!("expected a word of {feature}, found: {message}")),
        Ok(()) => Err(format!("it ran, but the adapter says that it lacks {feature}")),
    }
}

fn every_kernel_has_a_case(_: &mut GpuPlayer) -> Result<(), String> {
    let covered: Vec<KernelId> = all_cases().flat_map(|case| case.kernels().collect::<Vec<_>>()).collect();
    let missing: Vec<&str> =
        KernelId::ALL.iter().filter(|kernel| !covered.contains(kernel)).map(|kernel| kernel.info().name).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("there is no case for {}", missing.join(", "))) }
}
