use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::kernels::{Access, KernelId};

use super::GpuError;
use super::compile::compile;
use super::device::Device;

/// Every pipeline that was ever needed on this device.
#[derive(Debug)]
pub(super) struct Pipelines {
    made: HashMap<KernelId, wgpu::ComputePipeline>,
    /// Layouts of `@group(0)` by which of the bindings the kernel writes.
    tensors: HashMap<Vec<bool>, wgpu::BindGroupLayout>,
    /// The layout of `@group(1)`: `params` at a dynamic offset, and `step`. Kernels declare what they use of it.
    constants: wgpu::BindGroupLayout,
}

impl Pipelines {
    /// None yet.
    pub fn new(device: &Device) -> Self {
        let uniform = |has_dynamic_offset| wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset,
            min_binding_size: None,
        };
        let constants = layout(device, "constants", [uniform(true), uniform(false)].into_iter());
        Self { made: HashMap::new(), tensors: HashMap::new(), constants }
    }

    /// The layout of `@group(1)`.
    pub fn constants(&self) -> &wgpu::BindGroupLayout {
        &self.constants
    }

    /// The layout of a kernel's `@group(0)`.
    pub fn tensors(&mut self, device: &Device, kernel: KernelId) -> wgpu::BindGroupLayout {
        let writes: Vec<bool> = kernel.info().bindings.iter().map(|access| *access == Access::ReadWrite).collect();
        match self.tensors.entry(writes) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let storage = |&written: &bool| wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: !written },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                };
                let made = layout(device, "tensors", new.key().iter().map(storage));
                new.insert(made).clone()
            }
        }
    }

    /// The pipeline of a kernel that was [prepared](Self::prepare).
    pub fn get(&self, kernel: KernelId) -> Option<&wgpu::ComputePipeline> {
        self.made.get(&kernel)
    }

    /// Makes the pipelines that are still missing.
    ///
    /// All are asked for before any answer is awaited, so that a browser compiles them side by side.
    pub async fn prepare(&mut self, device: &Device, kernels: impl Iterator<Item = KernelId>) -> Result<(), GpuError> {
        let mut asked = HashMap::new();
        for kernel in kernels {
            if !self.made.contains_key(&kernel) && !asked.contains_key(&kernel) {
                let internal = device.device.push_error_scope(wgpu::ErrorFilter::Internal);
                let validation = device.device.push_error_scope(wgpu::ErrorFilter::Validation);
                let compiling = compile(&device.device, self.maker(device, kernel));
                let (invalid, failed) = (validation.pop(), internal.pop());
                device.counters.made_pipeline();
                asked.insert(kernel, (compiling, invalid, failed));
            }
        }
        for (kernel, (compiling, invalid, failed)) in asked {
            let pipeline = compiling.await;
            let reason = match (invalid.await, failed.await, pipeline) {
                (None, None, Ok(pipeline)) => {
                    self.made.insert(kernel, pipeline);
                    continue;
                }
                (Some(error), ..) | (None, Some(error), _) => error.to_string(),
                (None, None, Err(reason)) => reason,
            };
            // A lost device compiles nothing either.
            device.health.check()?;
            return Err(GpuError::BadKernel { kernel: kernel.info().name, reason });
        }
        device.health.check()
    }

    /// What makes a kernel's pipeline, any number of times.
    fn maker(&mut self, device: &Device, kernel: KernelId) -> impl Fn() -> wgpu::ComputePipeline + use<> {
        let info = kernel.info();
        let tensors = self.tensors(device, kernel);
        let module = module(device, kernel);
        let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(info.name),
            bind_group_layouts: &[Some(&tensors), Some(&self.constants)],
            immediate_size: 0,
        });
        let device = device.device.clone();
        move || {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(info.name),
                layout: Some(&layout),
                module: &module,
                entry_point: None,
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            })
        }
    }
}

fn module(device: &Device, kernel: KernelId) -> wgpu::ShaderModule {
    let info = kernel.info();
    let text = if device.browser { info.browser_wgsl() } else { Cow::Borrowed(info.wgsl) };
    device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(info.name),
        source: wgpu::ShaderSource::Wgsl(text),
    })
}

fn layout(device: &Device, label: &str, bindings: impl Iterator<Item = wgpu::BindingType>) -> wgpu::BindGroupLayout {
    let entry = |(binding, ty)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty,
        count: None,
    };
    let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
    device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}
