//! What became of the latest calls, and how old ones are forgotten.

use clap::{Args, Subcommand};
use database::Deleted;
use domain::Identity;

use super::left::Left;
use super::progress::Progress;
use super::table::{table, time};
use crate::say;

/// What became of the latest calls.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Calls {
    #[command(subcommand)]
    command: Option<Command>,
    /// How many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forgets calls that are older than so many days; the audit trail stays
    Forget {
        /// How many days
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        days: u32,
        /// Do it; otherwise it says how many they are
        #[arg(long)]
        yes: bool,
    },
}

impl Calls {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Some(Command::Forget { days, yes }) => forget(days, yes).await,
            None => self.list().await,
        }
    }

    async fn list(self) -> anyhow::Result<()> {
        let (_, kept) = super::open().await?;
        let heading =
            ["came", "rang", "answered", "ended", "outcome", "operator", "customer", "call ref", "CallSid"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for call in records::calls::latest(&kept.database, self.limit).await? {
            rows.push(vec![
                time(call.first_at),
                time(call.rang_at),
                time(call.answered_at),
                time(call.ended_at),
                call.outcome.to_string(),
                call.operator.as_ref().map(Identity::to_string).unwrap_or_default(),
                call.customer.or_else(|| call.alias.map(|alias| format!("({alias})"))).unwrap_or_default(),
                call.call_ref.map(|call_ref| call_ref.0).unwrap_or_default(),
                call.call_sid.to_string(),
            ]);
        }
        say(&table(&rows));
        Ok(())
    }
}

async fn forget(days: u32, yes: bool) -> anyhow::Result<()> {
    let (settings, kept) = super::open().await?;
    let by = super::by();
    let age = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
    let older = records::calls::older(&kept.database, days, by.at).await?;
    if !yes {
        say(&format!("older than {age}: {older} calls. With --yes they are forgotten."));
        return Ok(());
    }
    let mut progress = Progress::new("calls");
    let whole = usize::try_from(older).unwrap_or(usize::MAX);
    let (audit, mut forgotten) = (kept.customers.audit(), 0);
    let done = records::calls::forget(&audit, days, &by.actor, by.at, |so_many| {
        forgotten = so_many;
        progress.at(usize::try_from(so_many).unwrap_or(usize::MAX), whole);
    });
    let done = done.await;
    progress.end();
    let left = Left::after(Deleted::Calls, &kept.database, &settings.keeping.place).await;
    say(&format!("older than {age}: {forgotten} calls, which are forgotten now."));
    // Also after some were, and the rest could not be.
    done?;
    left.tell()
}
