//! What became of the latest calls.

use clap::Args;
use domain::Identity;

use super::table::{table, time};
use crate::say;

/// What became of the latest calls.
#[derive(Debug, Args)]
pub(crate) struct Calls {
    /// How many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl Calls {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
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
