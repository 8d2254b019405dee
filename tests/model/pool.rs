//! Players that wait for the next model: what they have compiled serves it too. Compiling is most of the time on
//! software adapters.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

use ocelli::session::{DeviceChoice, DeviceOptions, Player};
use ocelli::tasks::Model;
use pollster::block_on;

use super::asking::told;

/// Where a case runs: on the CPU, or on the only adapter that this process can see, mostly a software one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "a program runs on one of them")]
pub enum Place {
    Cpu,
    Gpu,
    /// The same adapter with the kernels that a real GPU gets.
    AsRealGpu,
}

thread_local! {
    /// Never dropped: at the end of a thread, what a device's end needs is gone already.
    static IDLE: RefCell<Vec<(Place, ManuallyDrop<Player>)>> = const { RefCell::new(Vec::new()) };
}

/// Opens a player of its own, with a forced limit if there is one.
pub fn open(place: Place, max_binding_bytes: Option<usize>) -> Result<Player, String> {
    let choice = match place {
        Place::Cpu => DeviceChoice::Cpu,
        Place::Gpu | Place::AsRealGpu => DeviceChoice::Gpu,
    };
    let as_real_gpu = place == Place::AsRealGpu;
    told(block_on(Player::open(choice, &DeviceOptions { max_binding_bytes, as_real_gpu, ..DeviceOptions::default() })))
}

/// A player that waits, or a new one.
pub fn take(place: Place) -> Result<Player, String> {
    let waiting = IDLE.with_borrow_mut(|idle| {
        let found = idle.iter().position(|(opened_at, _)| *opened_at == place);
        found.map(|index| ManuallyDrop::into_inner(idle.swap_remove(index).1))
    });
    waiting.map_or_else(|| open(place, None), Ok)
}

/// Keeps a player for the next model, unless a case failed: what it then holds is not known.
pub fn put(place: Place, player: Player) {
    if !std::thread::panicking() {
        IDLE.with_borrow_mut(|idle| idle.push((place, ManuallyDrop::new(player))));
    }
}

/// A model whose player goes back to the pool.
pub struct Pooled(Place, Option<Model>);

impl Pooled {
    pub fn new(place: Place, model: Model) -> Self {
        Self(place, Some(model))
    }
}

impl Deref for Pooled {
    type Target = Model;

    fn deref(&self) -> &Model {
        self.1.as_ref().expect("the model is there until it is dropped")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Model {
        self.1.as_mut().expect("the model is there until it is dropped")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(model) = self.1.take() {
            put(self.0, model.into_player());
        }
    }
}
