//! Floor 8: from next-token choices to an answer: greedy, sampled or by beam search, with stop rules and a stream.

mod beam;
mod call;
#[expect(clippy::module_inception, reason = "the file of `generate` is called as what it holds")]
mod generate;
mod generation;
mod greedy;
mod options;
mod prompt;
mod rng;
mod sampled;
mod sampler;
mod stop;
mod stream;

pub use call::Call;
pub use generate::generate;
pub use generation::{Finish, Generation};
pub use options::{GenerateOptions, MAX_TOP_K, OptionError, USUAL_TOKENS};
pub use prompt::Prompt;
pub use rng::Rng;
pub use sampler::{Candidate, sample};
