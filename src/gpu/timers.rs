use std::sync::Arc;

use super::GpuError;
use super::buffers::Counter;
use super::device::Device;
use super::plan::{Plan, PlanStep};
use super::play;
use super::readback::{StagedRead, Staging};
use super::scratch::Scratch;

/// How long one dispatch took on the device.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelTime {
    /// The kernel's name.
    pub kernel: &'static str,
    /// The mark before it in the recording; empty at the start.
    pub mark: String,
    /// Nanoseconds on the device.
    pub nanoseconds: f64,
}

/// Most timestamps of a query set.
const MOST_QUERIES: usize = 4096;

/// Plays a plan with every dispatch in a compute pass of its own, because passes are what a device times.
pub(super) async fn play(
    device: &Device,
    staging: &Staging,
    plan: &Plan,
    scratch: &Scratch,
) -> Result<Vec<KernelTime>, GpuError> {
    if !device.timestamps {
        return Err(GpuError::MissingFeature { kernel: "any", feature: "timestamp-query" });
    }
    let mut times = names(plan);
    let mut first = 0;
    let mut steps = plan.steps();
    while !steps.is_empty() {
        let (batch, rest) = split(steps);
        let ticks = play_batch(device, staging, plan, scratch, batch).await?;
        let period = f64::from(device.queue.get_timestamp_period());
        for (time, ticks) in times[first..].iter_mut().zip(ticks.chunks_exact(2)) {
            time.nanoseconds = ticks[1].saturating_sub(ticks[0]) as f64 * period;
            first += 1;
        }
        steps = rest;
    }
    Ok(times)
}

/// Every dispatch of the plan with the mark before it.
fn names(plan: &Plan) -> Vec<KernelTime> {
    let mut last = "";
    let mut times = Vec::new();
    for step in plan.steps() {
        match step {
            PlanStep::Mark(name) => last = name,
            PlanStep::Dispatch { kernel, .. } => {
                times.push(KernelTime { kernel, mark: last.into(), nanoseconds: 0.0 });
            }
            PlanStep::Copy { .. } => {}
        }
    }
    times
}

/// The steps whose dispatches fit one query set, and the rest.
fn split(steps: &[PlanStep]) -> (&[PlanStep], &[PlanStep]) {
    let dispatches = steps.iter().enumerate().filter(|(_, step)| matches!(step, PlanStep::Dispatch { .. }));
    let end = dispatches.map(|(index, _)| index).nth(MOST_QUERIES / 2);
    steps.split_at(end.unwrap_or(steps.len()))
}

/// Plays some steps and returns the start and end tick of each dispatch.
async fn play_batch(
    device: &Device,
    staging: &Staging,
    plan: &Plan,
    scratch: &Scratch,
    steps: &[PlanStep],
) -> Result<Vec<u64>, GpuError> {
    let dispatches = steps.iter().filter(|step| matches!(step, PlanStep::Dispatch { .. })).count();
    if dispatches == 0 {
        return Ok(Vec::new());
    }
    let count = 2 * dispatches as u32;
    let bytes = count as usize * size_of::<u64>();
    let queries = device.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: Some("timers"),
        ty: wgpu::QueryType::Timestamp,
        count,
    });
    let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
    let counter: &Counter = &device.memory.own;
    let resolved = device.create("timers", bytes, usage, counter).await?;
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut next = 0;
    for step in steps {
        match step {
            PlanStep::Dispatch { kernel, .. } => {
                let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(next),
                    end_of_pass_write_index: Some(next + 1),
                });
                next += 2;
                let label = Some(*kernel);
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes });
                play::dispatch(&mut pass, plan, step);
            }
            PlanStep::Copy { .. } => play::copy(&mut encoder, plan, scratch, step),
            PlanStep::Mark(_) => {}
        }
    }
    encoder.resolve_query_set(&queries, 0..count, &resolved.raw, 0);
    let staged = staging.take(device, bytes)?;
    encoder.copy_buffer_to_buffer(&resolved.raw, 0, &staged.raw, 0, Some(bytes as u64));
    let read = StagedRead { buffer: Arc::clone(&staged), bytes, staging: staging.clone() };
    let ticks = play::submit(device, encoder, Some(read))?.await?;
    Ok(bytemuck::pod_collect_to_vec(&ticks))
}
