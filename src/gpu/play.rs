use crate::graph::record::Read;

use super::GpuError;
use super::buffers::check_range;
use super::device::Device;
use super::plan::{Plan, PlanStep};
use super::readback::{Pending, StagedRead, Staging};
use super::scratch::Scratch;

/// Encodes a plan in as few compute passes as its copies allow.
pub(super) fn encode(encoder: &mut wgpu::CommandEncoder, plan: &Plan, scratch: &Scratch) {
    let mut steps = plan.steps().iter().peekable();
    while let Some(step) = steps.peek() {
        match step {
            PlanStep::Copy { .. } => {
                copy(encoder, plan, scratch, step);
                steps.next();
            }
            PlanStep::Mark(_) => {
                steps.next();
            }
            PlanStep::Dispatch { .. } => {
                let label = Some(plan.name());
                let mut pass =
                    encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
                while let Some(step) = steps.next_if(|step| !matches!(step, PlanStep::Copy { .. })) {
                    dispatch(&mut pass, plan, step);
                }
            }
        }
    }
}

/// Encodes one dispatch; other steps are nothing to a compute pass.
pub(super) fn dispatch(pass: &mut wgpu::ComputePass<'_>, plan: &Plan, step: &PlanStep) {
    if let PlanStep::Dispatch { pipeline, group, params, grid: [x, y, z], .. } = step {
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, plan.group(*group), &[]);
        pass.set_bind_group(1, plan.constants(), &[*params]);
        pass.dispatch_workgroups(*x, *y, *z);
    }
}

/// Encodes one copy; other steps are nothing here.
pub(super) fn copy(encoder: &mut wgpu::CommandEncoder, plan: &Plan, scratch: &Scratch, step: &PlanStep) {
    if let PlanStep::Copy { from, from_offset, to, to_offset, bytes } = step {
        let (from, to) = (&plan.buffer(scratch, *from).raw, &plan.buffer(scratch, *to).raw);
        encoder.copy_buffer_to_buffer(from, *from_offset, to, *to_offset, Some(*bytes));
    }
}

/// Encodes the copies of all reads to one staging buffer, one after the other.
pub(super) fn stage_reads(
    encoder: &mut wgpu::CommandEncoder,
    device: &Device,
    staging: &Staging,
    plan: &Plan,
    reads: &[Read],
) -> Result<Option<StagedRead>, GpuError> {
    let mut total = 0usize;
    for read in reads {
        let external = external(plan, read)?;
        check_range("play", external, read.offset, read.bytes)?;
        total = total.saturating_add(read.bytes);
    }
    if total == 0 {
        return Ok(None);
    }
    let buffer = staging.take(device, total)?;
    let mut at = 0;
    for read in reads.iter().filter(|read| read.bytes > 0) {
        let from = &external(plan, read)?.raw;
        encoder.copy_buffer_to_buffer(from, read.offset as u64, &buffer.raw, at, Some(read.bytes as u64));
        at += read.bytes as u64;
    }
    Ok(Some(StagedRead { buffer, bytes: total, staging: staging.clone() }))
}

/// Submits once and listens for the end.
pub(super) fn submit(
    device: &Device,
    encoder: wgpu::CommandEncoder,
    read: Option<StagedRead>,
) -> Result<Pending, GpuError> {
    if device.doubts.is_empty() {
        return send(device, encoder, read);
    }
    // A buffer that turns out to be refused entails a rejected submission: one defect is told once.
    let validation = device.device.push_error_scope(wgpu::ErrorFilter::Validation);
    let pending = send(device, encoder, read);
    let invalid = validation.pop();
    device.doubts.add(async move {
        let reason = invalid.await?.to_string();
        Some(GpuError::Rejected { what: "a command".into(), reason })
    });
    pending
}

fn send(device: &Device, encoder: wgpu::CommandEncoder, read: Option<StagedRead>) -> Result<Pending, GpuError> {
    let submission = device.queue.submit([encoder.finish()]);
    device.counters.submitted(read.as_ref().map_or(0, |read| read.bytes));
    // Natively a rejected submission is known at once; mapping its staging buffer would then be wrong.
    device.health.check()?;
    Ok(Pending::new(device, submission, read))
}

fn external<'a>(plan: &'a Plan, read: &Read) -> Result<&'a super::buffers::DeviceBuffer, GpuError> {
    let missing = || GpuError::BadCall { call: "play", reason: format!("there is no external {}", read.external) };
    plan.external(read.external).ok_or_else(missing)
}
