//! The program: serves, or does what one command says.

mod commands;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::commands::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => serve::logged().await,
        Some(command) => command.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

#[expect(clippy::print_stdout, reason = "what a person who starts it in a terminal reads")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "what a person who starts it in a terminal reads")]
fn fail(why: &str) -> ExitCode {
    eprintln!("hitoku: {why}");
    ExitCode::FAILURE
}
