//! A case of a kernel test: some dispatches over given operands, played on a device and by the plain CPU twin.

use ocelli::cpu::CpuPlayer;
use ocelli::gpu::GpuPlayer;
use ocelli::graph::record::{BufferDecl, BufferId, Command, Recording, Role};
use ocelli::kernels::{Dispatch, KernelId, Step};
use pollster::block_on;

use crate::tolerance::Tolerance;

/// A NaN that no kernel computes: where a result still has these bits, nothing was written.
pub const POISON: u32 = 0x7fc0_5eed;
/// Poisoned words behind every operand: writes past its end show, and reads past its end spoil a result.
const GUARD_WORDS: usize = 67;

/// A buffer of a case.
pub enum Operand {
    /// An input.
    Given(Vec<u8>),
    /// An output.
    Written(Output),
    /// Read and written in place.
    Changed(Vec<u8>),
}

/// What a kernel should do to an output.
pub struct Output {
    /// Its size; poisoned at the start.
    pub size: usize,
    /// How many of its words the kernel must write.
    pub written: usize,
    /// What its words are, over and over.
    pub words: &'static [Word],
}

/// What a word of an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A float, within the tolerance.
    Float,
    /// An integer, or a float that is only moved: the bits are equal.
    Bits,
    /// Anything: the kernel must write it, but its value means nothing.
    Any,
}

/// One check of one or several kernels.
pub struct KernelCase {
    pub label: String,
    pub operands: Vec<Operand>,
    pub dispatches: Vec<Dispatch>,
    pub step: Step,
    pub tolerance: Tolerance,
}

/// A row of floats as bytes.
pub fn bytes_of(values: &[f32]) -> Vec<u8> {
    bytemuck::cast_slice(values).to_vec()
}

/// Integers as bytes.
pub fn bytes_of_ids(values: &[u32]) -> Vec<u8> {
    bytemuck::cast_slice(values).to_vec()
}

/// Floats that must be written in full.
pub fn written(words: usize) -> Operand {
    written_of(words, words)
}

/// Floats of which only some are to be written.
pub fn written_of(words: usize, written: usize) -> Operand {
    written_as(words, written, &[Word::Float])
}

/// An output of these kinds of words, of which some are to be written.
pub fn written_as(size: usize, written: usize, words: &'static [Word]) -> Operand {
    Operand::Written(Output { size, written, words })
}

/// Floats that the kernel changes in place.
pub fn changed(values: &[f32]) -> Operand {
    Operand::Changed(bytes_of(values))
}

/// Floats of an input.
pub fn given(values: &[f32]) -> Operand {
    Operand::Given(bytes_of(values))
}

/// `rows` random rows, and behind them rows up to `capacity` that nobody may use.
pub fn rows_up_to(random: &mut crate::random::Random, rows: usize, capacity: usize, width: usize) -> Operand {
    let mut values = random.floats(rows * width);
    values.resize(capacity.max(rows) * width, f32::from_bits(POISON));
    given(&values)
}

/// One dispatch over the operands in order.
pub fn dispatch<P: bytemuck::NoUninit>(kernel: KernelId, operands: usize, params: &P, grid: [usize; 3]) -> Dispatch {
    Dispatch {
        kernel,
        bindings: (0..operands as u32).collect(),
        params: bytemuck::bytes_of(params).to_vec(),
        grid: grid.map(|n| n as u32),
    }
}

/// Plays a case on a player and returns what its operands hold then. Both players have the same calls.
macro_rules! play {
    ($case:expr, $player:expr, $recording:expr) => {
        block_on(async {
            let mut ids: Vec<BufferId> = Vec::new();
            for operand in &$case.operands {
                let words = initial(operand);
                let id = $player.create_buffer("operand", words.len() * 4).await?;
                $player.write_buffer(id, 0, bytemuck::cast_slice(&words))?;
                ids.push(id);
            }
            let plan = $player.load($recording, &ids).await?;
            $player.play(plan, &$case.step, &[])?.await?;
            let mut results: Vec<Vec<u32>> = Vec::new();
            for (id, decl) in ids.into_iter().zip(&$recording.buffers) {
                let bytes = $player.read_buffer(id, 0, decl.bytes).await?;
                results.push(bytemuck::pod_collect_to_vec(&bytes));
                $player.free_buffer(id);
            }
            $player.unload(plan);
            Ok::<_, ocelli::base::Error>(results)
        })
    };
}

impl KernelCase {
    /// The kernels that this case checks.
    pub fn kernels(&self) -> impl Iterator<Item = KernelId> {
        self.dispatches.iter().map(|dispatch| dispatch.kernel)
    }

    /// What its operands hold once the plain twin has played it.
    pub fn results(&self) -> Result<Vec<Vec<u32>>, String> {
        let mut cpu = CpuPlayer::plain();
        let recording = self.recording();
        play!(self, cpu, &recording).map_err(|error| format!("the twin: {error}"))
    }

    /// Plays it with the fast CPU kernels and compares every word of every output.
    pub fn check_fast(&self) -> Result<(), String> {
        let mut fast = CpuPlayer::new();
        let found = play!(self, fast, &self.recording()).map_err(|error| error.to_string())?;
        self.compare_all(&self.results()?, &found)
    }

    /// Plays it on both and compares every word of every output.
    pub fn check(&self, gpu: &mut GpuPlayer, cpu: &mut CpuPlayer) -> Result<(), String> {
        let recording = self.recording();
        let expected = play!(self, cpu, &recording).map_err(|error| format!("the twin: {error}"))?;
        let found = play!(self, gpu, &recording).map_err(|error| error.to_string())?;
        self.compare_all(&expected, &found)
    }

    fn compare_all(&self, expected: &[Vec<u32>], found: &[Vec<u32>]) -> Result<(), String> {
        let outputs = self.operands.iter().zip(expected.iter().zip(found)).enumerate();
        for (index, (operand, (expected, found))) in outputs {
            let (name, fault) = match operand {
                Operand::Written(output) => ("output", self.compare(output, expected, found)),
                Operand::Changed(_) => ("buffer", (expected != found).then(|| "its bits differ".to_string())),
                Operand::Given(_) => ("input", (expected != found).then(|| "it was written to".to_string())),
            };
            if let Some(fault) = fault {
                return Err(format!("{name} {index}: {fault}"));
            }
        }
        Ok(())
    }

    fn compare(&self, output: &Output, expected: &[u32], found: &[u32]) -> Option<String> {
        let count = expected.iter().filter(|&&word| word != POISON).count();
        if count != output.written {
            return Some(format!("the twin writes {count} words; the case says {}", output.written));
        }
        let kind = |index: usize| output.words[index % output.words.len()];
        // Stand-ins for minus infinity are no measure of anything.
        let is_number = |&i: &usize| kind(i) == Word::Float && f32::from_bits(expected[i]).abs() < 1e20;
        let numbers = || (0..expected.len()).filter(is_number);
        let squares: f64 = numbers().map(|i| f64::from(f32::from_bits(expected[i])).powi(2)).sum();
        let rms = (squares / numbers().count().max(1) as f64).sqrt() as f32;
        let wrong = |&i: &usize| {
            let (found, expected) = (found[i], expected[i]);
            if kind(i) == Word::Any && expected != POISON {
                return found == POISON;
            }
            if kind(i) == Word::Bits || found == POISON || expected == POISON {
                return found != expected;
            }
            let (found, expected) = (f32::from_bits(found), f32::from_bits(expected));
            !(self.tolerance.allows(found, expected, rms) || found.is_nan() && expected.is_nan())
        };
        let faults: Vec<usize> = (0..expected.len()).filter(wrong).collect();
        let &first = faults.first()?;
        let show = |word: u32| match word {
            POISON => "nothing".to_string(),
            word if kind(first) == Word::Float => f32::from_bits(word).to_string(),
            word => word.to_string(),
        };
        let (found, expected) = (show(found[first]), show(expected[first]));
        let count = faults.len();
        Some(format!("{count} words differ (rms {rms}); the first, {first}, is {found}, expected {expected}"))
    }

    fn recording(&self) -> Recording {
        let decl = |(index, operand): (usize, &Operand)| BufferDecl {
            bytes: initial(operand).len() * 4,
            role: Role::External(index as u32),
            label: format!("operand {index}"),
        };
        Recording {
            name: self.label.clone(),
            buffers: self.operands.iter().enumerate().map(decl).collect(),
            commands: self.dispatches.iter().cloned().map(Command::Dispatch).collect(),
        }
    }
}

/// What a buffer holds at the start, with its guard.
fn initial(operand: &Operand) -> Vec<u32> {
    let mut words = match operand {
        Operand::Given(bytes) | Operand::Changed(bytes) => bytemuck::pod_collect_to_vec(bytes),
        Operand::Written(output) => vec![POISON; output.size],
    };
    words.resize(words.len() + GUARD_WORDS, POISON);
    words
}
