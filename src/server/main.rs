//! The program: serves, or does what one command says.

mod commands;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::commands::{Arguments, printable};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => serve::logged().await,
        Some(command) => command.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what a person who starts it in a terminal reads")]
fn say(text: &str) {
    println!("{text}");
}

/// Beside what a command is asked for. Errors repeat what people have written.
#[expect(clippy::print_stderr, reason = "what a person who starts it in a terminal reads")]
fn note(text: &str) {
    let lines: Vec<String> = text.lines().map(printable).collect();
    eprintln!("hitoku: {}", lines.join("\n"));
}
