//! What is done at a shell: customers, keys, the audit trail, and what is wrong.
//!
//! Invariant: `customers reveal` alone prints a number, and numbers are read from files or standard input, never from
//! arguments, which stay in the shell's history and can be seen by every user of the machine.

mod audit;
mod calls;
mod customers;
mod doctor;
mod keys;
mod left;
mod progress;
mod table;

pub(crate) use table::printable;

use clap::{Parser, Subcommand};
use database::Place;
use directory::By;
use domain::Identity;
use nix::unistd::{Uid, User};
use records::audit::Actor;
use server::clock::Clock;
use server::kept::Kept;
use server::settings::{Cloud, Settings, Source};

use crate::note;

/// Hitoku: an operator console that takes phone calls without ever learning the caller's number
///
/// Without a command it serves. Settings come from the environment: see the README.
#[derive(Debug, Parser)]
#[command(name = "hitoku", version)]
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
        // What is wrong below, such as the end of the audit trail, is not in a command's own answer.
        let log = tracing_subscriber::fmt().with_writer(std::io::stderr).without_time().with_target(false);
        log.with_ansi(false).with_max_level(tracing::Level::WARN).init();
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
    let place = &settings.keeping.place;
    let is_new = matches!(place, Place::Sqlite(file) if !file.exists());
    let kept = Kept::open(&settings.keeping).await?;
    // Whoever has other settings here than the server has would take it for the server's.
    match settings.cloud {
        Cloud::Rehearsal { .. } => {
            note(&format!("no Twilio account is configured, so this is the rehearsal's directory: {place}"));
        }
        Cloud::Twilio { .. } if is_new => {
            note(&format!("there was no directory, so this is a new one: {place}"));
        }
        Cloud::Twilio { .. } => {}
    }
    Ok((settings, kept))
}

/// Whoever has started this, as the system knows them: a variable could say anything.
fn by() -> By {
    let uid = Uid::current();
    let user = User::from_uid(uid).ok().flatten().map(|user| user.name);
    // Who became root by sudo is known too; as root they could say anything anyway.
    let sudo = std::env::var("SUDO_USER").ok().filter(|_| uid.is_root());
    By { actor: shell(uid, user.as_deref(), sudo.as_deref()), at: Clock::of_the_machine().now() }
}

/// A person is never taken for the program: whoever has a name that cannot be in the trail, as with a space in it, is there by
/// number.
fn shell(uid: Uid, user: Option<&str>, sudo: Option<&str>) -> Actor {
    let number = format!("uid-{uid}");
    let named = user.filter(|user| Identity::parse(user).is_ok()).unwrap_or(&number);
    let both = sudo.map(|who| format!("{who}.as.{named}"));
    let actor =
        [both.as_deref(), Some(named)].into_iter().flatten().find_map(|who| Identity::parse(who).ok());
    actor.map_or(Actor::Hitoku, Actor::Shell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_at_a_shell_is_in_the_trail_by_name_or_by_number() {
        let who = |uid: u32, user, sudo| shell(Uid::from_raw(uid), user, sudo).to_string();
        assert_eq!(who(1000, Some("alice"), None), "shell alice");
        assert_eq!(who(0, Some("root"), Some("alice")), "shell alice.as.root");
        assert_eq!(who(0, Some("root"), Some("CORP\\Alice B")), "shell root");
        assert_eq!(who(1000, Some("Alice B"), None), "shell uid-1000");
        assert_eq!(who(u32::MAX - 1, None, None), "shell uid-4294967294");
    }
}
