//! The command line as a user meets it: the real binary on the golden checkpoints.

#[path = "cli/ask.rs"]
mod ask;
#[path = "cli/embedded.rs"]
mod embedded;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/packs.rs"]
mod packs;
#[path = "cli/perform.rs"]
mod perform;
#[path = "cli/plan.rs"]
mod plan;
#[path = "cli/program.rs"]
mod program;
#[path = "common/root.rs"]
mod root;
#[path = "common/scratch.rs"]
mod scratch;
#[path = "cli/search.rs"]
mod search;
#[path = "cli/tell.rs"]
mod tell;
