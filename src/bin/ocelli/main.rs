//! The `ocelli` command line: parses arguments, calls the library, prints what it says. It decides nothing itself.

mod args;
mod bench;
mod convert;
mod device_args;
mod devices;
mod draw;
mod embedded;
mod error;
mod inspect;
mod interrupt;
mod json;
mod memory;
mod npy;
mod outcome;
mod plan;
mod progress;
mod remedy;
mod run;
mod search;
mod task;
mod task_args;
mod weigh;

use std::process::ExitCode;

use clap::Parser;
use ocelli::base::Result;

use args::{Cli, Command};
use error::CliError;

fn main() -> ExitCode {
    // Asked of the raw arguments, so that arguments which do not parse are answered in JSON too.
    let json = std::env::args_os().any(|argument| argument == "--json");
    let outcome = match Cli::try_parse() {
        Ok(cli) => dispatch(cli.command),
        Err(error) if error.use_stderr() => {
            if json {
                Err(CliError::usage(&error).into())
            } else {
                error.exit()
            }
        }
        Err(help_or_version) => help_or_version.exit(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error::report(&error, json),
    }
}

fn dispatch(command: Command) -> Result<()> {
    pollster::block_on(async {
        match command {
            Command::Task(command) => task::run(&command).await,
            Command::Embed(args) => task::embed(&args).await,
            Command::Index(args) => search::index(&args).await,
            Command::Search(args) => search::search(&args).await,
            Command::Run(args) => run::run(&args).await,
            Command::Inspect(args) => inspect::inspect(&args),
            Command::Plan(args) => plan::plan(&args),
            Command::Convert(args) => convert::convert(&args),
            Command::Verify(args) => convert::verify(&args),
            Command::Devices(args) => devices::devices(&args).await,
            Command::Bench(args) => bench::bench(&args).await,
            Command::MakeBenchModel(args) => bench::make_model(&args),
            Command::Weigh(args) => weigh::weigh(&args).await,
        }
    })
}
