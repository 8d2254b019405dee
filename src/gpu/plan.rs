use std::collections::HashMap;
use std::sync::Arc;

use crate::base::{round_up, sort_by_key};
use crate::graph::record::{Command, Recording, Role};
use crate::kernels::Dispatch;

use super::GpuError;
use super::buffers::{DeviceBuffer, UNIFORM};
use super::device::Device;
use super::pipelines::Pipelines;
use super::scratch::Scratch;

/// A recording made ready for a device: all that a play needs is here.
#[derive(Debug)]
pub(super) struct Plan {
    name: String,
    places: Vec<Place>,
    /// Sizes of the scratch buffers, from large to small; a scratch place names its rank here.
    scratch: Vec<usize>,
    externals: Vec<Arc<DeviceBuffer>>,
    groups: Vec<Group>,
    /// `@group(1)`: every dispatch's parameters at its own offset, and the step.
    constants: wgpu::BindGroup,
    /// Kept because `constants` binds it.
    _params: Arc<DeviceBuffer>,
    steps: Vec<PlanStep>,
}

/// Where a buffer of the recording is.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: At,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Scratch(usize),
    External(usize),
}

/// A bind group of `@group(0)`: what it binds, and, once scratch memory is there, the group itself.
#[derive(Debug)]
struct Group {
    layout: wgpu::BindGroupLayout,
    bindings: Vec<u32>,
    bound: Option<wgpu::BindGroup>,
}

/// One command, with everything looked up.
#[derive(Debug)]
pub(super) enum PlanStep {
    Dispatch { kernel: &'static str, pipeline: wgpu::ComputePipeline, group: usize, params: u32, grid: [u32; 3] },
    Copy { from: u32, from_offset: u64, to: u32, to_offset: u64, bytes: u64 },
    Mark(String),
}

impl Plan {
    /// Makes pipelines, parameters and the list of bind groups of a [checked](super::check::check) recording.
    pub async fn new(
        device: &Device,
        pipelines: &mut Pipelines,
        step: &DeviceBuffer,
        recording: &Recording,
        externals: Vec<Arc<DeviceBuffer>>,
    ) -> Result<Self, GpuError> {
        let dispatches = || {
            recording.commands.iter().filter_map(|command| match command {
                Command::Dispatch(dispatch) => Some(dispatch),
                _ => None,
            })
        };
        pipelines.prepare(device, dispatches().map(|dispatch| dispatch.kernel)).await?;
        let params = Params::collect(dispatches(), device.uniform_alignment);
        let buffer = device.create("params", params.bytes.len(), UNIFORM, &device.memory.own).await?;
        device.queue.write_buffer(&buffer.raw, 0, &params.bytes);
        let entry = |binding, buffer, size| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size }),
        };
        let constants = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("constants"),
            layout: pipelines.constants(),
            entries: &[entry(0, &buffer.raw, wgpu::BufferSize::new(params.window as u64)), entry(1, &step.raw, None)],
        });
        let (places, scratch) = places(recording);
        let mut plan = Self {
            name: recording.name.clone(),
            places,
            scratch,
            externals,
            groups: Vec::new(),
            constants,
            _params: buffer,
            steps: Vec::with_capacity(recording.commands.len()),
        };
        plan.add_steps(device, pipelines, recording, &params)?;
        Ok(plan)
    }

    fn add_steps(
        &mut self,
        device: &Device,
        pipelines: &mut Pipelines,
        recording: &Recording,
        params: &Params,
    ) -> Result<(), GpuError> {
        let mut known = HashMap::new();
        for command in &recording.commands {
            let step = match command {
                Command::Dispatch(dispatch) => {
                    let key = (dispatch.kernel, dispatch.bindings.as_slice());
                    let group = *known.entry(key).or_insert_with(|| {
                        let layout = pipelines.tensors(device, dispatch.kernel);
                        let group = Group { layout, bindings: dispatch.bindings.clone(), bound: None };
                        self.groups.push(group);
                        self.groups.len() - 1
                    });
                    let kernel = dispatch.kernel.info().name;
                    let Some(pipeline) = pipelines.get(dispatch.kernel).cloned() else {
                        return Err(GpuError::BadKernel { kernel, reason: "its pipeline was not made".into() });
                    };
                    PlanStep::Dispatch { kernel, pipeline, group, params: params.offset(dispatch), grid: dispatch.grid }
                }
                &Command::Copy { from, from_offset, to, to_offset, bytes } => PlanStep::Copy {
                    from,
                    from_offset: from_offset as u64,
                    to,
                    to_offset: to_offset as u64,
                    bytes: bytes as u64,
                },
                Command::Mark(name) => PlanStep::Mark(name.clone()),
            };
            self.steps.push(step);
        }
        Ok(())
    }

    /// Makes the bind groups on the scratch buffers there are now.
    pub fn bind(&mut self, device: &Device, scratch: &Scratch) {
        for index in 0..self.groups.len() {
            let Group { layout, bindings, .. } = &self.groups[index];
            let resource = |&buffer: &u32| {
                let size = wgpu::BufferSize::new(self.places[buffer as usize].bytes as u64);
                let buffer = &self.buffer(scratch, buffer).raw;
                wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size })
            };
            let entry = |(binding, buffer)| wgpu::BindGroupEntry { binding, resource: resource(buffer) };
            let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
            let label = Some(self.name.as_str());
            let bound =
                device.device.create_bind_group(&wgpu::BindGroupDescriptor { label, layout, entries: &entries });
            self.groups[index].bound = Some(bound);
        }
    }

    /// The device's buffer behind a buffer of the recording.
    pub fn buffer<'a>(&'a self, scratch: &'a Scratch, index: u32) -> &'a DeviceBuffer {
        match self.places[index as usize].at {
            At::External(index) => &self.externals[index],
            At::Scratch(rank) => scratch.slot(rank),
        }
    }

    /// The n-th external buffer.
    pub fn external(&self, index: u32) -> Option<&DeviceBuffer> {
        self.externals.get(index as usize).map(Arc::as_ref)
    }

    /// A bind group of `@group(0)`; every plan is bound before it plays.
    pub fn group(&self, index: usize) -> Option<&wgpu::BindGroup> {
        self.groups[index].bound.as_ref()
    }

    /// The bind group of `@group(1)`.
    pub fn constants(&self) -> &wgpu::BindGroup {
        &self.constants
    }

    /// What to do, in order.
    pub fn steps(&self) -> &[PlanStep] {
        &self.steps
    }

    /// The recording's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sizes of the scratch buffers, from large to small.
    pub fn scratch_sizes(&self) -> &[usize] {
        &self.scratch
    }
}

/// Gives every scratch buffer of a recording its rank by size.
fn places(recording: &Recording) -> (Vec<Place>, Vec<usize>) {
    let is_scratch = |&index: &usize| recording.buffers[index].role == Role::Scratch;
    let mut ranked: Vec<usize> = (0..recording.buffers.len()).filter(is_scratch).collect();
    sort_by_key(&mut ranked, |&index| std::cmp::Reverse(recording.buffers[index].bytes));
    let sizes = ranked.iter().map(|&index| recording.buffers[index].bytes).collect();
    let rank: HashMap<usize, usize> = ranked.into_iter().zip(0..).collect();
    let place = |(index, decl): (usize, &crate::graph::record::BufferDecl)| {
        let at = match decl.role {
            Role::External(external) => At::External(external as usize),
            Role::Scratch => At::Scratch(rank[&index]),
        };
        Place { at, bytes: decl.bytes }
    };
    (recording.buffers.iter().enumerate().map(place).collect(), sizes)
}

/// The parameters of all dispatches in one uniform buffer; equal ones share a place.
struct Params<'a> {
    bytes: Vec<u8>,
    offsets: HashMap<&'a [u8], u32>,
    /// Bytes bound at each offset: the largest struct.
    window: usize,
}

impl<'a> Params<'a> {
    /// Uniform structs are multiples of this.
    const ALIGN: usize = 16;

    fn collect(dispatches: impl Iterator<Item = &'a Dispatch>, alignment: usize) -> Self {
        let mut params = Self { bytes: Vec::new(), offsets: HashMap::new(), window: Self::ALIGN };
        for dispatch in dispatches {
            let bytes = dispatch.params.as_slice();
            if !params.offsets.contains_key(bytes) {
                let offset = round_up(params.bytes.len(), alignment);
                params.bytes.resize(offset, 0);
                params.bytes.extend_from_slice(bytes);
                params.offsets.insert(bytes, offset as u32);
                params.window = params.window.max(round_up(bytes.len(), Self::ALIGN));
            }
        }
        // The window must lie inside the buffer at the last offset too.
        let end = round_up(params.bytes.len(), alignment) + params.window;
        params.bytes.resize(end, 0);
        params
    }

    fn offset(&self, dispatch: &Dispatch) -> u32 {
        self.offsets.get(dispatch.params.as_slice()).copied().unwrap_or(0)
    }
}
