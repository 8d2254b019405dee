//! The command line as a user meets it: the real binary on the golden checkpoints.

#[path = "cli/ask.rs"]
mod ask;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/tell.rs"]
mod tell;
