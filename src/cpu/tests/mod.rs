//! Twins against values worked out by hand, fast kernels against twins, and the player's own behaviour.

mod attention;
mod linear;
mod player;
mod portable;
mod random;
mod sequence_rows;
mod small;
mod twins;
