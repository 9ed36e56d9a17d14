//! The reception: takes a call, asks the directory whose it is, and says in TwiML what happens next.
//!
//! Invariant: it always answers within the directory's deadline, and logs one line a call, without a number.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use directory::{Directory, PhoneNumber};
use tokio::time::{Instant, timeout};

use super::form::{DialCallStatus, DialedCall, IncomingCall};
use super::phrases;
use super::twiml::{Told, Twiml};
use crate::chance::Chance;
use crate::settings::BaseUrl;

/// Answers the voice webhooks.
#[derive(Clone)]
pub struct Reception {
    directory: Arc<dyn Directory>,
    public: BaseUrl,
    chance: Chance,
}

/// How long the directory may take. Twilio waits longer, but a caller hears nothing meanwhile.
const DEADLINE: Duration = Duration::from_secs(2);

impl Reception {
    /// A reception that asks this directory, and is called back at `public`.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, public: BaseUrl, chance: Chance) -> Self {
        Self { directory, public, chance }
    }

    /// A call has come in.
    pub(crate) async fn incoming(&self, call: IncomingCall) -> Twiml {
        let since = Instant::now();
        let (twiml, outcome) = match &call.from {
            Some(number) => self.connect(number).await,
            None => (Twiml::say(phrases::WITHHELD), "no number"),
        };
        let took_us = since.elapsed().as_micros();
        tracing::info!(call_sid = %call.call_sid, outcome, took_us, "a call came in");
        twiml
    }

    /// The operator's part of a call is over.
    pub(crate) fn dialed(&self, call: &DialedCall) -> Twiml {
        let twiml = match call.status {
            DialCallStatus::Completed | DialCallStatus::Canceled => Twiml::hang_up(),
            DialCallStatus::Busy => Twiml::say(phrases::BUSY),
            DialCallStatus::NoAnswer => Twiml::say(phrases::NO_ANSWER),
            DialCallStatus::Failed => Twiml::say(phrases::TROUBLE),
        };
        tracing::info!(call_sid = %call.call_sid, outcome = ?call.status, "a call was dialled");
        twiml
    }

    async fn connect(&self, number: &PhoneNumber) -> (Twiml, &'static str) {
        let asked = timeout(DEADLINE, self.directory.look_up(number)).await;
        match asked
            .map(|answer| answer.and_then(|found| found.map(|found| found.without(number)).transpose()))
        {
            Ok(Ok(Some(found))) => {
                let call_ref = self.chance.call_ref();
                let told = Told {
                    customer_name: found.customer_name.as_deref(),
                    customer_id: found.customer_id.as_deref(),
                    call_ref: &call_ref,
                };
                (Twiml::dial(&found.operator, told, &self.public), "dial")
            }
            Ok(Ok(None)) => (Twiml::say(phrases::UNKNOWN), "unknown caller"),
            Ok(Err(silent)) => {
                tracing::warn!(error = %silent, "the directory did not say who calls");
                (Twiml::say(phrases::TROUBLE), "no directory")
            }
            Err(_) => (Twiml::say(phrases::TROUBLE), "slow directory"),
        }
    }
}

impl fmt::Debug for Reception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reception").field("public", &self.public).finish_non_exhaustive()
    }
}
