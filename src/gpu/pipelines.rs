use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::kernels::{Access, KernelId, Overrides};

use super::GpuError;
use super::device::Device;

/// A pipeline is a kernel and the values of its overrides.
pub(super) type PipelineKey = (KernelId, Overrides);

/// Every pipeline that was ever needed on this device.
#[derive(Debug)]
pub(super) struct Pipelines {
    made: HashMap<PipelineKey, wgpu::ComputePipeline>,
    modules: HashMap<KernelId, wgpu::ShaderModule>,
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
        Self { made: HashMap::new(), modules: HashMap::new(), tensors: HashMap::new(), constants }
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

    /// The pipeline of a key that was [prepared](Self::prepare).
    pub fn get(&self, key: &PipelineKey) -> Option<&wgpu::ComputePipeline> {
        self.made.get(key)
    }

    /// Makes the pipelines that are still missing.
    ///
    /// All are asked for before any answer is awaited, so that a browser compiles them side by side.
    pub async fn prepare(&mut self, device: &Device, keys: impl Iterator<Item = PipelineKey>) -> Result<(), GpuError> {
        let mut asked = HashMap::new();
        for key in keys {
            if !self.made.contains_key(&key) && !asked.contains_key(&key) {
                let internal = device.device.push_error_scope(wgpu::ErrorFilter::Internal);
                let validation = device.device.push_error_scope(wgpu::ErrorFilter::Validation);
                let pipeline = self.make(device, &key);
                let (invalid, failed) = (validation.pop(), internal.pop());
                asked.insert(key, (pipeline, invalid, failed));
            }
        }
        for (key, (pipeline, invalid, failed)) in asked {
            let error = match invalid.await {
                Some(error) => Some(error),
                None => failed.await,
            };
            if let Some(error) = error {
                self.modules.remove(&key.0);
                return Err(GpuError::BadKernel { kernel: key.0.info().name, reason: error.to_string() });
            }
            self.made.insert(key, pipeline);
        }
        device.health.check()
    }

    fn make(&mut self, device: &Device, (kernel, overrides): &PipelineKey) -> wgpu::ComputePipeline {
        device.counters.made_pipeline();
        let info = kernel.info();
        let tensors = self.tensors(device, *kernel);
        let text = if device.browser { info.browser_wgsl() } else { Cow::Borrowed(info.wgsl) };
        let module = self.modules.entry(*kernel).or_insert_with(|| {
            device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(info.name),
                source: wgpu::ShaderSource::Wgsl(text),
            })
        });
        let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(info.name),
            bind_group_layouts: &[Some(&tensors), Some(&self.constants)],
            immediate_size: 0,
        });
        let values = info.overrides.iter().zip(overrides.as_slice());
        let constants: Vec<(&str, f64)> = values.map(|(info, &value)| (info.name, f64::from(value))).collect();
        device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(info.name),
            layout: Some(&layout),
            module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions { constants: &constants, ..Default::default() },
            cache: None,
        })
    }
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
