//! The tasks as subcommands: each takes what [`Task`] declares for it, after a picture and what every task takes.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use ocelli::tasks::{GenerateOptions, Task};

use super::device_args::ModelArgs;

/// A task and how to go about it.
#[derive(Debug)]
pub struct TaskCommand {
    pub task: Task,
    pub args: TaskArgs,
    /// For tasks that are answered in words.
    pub generate: GenerateOptions,
}

/// What every task takes.
#[derive(Debug, Args)]
pub struct TaskArgs {
    /// A picture: PNG, JPEG, WebP, GIF (first frame) or BMP.
    pub image: PathBuf,
    /// Write what comes of it: things found, drawn over the picture, as a PNG; features as a NumPy file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
}

impl Subcommand for TaskCommand {
    fn augment_subcommands(command: Command) -> Command {
        let tasks = Task::augment_subcommands(Command::new("tasks"));
        // The picture comes first, so what a task takes itself is added to what all take.
        let commands = tasks.get_subcommands().map(|task| {
            let mut all = TaskArgs::augment_args(Command::new(task.get_name().to_owned()));
            if !Task::WORDLESS.contains(&task.get_name()) {
                all = GenerateOptions::augment_args(all);
            }
            let own = task.get_arguments().filter(|argument| argument.get_id() != "help").cloned();
            let own = own.map(|argument| argument.display_order(0));
            all.args(own).about(task.get_about().cloned().unwrap_or_default())
        });
        command.subcommands(commands.collect::<Vec<_>>())
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Task::has_subcommand(name)
    }
}

impl FromArgMatches for TaskCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let task = Task::from_arg_matches(matches)?;
        let Some((_, own)) = matches.subcommand() else {
            return Err(clap::Error::new(clap::error::ErrorKind::MissingSubcommand));
        };
        let generate = match Task::WORDLESS.contains(&task.name()) {
            true => GenerateOptions::default(),
            false => GenerateOptions::from_arg_matches(own)?,
        };
        Ok(Self { task, args: TaskArgs::from_arg_matches(own)?, generate })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
