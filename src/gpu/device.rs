use crate::kernels::{Capabilities, SubgroupSizes};

use super::GpuError;
use super::adapters::{self, AdapterReport};
use super::buffers::Memory;
use super::counters::Counters;
use super::doubts::Doubts;
use super::health::Health;

/// How to choose and set up a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceOptions {
    /// Part of the name of the adapter to use; the strongest when not given.
    pub adapter: Option<String>,
    /// Lowers the largest storage binding, in bytes, to behave like a smaller device.
    pub max_binding_bytes: Option<usize>,
    /// The subgroup widths of a browser's device, given by a caller who had the feature requested: wgpu cannot ask a
    /// browser for it (gfx-rs/wgpu#10146), but shader text goes straight to the browser. Natively leave it out.
    pub subgroups: Option<SubgroupSizes>,
    /// The adapter runs on the CPU, as a caller knows who sees more of it than wgpu does in a browser.
    pub software: bool,
    /// Chooses kernels as for a real GPU even on a software adapter, so that tests can run them anywhere.
    pub as_real_gpu: bool,
}

/// A device with its queue and what is known about it.
#[derive(Debug)]
pub(super) struct Device {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub report: AdapterReport,
    pub health: Health,
    pub doubts: Doubts,
    pub memory: Memory,
    pub counters: Counters,
    /// Shader text must carry the `enable` lines that naga does not know.
    pub browser: bool,
    /// Alignment of dynamic uniform offsets in bytes.
    pub uniform_alignment: usize,
    /// Passes can be timed.
    pub timestamps: bool,
}

impl Device {
    /// Smallest forced binding limit: a quantised row of the widest model and its scales still fit.
    const MIN_BINDING: usize = 64 << 10;

    /// Opens the adapter that the options name, with all the features and limits that kernels can use.
    pub async fn open(options: &DeviceOptions) -> Result<Self, GpuError> {
        if let Some(bytes) = options.max_binding_bytes
            && (bytes < Self::MIN_BINDING || bytes % 4 != 0)
        {
            return Err(GpuError::BadOption {
                option: "the largest binding",
                found: format!("{bytes} bytes"),
                expected: format!("a multiple of 4 of at least {} bytes", Self::MIN_BINDING),
            });
        }
        let adapter = adapters::choose(options).await?;
        let mut report = adapters::report(&adapter, options);
        let useful = wgpu::Features::SHADER_F16 | wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("ocelli"),
            required_features: adapter.features() & useful,
            required_limits: limits(&adapter.limits(), &report.capabilities),
            // Few, large, long-lived buffers: pooling blocks for small ones would only waste memory.
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| GpuError::NoDevice { adapter: report.name.clone(), reason: error.to_string() })?;
        let health = Health::watch(&device);
        let info = adapter.get_info();
        let granted = device.limits();
        report.capabilities = adapters::capabilities(&info, device.features(), &granted, options);
        Ok(Self {
            browser: info.backend == wgpu::Backend::BrowserWebGpu,
            uniform_alignment: granted.min_uniform_buffer_offset_alignment as usize,
            timestamps: device.features().contains(wgpu::Features::TIMESTAMP_QUERY),
            device,
            queue,
            report,
            health,
            doubts: Doubts::default(),
            memory: Memory::default(),
            counters: Counters::default(),
        })
    }

    /// What the device can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.report.capabilities
    }
}

/// The standard's limits, raised where kernels gain by it and lowered where the adapter or the options have less.
fn limits(adapter: &wgpu::Limits, capabilities: &Capabilities) -> wgpu::Limits {
    let wanted = wgpu::Limits {
        max_storage_buffer_binding_size: capabilities.max_binding_bytes as u64,
        max_buffer_size: adapter.max_buffer_size,
        max_storage_buffers_per_shader_stage: adapter.max_storage_buffers_per_shader_stage,
        max_compute_workgroup_storage_size: adapter.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: adapter.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: adapter.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: adapter.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: adapter.max_compute_workgroup_size_z,
        min_uniform_buffer_offset_alignment: adapter.min_uniform_buffer_offset_alignment,
        ..wgpu::Limits::defaults()
    };
    wanted.or_worse_values_from(adapter)
}
