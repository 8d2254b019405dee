use std::sync::{Arc, Mutex};

use super::GpuError;
use crate::base::lock;

/// What a device said outside of any call: that it is lost, or that it rejected something.
///
/// Browsers report both long after the call that caused them, so every call asks here before and after its work.
#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    lost: Option<String>,
    rejected: Option<GpuError>,
}

impl Health {
    /// Listens to the device.
    pub fn watch(device: &wgpu::Device) -> Self {
        let health = Self::default();
        let lost = health.clone();
        device.set_device_lost_callback(move |reason, message| {
            lost.lose(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let rejected = health.clone();
        device.on_uncaptured_error(Arc::new(move |error| rejected.reject(&error)));
        health
    }

    /// Notes that the device is gone; the first reason given stays.
    pub fn lose(&self, reason: String) {
        lock(&self.state).lost.get_or_insert(reason);
    }

    fn reject(&self, error: &wgpu::Error) {
        let error = match error {
            wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory {
                what: "work already submitted".into(),
                needed: 0,
                held: 0,
                reason: error.to_string(),
            },
            _ => GpuError::Rejected { what: "a command".into(), reason: error.to_string() },
        };
        lock(&self.state).rejected.get_or_insert(error);
    }

    /// An error if the device is lost or has rejected something since the last call.
    pub fn check(&self) -> Result<(), GpuError> {
        let mut state = lock(&self.state);
        if let Some(reason) = &state.lost {
            return Err(GpuError::DeviceLost { reason: reason.clone() });
        }
        match state.rejected.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
