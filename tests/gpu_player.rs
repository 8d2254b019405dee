//! The GPU player's own promises, on every software adapter: replay, shared scratch, reads, limits, loss.

#[path = "common/adapters.rs"]
mod adapters;
#[path = "common/scratch.rs"]
mod scratch;

use std::process::ExitCode;

use adapters::{Case, run_everywhere};
use ocelli::base::{ErrorKind, LayerError};
use ocelli::gpu::{Counts, DeviceOptions, GpuError, GpuPlayer};
use ocelli::graph::record::{BufferDecl, BufferId, Command, Read, Recording, Role};
use ocelli::kernels::params::AddParams;
use ocelli::kernels::{Dispatch, KernelId, Step};
use pollster::block_on;

fn main() -> ExitCode {
    run_everywhere(|_| {
        vec![
            Case::new("a step limits the rows of a replayed plan", steps_limit_rows),
            Case::new("plays submitted ahead each see their own step", plays_ahead),
            Case::new("reads come back one after the other", several_reads),
            Case::new("copies and dispatches keep their order", copies_keep_order),
            Case::new("plans share scratch memory", plans_share_scratch),
            Case::new("unloading gives scratch back", unloading_gives_back),
            Case::new("a freed buffer lives as long as its plans", freed_buffer_lives_on),
            Case::new("a buffer may be freed with its write under way", freed_under_way),
            Case::new("playing makes no buffers", playing_makes_no_buffers),
            Case::new("big writes arrive whole", big_writes),
            Case::new("buffers start zeroed", buffers_start_zeroed),
            Case::new("a forced limit is reported and kept", forced_limit),
            Case::new("an odd limit is refused", odd_limit),
            Case::new("an unknown adapter lists the known", unknown_adapter),
            Case::new("a part of the name is enough", part_of_name),
            Case::new("a wrong recording names its fault", wrong_recordings),
            Case::new("a wrong call names its fault", wrong_calls),
            Case::new("a closed device is lost", closed_device),
            Case::new("every dispatch is timed", dispatches_are_timed),
        ]
    })
}

const WIDTH: u32 = 12;

/// Turns an error into the text of a failed case.
fn told<T>(result: Result<T, GpuError>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}")) }
}

/// Checks an error's kind and that its sentence has every part.
fn refused<T>(result: Result<T, GpuError>, kind: ErrorKind, parts: &[&str]) -> Result<(), String> {
    let Err(error) = result else {
        return Err(format!("it was accepted; expected {kind:?}"));
    };
    let text = error.to_string();
    if error.kind() != kind || error.remedy().to_string().is_empty() || !parts.iter().all(|part| text.contains(part)) {
        return Err(format!("found {:?} `{text}`; expected {kind:?} with {parts:?}", error.kind()));
    }
    Ok(())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytemuck::pod_collect_to_vec(bytes)
}

fn step(tokens: u32) -> Step {
    Step::one(0, tokens, 0, 0)
}

fn external(bytes: usize, n: u32) -> BufferDecl {
    BufferDecl { bytes, role: Role::External(n), label: format!("external {n}") }
}

fn scratch(bytes: usize) -> BufferDecl {
    BufferDecl { bytes, role: Role::Scratch, label: "scratch".into() }
}

/// `bindings[2] = bindings[0] + bindings[1]` over at most `tokens` rows.
fn add(bindings: [u32; 3], tokens: u32) -> Command {
    let params = AddParams { tokens, width: WIDTH, b_rows: tokens, b_first: 0 };
    Command::Dispatch(Dispatch {
        kernel: KernelId::Add,
        bindings: bindings.to_vec(),
        params: bytemuck::bytes_of(&params).to_vec(),
        grid: [WIDTH.div_ceil(64), tokens, 1],
    })
}

fn buffer_of(player: &mut GpuPlayer, values: &[f32]) -> Result<BufferId, String> {
    let id = told(block_on(player.create_buffer("values", values.len() * 4)))?;
    told(player.write_buffer(id, 0, bytemuck::cast_slice(values)))?;
    Ok(id)
}

/// A plan `c = a + b` over 5 rows with its buffers: a counts up, b is 1, c is poisoned.
fn sum_plan(player: &mut GpuPlayer) -> Result<(ocelli::graph::record::PlanId, [BufferId; 3]), String> {
    let n = 5 * WIDTH as usize;
    let counting: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let ids =
        [buffer_of(player, &counting)?, buffer_of(player, &vec![1.0; n])?, buffer_of(player, &vec![f32::NAN; n])?];
    let recording = Recording {
        name: "sum".into(),
        buffers: (0..3).map(|i| external(n * 4, i)).collect(),
        commands: vec![Command::Mark("only".into()), add([0, 1, 2], 5)],
    };
    Ok((told(block_on(player.load(&recording, &ids)))?, ids))
}

fn whole(n: u32) -> Read {
    Read { external: n, offset: 0, bytes: 5 * WIDTH as usize * 4 }
}

fn steps_limit_rows(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, _) = sum_plan(player)?;
    for tokens in [2u32, 3, 5, 9] {
        let bytes = told(block_on(told(player.play(plan, &step(tokens), &[whole(2)]))?))?;
        let rows = tokens.min(5) as usize * WIDTH as usize;
        for (i, value) in floats(&bytes).into_iter().enumerate() {
            let right = if i < rows { value == i as f32 + 1.0 } else { value.is_nan() };
            if !right {
                return Err(format!("{tokens} tokens: element {i} is {value}"));
            }
        }
    }
    Ok(())
}

fn plays_ahead(player: &mut GpuPlayer) -> Result<(), String> {
    let n = WIDTH as usize;
    let ids = [buffer_of(player, &vec![1.0; 4 * n])?, buffer_of(player, &vec![0.0; 4 * n])?];
    // total = total + one, by way of a scratch buffer, so that each play adds to what the last one left.
    let recording = Recording {
        name: "count".into(),
        buffers: vec![external(4 * n * 4, 0), external(4 * n * 4, 1), scratch(4 * n * 4)],
        commands: vec![
            add([0, 1, 2], 4),
            Command::Copy { from: 2, from_offset: 0, to: 1, to_offset: 0, bytes: 4 * n * 4 },
        ],
    };
    let plan = told(block_on(player.load(&recording, &ids)))?;
    let read = |row: usize| Read { external: 1, offset: row * n * 4, bytes: 4 };
    let all = [read(0), read(1), read(2), read(3)];
    let pending: Vec<_> = (1..=4).map(|tokens| player.play(plan, &step(tokens), &all)).collect();
    for (i, pending) in pending.into_iter().enumerate() {
        let found = floats(&told(block_on(told(pending)?))?);
        // Before the first play scratch rows are undefined, but every row that counts was written by this play.
        equal(&format!("row {i} after play {i}"), found[i], 1.0)?;
        equal(&format!("row 0 after play {i}"), found[0], i as f32 + 1.0)?;
    }
    Ok(())
}

fn several_reads(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, _) = sum_plan(player)?;
    let reads = [
        Read { external: 2, offset: 8, bytes: 8 },
        Read { external: 0, offset: 40, bytes: 4 },
        Read { external: 1, offset: 0, bytes: 0 },
        Read { external: 2, offset: 0, bytes: 4 },
    ];
    let bytes = told(block_on(told(player.play(plan, &step(5), &reads))?))?;
    equal("values", floats(&bytes), vec![3.0, 4.0, 10.0, 1.0])?;
    drop(told(player.play(plan, &step(5), &reads))?);
    let bytes = told(block_on(told(player.play(plan, &step(5), &[]))?))?;
    equal("bytes of no reads", bytes.len(), 0)
}

fn copies_keep_order(player: &mut GpuPlayer) -> Result<(), String> {
    let n = WIDTH as usize;
    let ids = [buffer_of(player, &vec![1.0; n])?, buffer_of(player, &vec![f32::NAN; n])?];
    let copy = |from, to| Command::Copy { from, from_offset: 0, to, to_offset: 0, bytes: n * 4 };
    let recording = Recording {
        name: "order".into(),
        buffers: vec![external(n * 4, 0), external(n * 4, 1), scratch(n * 4), scratch(n * 4)],
        // 1 -> 2 -> (1 + 2 = 3) -> copied back over the 2, added again: 1 + 3 = 4.
        commands: vec![copy(0, 2), add([0, 2, 3], 1), copy(3, 2), add([0, 2, 3], 1), copy(3, 2), add([0, 2, 1], 1)],
    };
    let plan = told(block_on(player.load(&recording, &ids)))?;
    let read = Read { external: 1, offset: 0, bytes: n * 4 };
    let bytes = told(block_on(told(player.play(plan, &step(1), &[read]))?))?;
    equal("sum", floats(&bytes), vec![4.0; n])
}

/// A plan that doubles external 0 into external 1 through scratch buffers of these many rows.
fn through_scratch(rows: &[u32]) -> Recording {
    let bytes = |rows: u32| (rows * WIDTH) as usize * 4;
    let mut buffers = vec![external(bytes(1), 0), external(bytes(1), 1)];
    buffers.extend(rows.iter().map(|&rows| scratch(bytes(rows))));
    let last = buffers.len() as u32 - 1;
    let mut commands: Vec<_> = (2..last).map(|i| add([0, i, i + 1], 1)).collect();
    commands.insert(0, Command::Copy { from: 0, from_offset: 0, to: 2, to_offset: 0, bytes: bytes(1) });
    commands.push(add([0, last, 1], 1));
    Recording { name: format!("through {rows:?}"), buffers, commands }
}

fn plans_share_scratch(player: &mut GpuPlayer) -> Result<(), String> {
    let n = WIDTH as usize;
    let ids = [buffer_of(player, &vec![1.0; n])?, buffer_of(player, &vec![f32::NAN; n])?];
    let before = player.memory().scratch;
    let small = told(block_on(player.load(&through_scratch(&[1, 3, 2]), &ids)))?;
    let large = told(block_on(player.load(&through_scratch(&[40_000, 5]), &ids)))?;
    let again = told(block_on(player.load(&through_scratch(&[30_000, 2, 1]), &ids)))?;
    let grown = player.memory().scratch - before;
    let most = (40_000 + 5 + 3) * n * 4 + 3 * 4096;
    if grown > most {
        return Err(format!("three plans take {grown} bytes; expected at most {most}"));
    }
    let read = Read { external: 1, offset: 0, bytes: n * 4 };
    for (plan, expected) in [(small, 4.0), (large, 3.0), (again, 4.0), (small, 4.0)] {
        let bytes = told(block_on(told(player.play(plan, &step(1), &[read]))?))?;
        equal("sum", floats(&bytes), vec![expected; n])?;
    }
    for plan in [small, large, again] {
        player.unload(plan);
    }
    Ok(())
}

fn unloading_gives_back(player: &mut GpuPlayer) -> Result<(), String> {
    let n = WIDTH as usize;
    let ids = [buffer_of(player, &vec![1.0; n])?, buffer_of(player, &vec![f32::NAN; n])?];
    let small = told(block_on(player.load(&through_scratch(&[2, 2]), &ids)))?;
    let before = player.memory().scratch;
    let large = told(block_on(player.load(&through_scratch(&[300_000, 200_000, 100_000]), &ids)))?;
    player.unload(large);
    let after = player.memory().scratch;
    if after > before + 4096 {
        return Err(format!("{before} bytes before the large plan, {after} after it was unloaded"));
    }
    let read = Read { external: 1, offset: 0, bytes: n * 4 };
    let bytes = told(block_on(told(player.play(small, &step(1), &[read]))?))?;
    equal("sum", floats(&bytes), vec![3.0; n])?;
    player.unload(small);
    refused(player.play(small, &step(1), &[]), ErrorKind::Internal, &["no plan"])
}

fn freed_buffer_lives_on(player: &mut GpuPlayer) -> Result<(), String> {
    let before = player.memory().buffers;
    let (plan, ids) = sum_plan(player)?;
    ids.into_iter().for_each(|id| player.free_buffer(id));
    let read = Read { external: 2, offset: 4, bytes: 4 };
    let bytes = told(block_on(told(player.play(plan, &step(5), &[read]))?))?;
    equal("value", floats(&bytes), vec![2.0])?;
    player.unload(plan);
    equal("bytes in use", player.memory().buffers, before)
}

fn freed_under_way(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, _) = sum_plan(player)?;
    let before = player.memory().buffers;
    let id = buffer_of(player, &[1.0; 1000])?;
    player.free_buffer(id);
    equal("bytes in use", player.memory().buffers, before)?;
    refused(player.write_buffer(id, 0, &[0; 4]), ErrorKind::Internal, &["no buffer"])?;
    let bytes = told(block_on(told(player.play(plan, &step(5), &[whole(2)]))?))?;
    equal("value", floats(&bytes)[0], 1.0)
}

fn playing_makes_no_buffers(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, _) = sum_plan(player)?;
    told(block_on(told(player.play(plan, &step(5), &[whole(2)]))?))?;
    let (memory, before) = (player.memory(), player.counts());
    for _ in 0..50 {
        told(block_on(told(player.play(plan, &step(5), &[whole(2)]))?))?;
    }
    let bytes_read = before.bytes_read + 50 * whole(2).bytes as u64;
    equal("counts", player.counts(), Counts { submits: before.submits + 50, bytes_read, ..before })?;
    equal("memory", player.memory(), memory)
}

fn big_writes(player: &mut GpuPlayer) -> Result<(), String> {
    let words: Vec<u32> = (0..(20 << 18) + 3).map(|i: u32| i.wrapping_mul(2_654_435_761)).collect();
    let id = told(block_on(player.create_buffer("big", words.len() * 4 + 8)))?;
    told(player.write_buffer(id, 4, bytemuck::cast_slice(&words)))?;
    let bytes = told(block_on(player.read_buffer(id, 0, words.len() * 4 + 8)))?;
    player.free_buffer(id);
    let found: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
    equal("first and last", (found[0], found[words.len() + 1]), (0, 0))?;
    if found[1..=words.len()] != words { Err("the words differ".into()) } else { Ok(()) }
}

fn buffers_start_zeroed(player: &mut GpuPlayer) -> Result<(), String> {
    for _ in 0..3 {
        let id = told(block_on(player.create_buffer("zeroed", 1 << 16)))?;
        let bytes = told(block_on(player.read_buffer(id, 0, 1 << 16)))?;
        equal("set bytes", bytes.iter().filter(|&&byte| byte != 0).count(), 0)?;
        told(player.write_buffer(id, 0, &[0xff; 1 << 16]))?;
        told(block_on(player.read_buffer(id, 0, 4)))?;
        player.free_buffer(id);
    }
    Ok(())
}

fn forced_limit(_: &mut GpuPlayer) -> Result<(), String> {
    let options = DeviceOptions { max_binding_bytes: Some(1 << 20), ..Default::default() };
    let mut player = told(block_on(GpuPlayer::new(&options)))?;
    equal("reported", player.capabilities().max_binding_bytes, 1 << 20)?;
    told(block_on(player.create_buffer("fits", 1 << 20)))?;
    let above = block_on(player.create_buffer("head.0", (1 << 20) + 4));
    refused(above, ErrorKind::DeviceLimit, &["head.0", "1048580", "1048576"])?;
    let recording = Recording { name: "wide".into(), buffers: vec![scratch(2 << 20)], commands: vec![] };
    refused(block_on(player.load(&recording, &[])), ErrorKind::DeviceLimit, &["wide", "2097152", "1048576"])
}

fn odd_limit(_: &mut GpuPlayer) -> Result<(), String> {
    for bytes in [0, 1000, (1 << 20) + 2] {
        let options = DeviceOptions { max_binding_bytes: Some(bytes), ..Default::default() };
        refused(block_on(GpuPlayer::new(&options)), ErrorKind::BadArgument, &[&bytes.to_string(), "multiple of 4"])?;
    }
    Ok(())
}

fn unknown_adapter(player: &mut GpuPlayer) -> Result<(), String> {
    let options = DeviceOptions { adapter: Some("Voodoo 2".into()), ..Default::default() };
    refused(block_on(GpuPlayer::new(&options)), ErrorKind::NoDevice, &["Voodoo 2", &player.adapter().name])
}

fn part_of_name(player: &mut GpuPlayer) -> Result<(), String> {
    let part = player.adapter().name[1..6].to_uppercase();
    let options = DeviceOptions { adapter: Some(part), ..Default::default() };
    let other = told(block_on(GpuPlayer::new(&options)))?;
    equal("adapter", other.adapter(), player.adapter())?;
    equal("adapters listed", block_on(ocelli::gpu::adapters()).len(), 1)
}

fn wrong_recordings(player: &mut GpuPlayer) -> Result<(), String> {
    let n = WIDTH as usize * 4;
    let id = told(block_on(player.create_buffer("only", n)))?;
    type Change = fn(&mut Recording);
    let changes: [(Change, &str); 9] = [
        (|r| r.buffers[1].role = Role::External(7), "external 7"),
        (|r| r.buffers[0].bytes += 4, "expected 52"),
        (|r| r.buffers[1].bytes = 6, "multiple of 4"),
        (|r| dispatch(r).bindings[2] = 9, "no buffer 9"),
        (|r| dispatch(r).bindings[2] = 1, "also binding 1"),
        (|r| dispatch(r).bindings.truncate(2), "2 bindings; expected 3"),
        (|r| dispatch(r).params.truncate(4), "4 bytes of parameters"),
        (|r| dispatch(r).grid[1] = 0, "the grid is"),
        (
            |r| r.commands.push(Command::Copy { from: 0, from_offset: 4, to: 1, to_offset: 0, bytes: 48 }),
            "48 bytes at 4",
        ),
    ];
    for (change, part) in changes {
        let mut recording = Recording {
            name: "faulty".into(),
            buffers: vec![external(n, 0), scratch(n), scratch(n)],
            commands: vec![add([0, 1, 2], 1)],
        };
        change(&mut recording);
        refused(block_on(player.load(&recording, &[id])), ErrorKind::Internal, &["faulty", part])?;
    }
    Ok(())
}

fn dispatch(recording: &mut Recording) -> &mut Dispatch {
    match &mut recording.commands[0] {
        Command::Dispatch(dispatch) => dispatch,
        other => panic!("the first command is {other:?}"),
    }
}

fn wrong_calls(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, [id, ..]) = sum_plan(player)?;
    let nowhere = BufferId(u32::MAX);
    refused(player.write_buffer(nowhere, 0, &[0; 4]), ErrorKind::Internal, &["no buffer"])?;
    refused(player.write_buffer(id, 236, &[0; 8]), ErrorKind::Internal, &["8 bytes at 236", "240"])?;
    refused(player.write_buffer(id, 2, &[0; 4]), ErrorKind::Internal, &["multiples of 4"])?;
    refused(block_on(player.read_buffer(id, usize::MAX - 3, 8)), ErrorKind::Internal, &["8 bytes at"])?;
    refused(block_on(player.create_buffer("nothing", 0)), ErrorKind::Internal, &["positive multiple of 4"])?;
    let read = Read { external: 3, offset: 0, bytes: 4 };
    refused(player.play(plan, &step(5), &[read]), ErrorKind::Internal, &["no external 3"])?;
    let read = Read { external: 2, offset: 240, bytes: 4 };
    refused(player.play(plan, &step(5), &[read]), ErrorKind::Internal, &["4 bytes at 240"])?;
    // None of that may have hurt the player.
    told(block_on(told(player.play(plan, &step(5), &[whole(2)]))?)).map(drop)
}

fn closed_device(_: &mut GpuPlayer) -> Result<(), String> {
    let mut player = told(block_on(GpuPlayer::new(&DeviceOptions::default())))?;
    let (plan, [id, ..]) = sum_plan(&mut player)?;
    let pending = told(player.play(plan, &step(5), &[whole(2)]))?;
    player.close();
    refused(block_on(pending), ErrorKind::DeviceLost, &["closed"])?;
    refused(player.play(plan, &step(5), &[]), ErrorKind::DeviceLost, &["closed"])?;
    refused(player.write_buffer(id, 0, &[0; 4]), ErrorKind::DeviceLost, &["closed"])?;
    refused(block_on(player.create_buffer("late", 4)), ErrorKind::DeviceLost, &["closed"])
}

fn dispatches_are_timed(player: &mut GpuPlayer) -> Result<(), String> {
    let (plan, _) = sum_plan(player)?;
    let times = told(block_on(player.play_timed(plan, &step(5))))?;
    let [time] = times.as_slice() else {
        return Err(format!("found {} times for one dispatch", times.len()));
    };
    equal("kernel and mark", (time.kernel, time.mark.as_str()), ("add", "only"))?;
    if time.nanoseconds > 0.0 && time.nanoseconds < 1e10 { Ok(()) } else { Err(format!("{} ns", time.nanoseconds)) }
}
