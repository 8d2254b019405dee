//! Floor 8: from next-token choices to an answer: greedy, sampled or by beam search, with stop rules and a stream.

mod beam;
mod call;
mod decode;
mod options;
mod prompt;
mod rng;
mod sampler;
mod stop;

pub use call::Call;
pub use decode::{Finish, Generation, generate};
pub use options::{GenerateOptions, MAX_TOP_K, OptionFault, USUAL_TOKENS};
pub use prompt::Prompt;
pub use rng::Rng;
pub use sampler::{Candidate, sample};
