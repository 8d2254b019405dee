use std::collections::HashMap;
use std::sync::Arc;

use crate::graph::record::{BufferId, PlanId, PlayerMemory, Read, Recording};
use crate::kernels::{Capabilities, Step};

use super::GpuError;
use super::adapters::AdapterReport;
use super::buffers::{Buffers, DeviceBuffer, UNIFORM, check_range};
use super::check::check;
use super::counters::Counts;
use super::device::{Device, DeviceOptions};
use super::pipelines::Pipelines;
use super::plan::Plan;
use super::play;
use super::readback::{Pending, StagedRead, Staging};
use super::scratch::{Scratch, slot_sizes};
use super::timers::{self, KernelTime};

/// Plays recordings on a WebGPU device.
#[derive(Debug)]
pub struct GpuPlayer {
    device: Device,
    buffers: Buffers,
    pipelines: Pipelines,
    plans: HashMap<PlanId, Plan>,
    scratch: Scratch,
    staging: Staging,
    /// The 16 bytes that change from play to play; every plan binds it.
    step: Arc<DeviceBuffer>,
    loaded: u32,
}

impl GpuPlayer {
    /// Opens a device.
    ///
    /// # Errors
    /// No adapter, none of the wanted name, a forced limit out of range, or an adapter that gives no device.
    pub async fn new(options: &DeviceOptions) -> Result<Self, GpuError> {
        let device = Device::open(options).await?;
        let step = device.create("step", size_of::<Step>(), UNIFORM, &device.memory.own).await?;
        let pipelines = Pipelines::new(&device);
        Ok(Self {
            device,
            buffers: Buffers::default(),
            pipelines,
            plans: HashMap::new(),
            scratch: Scratch::default(),
            staging: Staging::default(),
            step,
            loaded: 0,
        })
    }

    /// The adapter, and what the device made from it can do.
    pub fn adapter(&self) -> &AdapterReport {
        &self.device.report
    }

    /// What the device can do.
    pub fn capabilities(&self) -> &Capabilities {
        self.device.capabilities()
    }

    /// Bytes of device memory held.
    pub fn memory(&self) -> PlayerMemory {
        PlayerMemory { buffers: self.device.memory.session.bytes(), scratch: self.device.memory.own.bytes() }
    }

    /// How often the device has done what costs time.
    pub fn counts(&self) -> Counts {
        self.device.counters.counts()
    }

    /// Makes a zeroed buffer of a positive multiple of 4 bytes.
    ///
    /// # Errors
    /// Above the device's limit, out of memory, device lost.
    pub async fn create_buffer(&mut self, label: &str, bytes: usize) -> Result<BufferId, GpuError> {
        self.buffers.create(&self.device, label, bytes).await
    }

    /// Writes bytes to a buffer before the next play; offset and length are multiples of 4.
    ///
    /// # Errors
    /// No such buffer, a range outside of it, device lost.
    pub fn write_buffer(&mut self, id: BufferId, offset: usize, bytes: &[u8]) -> Result<(), GpuError> {
        self.device.health.check()?;
        self.buffers.write(&self.device, id, offset, bytes)
    }

    /// Gives a buffer back; plans that were loaded with it keep it until they are unloaded.
    pub fn free_buffer(&mut self, id: BufferId) {
        self.buffers.free(id);
    }

    /// Reads bytes of a buffer after everything played so far; offset and length are multiples of 4.
    ///
    /// # Errors
    /// No such buffer, a range outside of it, device lost.
    pub async fn read_buffer(&mut self, id: BufferId, offset: usize, bytes: usize) -> Result<Vec<u8>, GpuError> {
        self.device.health.check()?;
        let buffer = self.buffers.get("read_buffer", id)?;
        check_range("read_buffer", buffer, offset, bytes)?;
        if bytes == 0 {
            return Ok(Vec::new());
        }
        let staged = self.staging.take(&self.device, bytes)?;
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(&buffer.raw, offset as u64, &staged.raw, 0, Some(bytes as u64));
        let read = StagedRead { buffer: staged, bytes, staging: self.staging.clone() };
        play::submit(&self.device, encoder, Some(read))?.await
    }

    /// Whether a recording can be loaded, as far as the kernel table, its externals and the device's limits say.
    ///
    /// # Errors
    /// What of it cannot be.
    pub fn check(&self, recording: &Recording, externals: &[BufferId]) -> Result<(), GpuError> {
        let size = |&id: &BufferId| self.buffers.get("load", id).map(|buffer| (id, buffer.bytes));
        let sizes = externals.iter().map(size).collect::<Result<Vec<_>, _>>()?;
        check(recording, &sizes, self.device.capabilities())
    }

    /// Makes a recording ready to play: pipelines, parameters, bind groups and scratch memory.
    ///
    /// # Errors
    /// A recording that contradicts the kernel table or its externals, a kernel that the device lacks a feature for,
    /// a limit, out of memory, device lost.
    pub async fn load(&mut self, recording: &Recording, externals: &[BufferId]) -> Result<PlanId, GpuError> {
        self.device.health.check()?;
        self.check(recording, externals)?;
        let mut buffers = Vec::with_capacity(externals.len());
        for &id in externals {
            buffers.push(self.buffers.get("load", id)?.clone());
        }
        let mut plan = Plan::new(&self.device, &mut self.pipelines, &self.step, recording, buffers).await?;
        let all = self.plans.values().chain([&plan]);
        let wanted = slot_sizes(all.map(Plan::scratch_sizes));
        let changed = self.scratch.fit(&self.device, &wanted).await?;
        let validation = self.device.device.push_error_scope(wgpu::ErrorFilter::Validation);
        plan.bind(&self.device, &self.scratch);
        if changed {
            self.bind_all();
        }
        let invalid = validation.pop();
        if let Some(error) = invalid.await {
            let what = format!("the bind groups of `{}`", recording.name);
            return Err(GpuError::Rejected { what, reason: error.to_string() });
        }
        self.device.health.check()?;
        let id = PlanId(self.loaded);
        self.loaded += 1;
        self.plans.insert(id, plan);
        Ok(id)
    }

    /// Forgets a plan and gives back the scratch memory that only it needed.
    pub fn unload(&mut self, plan: PlanId) {
        self.plans.remove(&plan);
        let wanted = slot_sizes(self.plans.values().map(Plan::scratch_sizes));
        if self.scratch.shrink(&self.device, &wanted) {
            self.bind_all();
        }
    }

    /// Plays a plan: one submit, no waiting; the bytes of all reads come one after the other from the future.
    ///
    /// Plays may be submitted ahead of awaiting earlier ones; each sees its own step and all that went before.
    ///
    /// # Errors
    /// No such plan, a read outside of an external, device lost.
    pub fn play(&mut self, plan: PlanId, step: &Step, reads: &[Read]) -> Result<Pending, GpuError> {
        self.device.health.check()?;
        let plan = self.plan(plan)?;
        let mut encoder = self.encoder();
        play::encode(&mut encoder, plan, &self.scratch);
        let read = play::stage_reads(&mut encoder, &self.device, &self.staging, plan, reads)?;
        self.device.queue.write_buffer(&self.step.raw, 0, step.bytes());
        play::submit(&self.device, encoder, read)
    }

    /// Plays a plan kernel by kernel and says how long each took on the device.
    ///
    /// # Errors
    /// As [`play`](Self::play), and a device that cannot time its work.
    pub async fn play_timed(&mut self, plan: PlanId, step: &Step) -> Result<Vec<KernelTime>, GpuError> {
        self.device.health.check()?;
        let plan = self.plan(plan)?;
        self.device.queue.write_buffer(&self.step.raw, 0, step.bytes());
        timers::play(&self.device, &self.staging, plan, &self.scratch).await
    }

    /// Gives the device back at once; every later call says that it is lost.
    pub fn close(&mut self) {
        self.plans.clear();
        self.buffers = Buffers::default();
        self.device.device.destroy();
        self.device.health.lose("it was closed".into());
    }

    fn plan(&self, id: PlanId) -> Result<&Plan, GpuError> {
        let missing = || GpuError::BadCall { call: "play", reason: format!("there is no plan {}", id.0) };
        self.plans.get(&id).ok_or_else(missing)
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    fn bind_all(&mut self) {
        for plan in self.plans.values_mut() {
            plan.bind(&self.device, &self.scratch);
        }
    }
}
