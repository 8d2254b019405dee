//! Operations as a graph has them, lowered for every class of device and played by plain and fast CPU kernels.

#[path = "common/random.rs"]
mod random;
#[path = "operations/run.rs"]
mod run;
#[path = "operations/sequences.rs"]
mod sequences;
#[path = "operations/speed.rs"]
mod speed;
