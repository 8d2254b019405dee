use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use crate::base::{ErrorKind, LayerError};
use crate::cpu::{CpuError, CpuPlayer};
use crate::graph::record::{BufferDecl, BufferId, Command, Read, Recording, Role};
use crate::kernels::{
    Dispatch, KernelId, Step,
    params::{ActivateParams, AddParams},
};

/// Runs a future that needs nobody else to go on.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

pub fn f32s(bytes: &[u8]) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(bytes)
}

pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytemuck::pod_collect_to_vec(bytes)
}

/// A player with some buffers, for one kernel at a time.
pub struct Bench {
    player: CpuPlayer,
    sizes: Vec<(BufferId, usize)>,
}

impl Bench {
    pub fn new(player: CpuPlayer) -> Self {
        Self { player, sizes: Vec::new() }
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> BufferId {
        let id = now(self.player.create_buffer("test", bytes.len())).expect("creates");
        self.player.write_buffer(id, 0, bytes).expect("writes");
        self.sizes.push((id, bytes.len()));
        id
    }

    pub fn floats(&mut self, x: &[f32]) -> BufferId {
        self.bytes(bytemuck::cast_slice(x))
    }

    pub fn words(&mut self, x: &[u32]) -> BufferId {
        self.bytes(bytemuck::cast_slice(x))
    }

    fn size(&self, id: BufferId) -> usize {
        self.sizes.iter().find(|(other, _)| *other == id).expect("a buffer of this bench").1
    }

    pub fn read(&mut self, id: BufferId) -> Vec<u8> {
        let bytes = self.size(id);
        now(self.player.read_buffer(id, 0, bytes)).expect("reads")
    }

    pub fn try_run<P: bytemuck::Pod>(
        &mut self,
        kernel: KernelId,
        params: &P,
        buffers: &[BufferId],
        step: Step,
    ) -> Result<(), CpuError> {
        // The same buffer bound twice is one buffer of the recording.
        let mut unique: Vec<BufferId> = buffers.to_vec();
        unique.sort_by_key(|id| id.0);
        unique.dedup();
        let declare = |(n, id): (usize, &BufferId)| BufferDecl {
            bytes: self.size(*id),
            role: Role::External(n as u32),
            label: format!("buffer {n}"),
        };
        let index = |id: &BufferId| unique.iter().position(|other| other == id).map(|n| n as u32);
        let recording = Recording {
            name: kernel.info().name.into(),
            buffers: unique.iter().enumerate().map(declare).collect(),
            commands: vec![Command::Dispatch(Dispatch {
                kernel,
                bindings: buffers.iter().filter_map(index).collect(),
                params: bytemuck::bytes_of(params).to_vec(),
                grid: [1; 3],
            })],
        };
        let plan = now(self.player.load(&recording, &unique))?;
        let done = now(self.player.play(plan, &step, &[])?);
        self.player.unload(plan);
        done.map(|bytes| assert!(bytes.is_empty()))
    }

    pub fn run<P: bytemuck::Pod>(&mut self, kernel: KernelId, p: &P, buffers: &[BufferId], step: Step) {
        self.try_run(kernel, p, buffers, step).expect("runs");
    }
}

fn dispatch(bindings: &[u32]) -> Command {
    let params = AddParams { tokens: 1, width: 4, b_rows: 1, ..Default::default() };
    Command::Dispatch(Dispatch {
        kernel: KernelId::Add,
        bindings: bindings.to_vec(),
        params: bytemuck::bytes_of(&params).to_vec(),
        grid: [1; 3],
    })
}

/// `c = a + a` in scratch, `b = c + a`, then `c` copied to the second half of `a`.
fn recording() -> Recording {
    let decl = |bytes, role| BufferDecl { bytes, role, label: String::new() };
    Recording {
        name: "test".into(),
        buffers: vec![decl(32, Role::External(0)), decl(16, Role::External(1)), decl(16, Role::Scratch)],
        commands: vec![
            Command::Mark("first".into()),
            dispatch(&[0, 0, 2]),
            Command::Mark("second".into()),
            dispatch(&[2, 0, 1]),
            Command::Copy { from: 2, from_offset: 0, to: 0, to_offset: 16, bytes: 16 },
        ],
    }
}

const ONE: Step = Step::one(0, 1, 0, 0);

fn with_buffers(player: &mut CpuPlayer) -> [BufferId; 2] {
    let (a, b) =
        (now(player.create_buffer("a", 32)).expect("creates"), now(player.create_buffer("b", 16)).expect("creates"));
    player.write_buffer(a, 0, bytemuck::cast_slice(&[1.0f32, 2.0, 3.0, 4.0])).expect("writes");
    [a, b]
}

#[test]
fn plays_in_order_and_reads_back() {
    let mut player = CpuPlayer::new();
    let [a, b] = with_buffers(&mut player);
    let plan = now(player.load(&recording(), &[a, b])).expect("loads");
    let reads = [Read { external: 1, offset: 4, bytes: 8 }, Read { external: 0, offset: 16, bytes: 4 }];
    assert_eq!(f32s(&now(player.play(plan, &ONE, &reads).expect("plays")).expect("ends")), [6.0, 9.0, 2.0]);
    assert_eq!(f32s(&now(player.read_buffer(a, 16, 16)).expect("reads")), [2.0, 4.0, 6.0, 8.0]);
    // The kernels' own workspace may add to the scratch buffer.
    assert!(player.memory().buffers == 48 && player.memory().scratch >= 16);
}

#[test]
fn a_dropped_future_takes_nothing_back() {
    let mut player = CpuPlayer::new();
    let [a, b] = with_buffers(&mut player);
    let plan = now(player.load(&recording(), &[a, b])).expect("loads");
    drop(player.play(plan, &ONE, &[]).expect("plays"));
    assert_eq!(f32s(&now(player.read_buffer(b, 0, 16)).expect("reads")), [3.0, 6.0, 9.0, 12.0]);
    // A write comes after the plays before it, so this one doubles the old values.
    drop(player.play(plan, &ONE, &[]).expect("plays"));
    player.write_buffer(a, 0, &[0; 16]).expect("writes");
    assert_eq!(f32s(&now(player.read_buffer(b, 0, 16)).expect("reads")), [3.0, 6.0, 9.0, 12.0]);
}

#[test]
fn a_later_future_drives_the_earlier_plays() {
    let mut player = CpuPlayer::new();
    let [a, b] = with_buffers(&mut player);
    let plan = now(player.load(&recording(), &[a, b])).expect("loads");
    let read = [Read { external: 1, offset: 0, bytes: 4 }];
    let first = player.play(plan, &ONE, &read).expect("plays");
    let second = player.play(plan, &ONE, &read).expect("plays");
    assert_eq!(f32s(&now(second).expect("ends")), [3.0]);
    assert_eq!(f32s(&now(first).expect("ends")), [3.0]);
}

#[test]
fn breathes_at_marks_and_can_be_cancelled() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let mut player = CpuPlayer::new().with_breath(|waker| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        waker.wake_by_ref();
        true
    });
    let [a, b] = with_buffers(&mut player);
    let plan = now(player.load(&recording(), &[a, b])).expect("loads");
    let mut context = Context::from_waker(Waker::noop());
    let mut pending = player.play(plan, &ONE, &[]).expect("plays");
    for marks in 1..=2 {
        assert!(std::pin::Pin::new(&mut pending).poll(&mut context).is_pending());
        assert_eq!(ASKED.load(Ordering::Relaxed), marks);
    }
    assert!(now(pending).is_ok());
    let mut pending = player.play(plan, &ONE, &[]).expect("plays");
    assert!(std::pin::Pin::new(&mut pending).poll(&mut context).is_pending());
    player.cancel();
    assert_eq!(now(pending), Err(CpuError::Cancelled));
}

#[test]
fn scratch_is_shared_between_plans() {
    let mut player = CpuPlayer::new();
    let [a, b] = with_buffers(&mut player);
    for _ in 0..3 {
        now(player.load(&recording(), &[a, b])).expect("loads");
    }
    assert_eq!(player.memory().scratch, 16);
}

#[test]
fn refuses_recordings_that_contradict_themselves() {
    let mut player = CpuPlayer::new();
    let [a, b] = with_buffers(&mut player);
    let mut refused = |change: &dyn Fn(&mut Recording), externals: &[BufferId], word: &str| {
        let mut recording = recording();
        change(&mut recording);
        let error = now(player.load(&recording, externals)).expect_err(word);
        assert!(error.to_string().contains(word), "{error} does not say {word}");
    };
    refused(&|_| (), &[a], "external");
    refused(&|_| (), &[a, BufferId(99)], "buffer 99");
    refused(&|_| (), &[a, a], "which is also binding 1");
    refused(&|r| r.buffers[0].bytes = 64, &[a, b], "external");
    refused(&|r| r.buffers[2].bytes = 6, &[a, b], "multiple of 4");
    refused(&|r| r.commands.push(dispatch(&[0, 1])), &[a, b], "bindings");
    refused(&|r| r.commands.push(dispatch(&[0, 1, 7])), &[a, b], "no buffer 7");
    refused(&|r| r.commands.push(dispatch(&[0, 1, 1])), &[a, b], "binding 2 writes");
    let copy = |to, to_offset, bytes| Command::Copy { from: 2, from_offset: 0, to, to_offset, bytes };
    refused(&|r| r.commands.push(copy(1, 4, 16)), &[a, b], "copy");
    refused(&|r| r.commands.push(copy(1, 0, usize::MAX - 3)), &[a, b], "copy");
    refused(&|r| r.commands.push(copy(2, 0, 4)), &[a, b], "a buffer to itself");
    refused(
        &|r| {
            if let Command::Dispatch(d) = &mut r.commands[1] {
                d.params.pop();
            }
        },
        &[a, b],
        "parameters",
    );
}

#[test]
fn names_what_goes_wrong() {
    let mut player = CpuPlayer::new().with_max_binding(64);
    let error = now(player.create_buffer("weights", 68)).expect_err("above the limit");
    assert_eq!(error.kind(), ErrorKind::DeviceLimit);
    assert!(error.to_string().contains("weights needs a buffer of 68 bytes, and the limit is 64"), "{error}");
    assert!(now(player.create_buffer("odd", 6)).is_err() && now(player.create_buffer("none", 0)).is_err());
    let mut player = CpuPlayer::new();
    let huge =
        now(player.create_buffer("weights", (isize::MAX as usize - 128) / 4 * 4)).expect_err("more than there is");
    assert_eq!(huge.kind(), ErrorKind::OutOfMemory);
    let [a, b] = with_buffers(&mut player);
    assert!(player.write_buffer(a, 28, &[0; 8]).is_err() && player.write_buffer(a, 2, &[0; 4]).is_err());
    assert!(now(player.read_buffer(a, 0, 36)).is_err());
    let plan = now(player.load(&recording(), &[a, b])).expect("loads");
    let outside = [Read { external: 0, offset: 32, bytes: 4 }];
    assert!(now(player.play(plan, &ONE, &outside).expect("plays")).is_err());
    // A freed buffer makes its plans fail, and nothing else.
    player.free_buffer(b);
    assert!(matches!(now(player.play(plan, &ONE, &[]).expect("plays")), Err(CpuError::Missing { .. })));
    assert!(player.write_buffer(b, 0, &[0; 4]).is_err());
    player.unload(plan);
    assert!(player.play(plan, &ONE, &[]).is_err());
    assert_eq!(f32s(&now(player.read_buffer(a, 0, 4)).expect("reads")), [1.0]);
}

#[test]
fn a_buffer_too_small_for_its_kernel_is_an_error() {
    let mut bench = Bench::new(CpuPlayer::new());
    let (x, out) = (bench.floats(&[0.0; 4]), bench.floats(&[0.0; 4]));
    let params = ActivateParams { tokens: 9, width: u32::MAX, act: 1, ..Default::default() };
    let error = bench.try_run(KernelId::Activate, &params, &[x, out], ONE).expect_err("too small");
    assert!(matches!(error, CpuError::BufferTooSmall { kernel: "activate", binding: 0, .. }), "{error}");
}
