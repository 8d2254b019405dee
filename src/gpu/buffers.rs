use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::graph::record::BufferId;

use super::GpuError;
use super::device::Device;

/// Bytes of all the buffers that a player holds.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// In buffers that the session made.
    pub session: Counter,
    /// In buffers of the player's own: scratch, parameters, staging.
    pub own: Counter,
}

impl Memory {
    /// All bytes held now.
    pub fn held(&self) -> usize {
        self.session.bytes() + self.own.bytes()
    }
}

/// Bytes of the buffers that count here and are still alive.
#[derive(Debug, Clone, Default)]
pub(super) struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A buffer on the device, given back when its last owner lets go (a browser would wait for garbage collection).
#[derive(Debug)]
pub(super) struct DeviceBuffer {
    pub raw: wgpu::Buffer,
    pub bytes: usize,
    counter: Counter,
    refused: AtomicBool,
}

impl DeviceBuffer {
    /// Whether the device had no memory for it, so that nobody may use it again.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

impl Drop for DeviceBuffer {
    fn drop(&mut self) {
        self.raw.destroy();
        self.counter.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Usage of every buffer that kernels bind.
pub(super) const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

/// Usage of the buffers that hold parameters and the step.
pub(super) const UNIFORM: wgpu::BufferUsages = wgpu::BufferUsages::UNIFORM.union(wgpu::BufferUsages::COPY_DST);

/// Usage of the buffers that results are read from.
pub(super) const READBACK: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST);

impl Device {
    /// Makes a zeroed buffer and waits for the device's word that it exists.
    pub async fn create(
        &self,
        label: &str,
        bytes: usize,
        usage: wgpu::BufferUsages,
        counter: &Counter,
    ) -> Result<Arc<DeviceBuffer>, GpuError> {
        self.health.check()?;
        self.allow_buffer(label, bytes, usage)?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let buffer = self.create_unchecked(label, bytes, usage, counter);
        let (invalid, refused) = (validation.pop(), memory.pop());
        if let Some(error) = refused.await {
            return Err(out_of_memory(label, bytes, self.memory.held() - bytes, &error));
        }
        if let Some(error) = invalid.await {
            return Err(GpuError::Rejected { what: format!("the buffer `{label}`"), reason: error.to_string() });
        }
        self.health.check()?;
        Ok(buffer)
    }

    /// Makes a zeroed buffer where nobody can wait for the device's word; a refusal becomes one of its [`Doubts`].
    ///
    /// [`Doubts`]: super::doubts::Doubts
    pub fn create_ahead(
        &self,
        label: &str,
        bytes: usize,
        usage: wgpu::BufferUsages,
        counter: &Counter,
    ) -> Arc<DeviceBuffer> {
        let held = self.memory.held();
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.create_unchecked(label, bytes, usage, counter);
        let refused = memory.pop();
        let (label, doubted) = (label.to_owned(), buffer.clone());
        self.doubts.add(async move {
            let error = refused.await?;
            doubted.refused.store(true, Ordering::Relaxed);
            Some(out_of_memory(&label, bytes, held, &error))
        });
        buffer
    }

    fn create_unchecked(
        &self,
        label: &str,
        bytes: usize,
        usage: wgpu::BufferUsages,
        counter: &Counter,
    ) -> Arc<DeviceBuffer> {
        let raw = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes as u64,
            usage,
            // A browser that refuses memory for a mapped buffer aborts the program instead of telling.
            mapped_at_creation: false,
        });
        counter.0.fetch_add(bytes, Ordering::Relaxed);
        self.counters.made_buffer();
        Arc::new(DeviceBuffer { raw, bytes, counter: counter.clone(), refused: AtomicBool::new(false) })
    }

    fn allow_buffer(&self, label: &str, bytes: usize, usage: wgpu::BufferUsages) -> Result<(), GpuError> {
        let capabilities = self.capabilities();
        let (limit, available) = if usage.contains(wgpu::BufferUsages::STORAGE) {
            ("maxStorageBufferBindingSize", capabilities.max_binding_bytes.min(capabilities.max_buffer_bytes))
        } else {
            ("maxBufferSize", capabilities.max_buffer_bytes)
        };
        if bytes > available {
            return Err(GpuError::DeviceLimit {
                what: format!("the buffer `{label}`"),
                limit,
                needed: bytes as u64,
                available: available as u64,
            });
        }
        Ok(())
    }
}

fn out_of_memory(label: &str, needed: usize, held: usize, error: &wgpu::Error) -> GpuError {
    GpuError::OutOfMemory { what: format!("the buffer `{label}`"), needed, held, reason: error.to_string() }
}

/// The buffers that a session made, by id.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    table: HashMap<BufferId, Arc<DeviceBuffer>>,
    made: u32,
    /// Bytes written since the device was last given time to take them in.
    unsubmitted: usize,
}

impl Buffers {
    /// Most bytes handed to the queue at once: each piece costs as much staging memory.
    const CHUNK: usize = 16 << 20;
    /// Most bytes of staging memory in flight.
    const UNSUBMITTED: usize = 64 << 20;

    /// Makes a zeroed buffer of a multiple of 4 bytes.
    pub async fn create(&mut self, device: &Device, label: &str, bytes: usize) -> Result<BufferId, GpuError> {
        if bytes == 0 || !bytes.is_multiple_of(4) {
            let reason = format!("the size of `{label}` is {bytes} bytes; expected a positive multiple of 4");
            return Err(GpuError::BadCall { call: "create_buffer", reason });
        }
        let buffer = device.create(label, bytes, STORAGE, &device.memory.session).await?;
        let id = BufferId(self.made);
        self.made += 1;
        self.table.insert(id, buffer);
        Ok(id)
    }

    /// Writes bytes to a buffer, in pieces.
    pub fn write(&mut self, device: &Device, id: BufferId, offset: usize, bytes: &[u8]) -> Result<(), GpuError> {
        let buffer = self.get("write_buffer", id)?.clone();
        check_range("write_buffer", &buffer, offset, bytes.len())?;
        for (i, chunk) in bytes.chunks(Self::CHUNK).enumerate() {
            device.queue.write_buffer(&buffer.raw, (offset + i * Self::CHUNK) as u64, chunk);
            self.unsubmitted += chunk.len();
            if self.unsubmitted >= Self::UNSUBMITTED {
                device.queue.submit([]);
                device.counters.submitted(0);
                device.wait()?;
                self.unsubmitted = 0;
            }
        }
        device.health.check()
    }

    /// Lets go of a buffer; plans that were loaded with it keep it until they are unloaded.
    pub fn free(&mut self, id: BufferId) {
        self.table.remove(&id);
    }

    /// The buffer of this id, or an error that names the call.
    pub fn get(&self, call: &'static str, id: BufferId) -> Result<&Arc<DeviceBuffer>, GpuError> {
        self.table.get(&id).ok_or_else(|| GpuError::BadCall { call, reason: format!("there is no buffer {}", id.0) })
    }
}

/// Checks that a range of whole words lies in the buffer.
pub(super) fn check_range(
    call: &'static str,
    buffer: &DeviceBuffer,
    offset: usize,
    bytes: usize,
) -> Result<(), GpuError> {
    let inside = offset.checked_add(bytes).is_some_and(|end| end <= buffer.bytes);
    if inside && offset.is_multiple_of(4) && bytes.is_multiple_of(4) {
        return Ok(());
    }
    let size = buffer.bytes;
    let reason = format!("{bytes} bytes at {offset}: expected multiples of 4 inside the buffer's {size} bytes");
    Err(GpuError::BadCall { call, reason })
}
