use crate::base::sort_by_key;
use crate::kernels::{Capabilities, DeviceClass, SubgroupSizes};

use super::{DeviceOptions, GpuError};

/// What is known of an adapter before a device is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterReport {
    /// Its name, such as `llvmpipe (LLVM 19.1.7, 256 bits)`; browsers may keep it secret and give an empty one.
    pub name: String,
    /// The graphics interface: `vulkan`, `metal`, `dx12`, `webgpu`.
    pub backend: String,
    /// The kind of machine: `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Driver name and version; empty in browsers.
    pub driver: String,
    /// What a device made from it can do.
    pub capabilities: Capabilities,
}

impl AdapterReport {
    /// Its name and its graphics interface: what tells it from the same card by another driver.
    pub fn label(&self) -> String {
        label(&self.name, &self.backend)
    }
}

/// Every adapter of this machine, the one that would be chosen first.
pub async fn adapters() -> Vec<AdapterReport> {
    list().await.iter().map(|adapter| report(adapter, &DeviceOptions::default())).collect()
}

/// Picks the adapter that the options name, or the strongest.
pub(super) async fn choose(options: &DeviceOptions) -> Result<wgpu::Adapter, GpuError> {
    let mut found = list().await;
    if found.is_empty() {
        let backends = wgpu::Instance::enabled_backend_features();
        let backends = backends.iter().map(|backend| format!("{backend:?}").to_lowercase()).collect::<Vec<_>>();
        return Err(GpuError::NoAdapter { backends: backends.join(", ") });
    }
    let Some(wanted) = &options.adapter else {
        return Ok(found.swap_remove(0));
    };
    match found.iter().position(|adapter| is_called(&adapter.get_info(), wanted)) {
        Some(index) => Ok(found.swap_remove(index)),
        None => Err(GpuError::UnknownAdapter {
            wanted: wanted.clone(),
            found: found.iter().map(|adapter| adapter.get_info().name).collect(),
        }),
    }
}

/// Describes an adapter as a device made with these options would be.
pub(super) fn report(adapter: &wgpu::Adapter, options: &DeviceOptions) -> AdapterReport {
    let info = adapter.get_info();
    let capabilities = capabilities(&info, adapter.features(), &adapter.limits(), options);
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    let driver = format!("{} {}", info.driver, info.driver_info);
    AdapterReport {
        name: info.name,
        backend: info.backend.to_str().into(),
        kind,
        driver: driver.trim().into(),
        capabilities,
    }
}

/// Translates features and limits into what the choice of kernels depends on.
pub(super) fn capabilities(
    info: &wgpu::AdapterInfo,
    features: wgpu::Features,
    limits: &wgpu::Limits,
    options: &DeviceOptions,
) -> Capabilities {
    // Tensor sizes are multiples of 4 bytes, and in a 32-bit program they fit `usize`.
    let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX) & !3;
    let subgroups = features
        .contains(wgpu::Features::SUBGROUP)
        .then_some(SubgroupSizes { min: info.subgroup_min_size, max: info.subgroup_max_size });
    let software = info.device_type == wgpu::DeviceType::Cpu || options.software;
    let max_binding_bytes = bytes(limits.max_storage_buffer_binding_size.min(limits.max_buffer_size));
    Capabilities {
        class: if software && !options.as_real_gpu { DeviceClass::Software } else { DeviceClass::Gpu },
        shader_f16: features.contains(wgpu::Features::SHADER_F16),
        subgroups: options.subgroups.or(subgroups),
        max_binding_bytes: max_binding_bytes.min(options.max_binding_bytes.unwrap_or(usize::MAX)),
        max_buffer_bytes: bytes(limits.max_buffer_size),
        max_workgroup_invocations: limits.max_compute_invocations_per_workgroup,
        max_workgroup_bytes: limits.max_compute_workgroup_storage_size,
        // Some drivers allow more; kernels fold larger grids and count on no more than the standard's minimum.
        max_workgroups: limits.max_compute_workgroups_per_dimension.min(65_535),
    }
}

/// Every adapter, real GPUs before software.
async fn list() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // Validation layers are a developer's tool and slow; wgpu checks every call itself.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    if cfg!(target_arch = "wasm32") {
        let strongest = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        return instance.request_adapter(&strongest).await.into_iter().collect();
    }
    let mut found = instance.enumerate_adapters(wgpu::Backends::all()).await;
    sort_by_key(&mut found, |adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    found
}

fn label(name: &str, backend: &str) -> String {
    format!("{name} ({backend})")
}

/// Whether the adapter's name or driver contains what was asked for, in any case.
fn is_called(info: &wgpu::AdapterInfo, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [&label(&info.name, info.backend.to_str()), &info.driver].iter().any(|name| name.to_lowercase().contains(&wanted))
}
