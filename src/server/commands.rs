//! What is done at a shell: customers, keys, the audit trail, and what is wrong.
//!
//! Invariant: `customers reveal` alone prints a number, and numbers are read from files or standard input, never from
//! arguments, which stay in the shell's history and can be seen by every user of the machine.

mod audit;
mod calls;
mod customers;
mod doctor;
mod keys;
mod progress;
mod table;

use clap::{Parser, Subcommand};
use directory::By;
use domain::Identity;
use nix::unistd::{Uid, User};
use records::audit::Actor;
use server::clock::Clock;
use server::kept::Kept;
use server::settings::{Settings, Source};

/// Hitoku: an operator console that takes phone calls without ever learning the caller's number
///
/// Without a command it serves. Settings come from the environment: see the README.
#[derive(Debug, Parser)]
#[command(name = "hitoku", version, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The directory: who calls from which number, and who looks after them
    #[command(subcommand)]
    Customers(customers::Customers),
    /// What became of the latest calls
    Calls(calls::Calls),
    /// The trail of what was done
    #[command(subcommand)]
    Audit(audit::Audit),
    /// The keys that numbers are sealed with
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Checks settings, keys, database, clock and addresses, and says how to mend what is wrong
    Doctor,
}

impl Command {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Customers(customers) => customers.run().await,
            Self::Calls(calls) => calls.run().await,
            Self::Audit(audit) => audit.run().await,
            Self::Keys(keys) => keys.run().await,
            Self::Doctor => doctor::run().await,
        }
    }
}

async fn open() -> anyhow::Result<(Settings, Kept)> {
    let settings = Settings::read(&Source::of_the_process())?;
    let kept = Kept::open(&settings.keeping).await?;
    Ok((settings, kept))
}

/// Whoever has started this, as the system knows them: a variable could say anything.
fn by() -> By {
    let name = |uid: Uid| User::from_uid(uid).ok().flatten().map(|user| user.name);
    let user = name(Uid::current()).unwrap_or_else(|| format!("uid-{}", Uid::current()));
    // Who became root by sudo is known too; as root they could say anything anyway.
    let sudo = std::env::var("SUDO_USER").ok().filter(|_| Uid::current().is_root());
    let user = sudo.map_or(user.clone(), |who| format!("{who}.as.{user}"));
    let actor = Identity::parse(&user).map_or(Actor::Hitoku, Actor::Shell);
    By { actor, at: Clock::of_the_machine().now() }
}
