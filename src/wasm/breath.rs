//! How long work on the CPU stays interruptible.
//!
//! A worker learns of a message only between two tasks of its event loop, and a future that wakes itself stays within
//! one task. So, at a mark of a recording and at most every few milliseconds, the future waits for a message that the
//! worker sends to itself: behind it in the queue of tasks, whatever the page has sent meanwhile is delivered first.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageChannel, MessagePort};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Milliseconds since the worker started.
pub(super) fn now_ms() -> f64 {
    performance_now()
}

/// Shortest time between two breaths: a breath costs a few microseconds, a layer of a small model hardly more.
const INTERVAL_MS: f64 = 4.0;

struct Turn {
    /// A message sent here comes back as a task of its own.
    door: MessagePort,
    waiting: RefCell<Vec<Waker>>,
    last: Cell<f64>,
    /// Keeps the port that rings.
    _bell: MessagePort,
}

impl Turn {
    fn new() -> Result<Self, JsValue> {
        let channel = MessageChannel::new()?;
        let (door, bell) = (channel.port1(), channel.port2());
        let ring = Closure::<dyn Fn()>::new(|| {
            let woken = TURN.with(|turn| {
                let Some(turn) = turn else { return Vec::new() };
                turn.last.set(now_ms());
                turn.waiting.take()
            });
            woken.into_iter().for_each(Waker::wake);
        });
        bell.set_onmessage(Some(ring.as_ref().unchecked_ref()));
        // Lives as long as the worker.
        ring.forget();
        Ok(Self { door, waiting: RefCell::default(), last: Cell::new(now_ms()), _bell: bell })
    }
}

thread_local! {
    /// `None` where the browser gave no channel: then work cannot be interrupted, but it works.
    static TURN: Option<Turn> = Turn::new().ok();
}

/// Lets the worker's messages in if it is time to; then the waker is called later and true is returned.
pub(super) fn breathe(waker: &Waker) -> bool {
    TURN.with(|turn| {
        let Some(turn) = turn else { return false };
        if now_ms() - turn.last.get() < INTERVAL_MS || turn.door.post_message(&JsValue::NULL).is_err() {
            return false;
        }
        turn.waiting.borrow_mut().push(waker.clone());
        true
    })
}
