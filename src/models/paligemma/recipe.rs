use super::objects_grammar::ObjectGrammar;
use super::prompts::{PromptFault, prompt};
use super::tokens::ObjectTokens;
use crate::models::{AnswerForm, Grammar, Recipe, Task};

/// How PaliGemma goes about a task. `ends` are the ids that end an answer; `constrained` is whether objects are kept
/// well-formed.
///
/// # Errors
/// As of [`prompt`].
pub fn recipe(task: Task<'_>, tokens: &ObjectTokens, ends: &[u32], constrained: bool) -> Result<Recipe, PromptFault> {
    let masks = matches!(task, Task::Segment(_));
    let answer = match task {
        Task::Detect(_) | Task::Segment(_) => AnswerForm::Objects,
        Task::Caption(_) | Task::Describe(_) | Task::Ask(..) | Task::Ocr => AnswerForm::Text,
    };
    let kept = constrained && answer == AnswerForm::Objects;
    let grammar = if kept { ObjectGrammar::new(tokens, ends, masks) } else { None };
    let grammar = grammar.map(|grammar| Box::new(grammar) as Box<dyn Grammar>);
    Ok(Recipe { prompt: prompt(task)?, grammar, answer })
}
