//! Twins against values worked out by hand, fast kernels against twins, and the player's own behaviour.

mod linear;
mod random;
