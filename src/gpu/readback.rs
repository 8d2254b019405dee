use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::GpuError;
use super::buffers::{DeviceBuffer, READBACK};
use super::device::Device;
use super::doubts::Doubts;
use super::health::Health;
use crate::base::lock;

/// Staging buffers for results, kept for the next read.
#[derive(Debug, Clone, Default)]
pub(super) struct Staging {
    idle: Arc<Mutex<Vec<Arc<DeviceBuffer>>>>,
}

impl Staging {
    /// Larger staging buffers are given back after use.
    const KEEP_BYTES: usize = 1 << 20;
    /// Most staging buffers kept.
    const KEEP: usize = 16;

    /// A staging buffer of at least this many bytes; made only when all of its size are in use.
    pub fn take(&self, device: &Device, bytes: usize) -> Result<Arc<DeviceBuffer>, GpuError> {
        let size = bytes.next_power_of_two().max(256);
        let size = if size > Self::KEEP_BYTES { bytes } else { size };
        let mut idle = lock(&self.idle);
        match idle.iter().position(|buffer| buffer.bytes == size) {
            Some(index) => Ok(idle.swap_remove(index)),
            None => {
                device.health.check()?;
                Ok(device.create_ahead("readback", size, READBACK, &device.memory.own))
            }
        }
    }

    fn put(&self, buffer: Arc<DeviceBuffer>) {
        let mut idle = lock(&self.idle);
        if !buffer.is_refused() && buffer.bytes <= Self::KEEP_BYTES && idle.len() < Self::KEEP {
            idle.push(buffer);
        }
    }
}

/// The bytes that a play reads back, when the device has done it; empty if none were asked for.
///
/// Dropping it gives up the bytes, not the work.
#[derive(Debug)]
pub struct Pending {
    device: wgpu::Device,
    submission: wgpu::SubmissionIndex,
    health: Health,
    doubts: Doubts,
    signal: Arc<Mutex<Signal>>,
    read: Option<StagedRead>,
}

/// Bytes on their way back through a staging buffer.
#[derive(Debug)]
pub(super) struct StagedRead {
    pub buffer: Arc<DeviceBuffer>,
    pub bytes: usize,
    pub staging: Staging,
}

/// Set by the device's callback, on whatever thread it comes.
#[derive(Debug, Default)]
struct Signal {
    done: Option<Result<(), wgpu::BufferAsyncError>>,
    waker: Option<Waker>,
}

impl Pending {
    /// Asks for word of a submission's end, and for the bytes it copied to a staging buffer.
    pub(super) fn new(device: &Device, submission: wgpu::SubmissionIndex, read: Option<StagedRead>) -> Self {
        let signal = Arc::new(Mutex::new(Signal::default()));
        let answer = signal.clone();
        let finish = move |result| {
            let waker = {
                let mut signal = lock(&answer);
                signal.done = Some(result);
                signal.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
        };
        match &read {
            Some(read) => read.buffer.raw.slice(..read.bytes as u64).map_async(wgpu::MapMode::Read, finish),
            None => device.queue.on_submitted_work_done(move || finish(Ok(()))),
        }
        let (health, doubts) = (device.health.clone(), device.doubts.clone());
        Self { device: device.device.clone(), submission, health, doubts, signal, read }
    }

    fn take_bytes(&mut self) -> Result<Vec<u8>, GpuError> {
        let Some(read) = &self.read else {
            return Ok(Vec::new());
        };
        let bytes = match read.buffer.raw.slice(..read.bytes as u64).get_mapped_range() {
            Ok(view) => view.to_vec(),
            // What was mapped is unmapped again only when a device is lost, and that may come before the word of it.
            Err(error) => return Err(GpuError::DeviceLost { reason: error.to_string() }),
        };
        self.release();
        Ok(bytes)
    }

    /// Unmaps the staging buffer, or takes back the wish to map it, and keeps it for the next read.
    fn release(&mut self) {
        if let Some(read) = self.read.take() {
            read.buffer.raw.unmap();
            read.staging.put(read.buffer);
        }
    }
}

impl Future for Pending {
    type Output = Result<Vec<u8>, GpuError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match this.doubts.poll(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(None) => {}
        }
        {
            let mut signal = lock(&this.signal);
            if signal.done.is_none() {
                signal.waker = Some(context.waker().clone());
            }
        }
        if !cfg!(target_arch = "wasm32") && lock(&this.signal).done.is_none() {
            // Callbacks of native devices run only while somebody polls the device. Browsers poll by themselves.
            let wait = wgpu::PollType::Wait { submission_index: Some(this.submission.clone()), timeout: None };
            if let Err(error) = this.device.poll(wait) {
                this.health.lose(error.to_string());
            }
        }
        if let Err(error) = this.health.check() {
            return Poll::Ready(Err(error));
        }
        let done = lock(&this.signal).done.take();
        match done {
            Some(Ok(())) => Poll::Ready(this.take_bytes()),
            // Whatever else goes wrong is reported as such; a browser may reject the mapping before it tells of the
            // loss.
            Some(Err(error)) => Poll::Ready(Err(GpuError::DeviceLost { reason: error.to_string() })),
            None => Poll::Pending,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.release();
    }
}

impl Device {
    /// Natively waits until the device has done all that was submitted; browsers bound the queue themselves.
    pub fn wait(&self) -> Result<(), GpuError> {
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.health.lose(error.to_string());
        }
        self.health.check()
    }
}
