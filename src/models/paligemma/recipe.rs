use super::objects_grammar::ObjectGrammar;
use super::prompts::{Plan, PromptError};
use super::tokens::ObjectTokens;
use crate::models::{AnswerForm, Grammar, Recipe, Task};

/// How PaliGemma goes about a task. `ends` are the ids that end an answer; `constrained` is whether objects are kept
/// well-formed.
///
/// # Errors
/// As of [`prompt`](super::prompt).
pub fn recipe(task: &Task, tokens: &ObjectTokens, ends: &[u32], constrained: bool) -> Result<Recipe, PromptError> {
    let Plan { prompt, answer, masks, usual_tokens } = Plan::of(task)?;
    let kept = constrained && answer == AnswerForm::Objects;
    let grammar = if kept { ObjectGrammar::new(tokens, ends, masks) } else { None };
    let grammar = grammar.map(|grammar| Box::new(grammar) as Box<dyn Grammar>);
    Ok(Recipe { prompt, grammar, answer, usual_tokens })
}
