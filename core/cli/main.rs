//! The program: reads what the user typed, opens what the command needs, runs it, and ends with the
//! exit code that says how it went.

mod args;
mod commands;
mod context;
mod error;
mod layers;
mod paths;
mod progress;
mod render;
mod request;
mod runner_package;
mod screen;
mod tables;
mod weights;

use std::mem::ManuallyDrop;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Cli, Command};
use context::Context;
use error::CliError;
use screen::Screen;

fn main() -> ExitCode {
    // The worker must find its descriptors and its process untouched: nothing runs before it.
    if std::env::args_os().nth(1).is_some_and(|a| a == commands::worker::NAME) {
        commands::worker::run();
    }
    match Cli::try_parse() {
        Ok(cli) => finish(Screen { quiet: cli.global.quiet }, run(cli)),
        Err(error) => usage(&error),
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    // The process ends with the command; nothing of this needs to be taken apart.
    let context = ManuallyDrop::new(Context::new(&cli.global)?);
    match cli.command {
        Command::Advise(args) => commands::advise::run(&context, &args),
        Command::Explain(args) => commands::explain::run(&context, &args),
        Command::Compare(args) => commands::compare::run(&context, &args),
        Command::Bench(args) => commands::bench::run(&context, &args),
        Command::Export(args) => commands::export::run(&context, &args),
        Command::Arch(command) => commands::arch::run(&context, &command),
        Command::Rules(command) => commands::rules::run(&context, &command),
        Command::Runner(command) => commands::runner::run(&context, &command),
        Command::Doctor(args) => commands::doctor::run(&context, &args),
        Command::Kb(command) => commands::kb::run(&context, &command),
        Command::Device(args) => commands::device::run(&context, &args),
        Command::Completions { shell } => commands::completions::run(&context, shell),
        Command::Worker => commands::worker::run(),
    }
}

fn finish(screen: Screen, outcome: Result<(), CliError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Help and version go to standard output and are no failure; everything else is invalid input.
fn usage(error: &clap::Error) -> ExitCode {
    // Nothing sensible can be done when the terminal is gone.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    }
}
