//! Keeping what happens before it is answered, and answering all the same when the disk does not.

use std::fmt::Display;
use std::time::Duration;

use futures::FutureExt as _;
use records::{Event, Ledger, NotKept};
use tokio::time::timeout;

/// How long it may take: on a disk that hangs, whoever waits is answered all the same.
const WITHIN: Duration = Duration::from_secs(1);

/// When this is done it is on disk, or the log says why it is not. `of` names it there. In a runtime, whose clock it asks.
pub(crate) fn keep<E: Into<Event>, D: Display>(
    ledger: &Ledger,
    event: E,
    of: D,
) -> impl Future<Output = ()> + use<E, D> {
    timeout(WITHIN, ledger.keep(event)).map(move |kept| match kept {
        // The ledger itself logs these, once each, and keeps the event until it can be written.
        Ok(Ok(()) | Err(NotKept::Full(_) | NotKept::Unwritable { .. })) => {}
        Ok(Err(lost)) => tracing::error!(%of, %lost, "an answer was given without a record"),
        Err(_) => {
            tracing::error!(%of, "the disk is so slow that an answer was given before its record was on it");
        }
    })
}
