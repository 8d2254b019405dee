//! Runs a task, and has its result told.

use std::cell::Cell;
use std::path::PathBuf;

use ocelli::base::Result;
use ocelli::tasks::{GenerateOptions, Rgb8, Task, TaskResult, prompt};

use super::args::EmbedArgs;
use super::device_args::ModelArgs;
use super::error::CliError;
use super::outcome::Told;
use super::task_args::TaskCommand;
use super::{interrupt, json, run};

/// What is done, with which model, and where.
struct Work<'a> {
    task: &'a Task,
    generate: &'a GenerateOptions,
    model: &'a ModelArgs,
    /// Print the text as it comes.
    stream: bool,
}

pub async fn run(TaskCommand { task, args, generate }: &TaskCommand) -> Result<()> {
    if let Some(path) = args.out.as_ref().filter(|_| !task.has_file()) {
        return Err(CliError::NothingToWrite(path.clone()).into());
    }
    generate.validate()?;
    if !Task::WORDLESS.contains(&task.name()) {
        prompt(task)?;
    }
    let pictures = pictures(std::slice::from_ref(&args.image))?;
    // The words that objects are read from are not for people.
    let stream = !args.model.json && !task.has_file();
    let work = Work { task, generate, model: &args.model, stream };
    let result = work.run(&pictures).await?;
    let (sources, out) = (vec![args.image.display().to_string()], args.out.as_deref());
    Told { sources, pictures: &pictures, out, json: args.model.json }.tell(result)
}

/// Embeds any number of pictures and texts.
pub async fn embed(args: &EmbedArgs) -> Result<()> {
    let pictures = pictures(&args.image)?;
    let (task, generate) = (&Task::Embed { texts: args.text.clone() }, &GenerateOptions::default());
    let work = Work { task, generate, model: &args.model, stream: false };
    let result = work.run(&pictures).await?;
    let names = args.image.iter().map(|path| path.display().to_string());
    let sources = names.chain(args.text.iter().cloned()).collect();
    Told { sources, pictures: &pictures, out: args.out.as_deref(), json: args.model.json }.tell(result)
}

fn pictures(paths: &[PathBuf]) -> Result<Vec<Rgb8>> {
    paths.iter().map(|path| run::picture(path)).collect()
}

impl Work<'_> {
    /// Loads the model and has it do its work.
    async fn run(&self, pictures: &[Rgb8]) -> Result<TaskResult> {
        let cancel = interrupt::token()?;
        let mut model = run::load_told(self.model, run::files(self.model.model.as_deref())?.as_ref(), &cancel).await?;
        let unwritten: Cell<Option<CliError>> = Cell::new(None);
        let mut emit = |piece: &str| {
            if self.stream
                && let Err(fault) = json::text(piece)
            {
                // Nobody reads on: there is no use in going on.
                unwritten.set(Some(fault));
                cancel.cancel();
            }
        };
        let done = model.run_task(pictures, self.task, self.generate, &cancel.clone().into(), &mut emit).await;
        match unwritten.take() {
            Some(fault) => Err(fault.into()),
            None => done,
        }
    }
}
