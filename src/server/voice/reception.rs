//! The reception: takes a call, asks the directory whose it is, and says in TwiML what happens next.
//!
//! Invariant: it always answers within its deadlines, what it answered is on disk before unless the disk is gone, and one line
//! a call is logged, without a number.

use std::fmt;
use std::sync::Arc;

use directory::{Aliases, Found, Guarded, PhoneNumber, Silent};
use domain::{CallRef, Identity, Millis, TIME_LIMIT};
use futures::future::OptionFuture;
use records::{CallEvent, CallSid, Came, Ledger, Outcome, What};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::form::{DialCallStatus, DialedCall, IncomingCall, ProgressedCall};
use super::phrases;
use super::twiml::{Told, Twiml};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::late::Late;
use crate::record;
use crate::settings::BaseUrl;

/// Answers the voice webhooks.
#[derive(Clone)]
pub struct Reception {
    /// Knows whose number it is.
    pub directory: Guarded,
    /// Names callers whom nobody knows; without it they have no name.
    pub aliases: Late<Arc<Aliases>>,
    /// Takes their calls; without one they hear that they are not known.
    pub unknown_callers: Option<Identity>,
    /// Keeps what becomes of calls.
    pub ledger: Arc<Ledger>,
    /// Where Twilio calls us back.
    pub public: BaseUrl,
    /// For calls that Twilio has no name for.
    pub chance: Chance,
    /// For what Twilio gives no time.
    pub clock: Clock,
}

impl Reception {
    /// A call has come in.
    pub(crate) async fn incoming(&self, call: &IncomingCall) -> Twiml {
        let since = Instant::now();
        // Before the directory is asked: whoever is erased after it has answered is erased after this too.
        let at = self.clock.now();
        let call_ref = self.call_ref(call.call_sid);
        let (twiml, came) = match &call.from {
            Some(number) => self.connect(number, self.directory.look_up(number).await, call_ref),
            None => (Twiml::say(phrases::WITHHELD), came(call_ref, Outcome::Withheld)),
        };
        let outcome = came.outcome;
        self.keep(call.call_sid, Some(at), What::Came(came)).await;
        let took_us = since.elapsed().as_micros();
        tracing::info!(call_sid = %Shown(call.call_sid), %outcome, took_us, "a call came in");
        twiml
    }

    /// The operator's part of a call is over.
    pub(crate) async fn dialed(&self, call: &DialedCall) -> Twiml {
        let twiml = match call.status {
            // Whole seconds may be rounded down.
            DialCallStatus::Completed if call.seconds.is_some_and(|seconds| seconds >= TIME_LIMIT - 1) => {
                Twiml::say(phrases::TIME_IS_UP)
            }
            DialCallStatus::Completed | DialCallStatus::Canceled => Twiml::hang_up(),
            DialCallStatus::Busy => Twiml::say(phrases::BUSY),
            DialCallStatus::NoAnswer => Twiml::say(phrases::NO_ANSWER),
            DialCallStatus::Failed => Twiml::say(phrases::TROUBLE),
        };
        let outcome = call.status.outcome();
        self.keep(call.call_sid, None, What::Ended(outcome)).await;
        tracing::info!(call_sid = %Shown(call.call_sid), %outcome, "a call was dialled");
        twiml
    }

    /// A call has got further.
    pub(crate) async fn progressed(&self, call: &ProgressedCall) -> Twiml {
        if call.comes_in {
            let incoming = format!("{}/incoming", self.public);
            tracing::error!(
                incoming,
                "a call came in at /status: tell Twilio the other address for calls that come in"
            );
            return Twiml::say(phrases::TROUBLE);
        }
        if let Some(what) = &call.what {
            self.keep(call.call_sid, call.at, what.clone()).await;
        }
        tracing::debug!(call_sid = %Shown(call.call_sid), what = ?call.what, "a call has got further");
        Twiml::nothing()
    }

    /// What the directory's answer comes to.
    fn connect(
        &self,
        number: &PhoneNumber,
        answer: Result<Option<Found>, Silent>,
        call_ref: CallRef,
    ) -> (Twiml, Came) {
        match answer {
            Ok(Some(found)) => {
                let told = Told {
                    customer_name: found.customer_name.as_deref(),
                    customer_id: found.customer_id.as_deref(),
                    caller_alias: None,
                    call_ref: &call_ref,
                };
                let twiml = Twiml::dial(&found.operator, told, &self.public);
                let came = came(call_ref, Outcome::Ringing);
                (twiml, Came { customer: found.customer_id, operator: Some(found.operator), ..came })
            }
            Ok(None) => self.introduce(number, call_ref),
            Err(silent) => {
                tracing::warn!(error = %silent, "the directory did not say who calls");
                (Twiml::say(phrases::TROUBLE), came(call_ref, Outcome::NoDirectory))
            }
        }
    }

    /// A caller whom nobody knows.
    fn introduce(&self, number: &PhoneNumber, call_ref: CallRef) -> (Twiml, Came) {
        let alias = self.aliases.now().map(|aliases| aliases.alias(number));
        let Some(operator) = &self.unknown_callers else {
            let came = came(call_ref, Outcome::UnknownCaller);
            return (Twiml::say(phrases::UNKNOWN), Came { alias, ..came });
        };
        let told = Told {
            customer_name: None,
            customer_id: None,
            caller_alias: alias.as_deref(),
            call_ref: &call_ref,
        };
        let twiml = Twiml::dial(operator, told, &self.public);
        let came = came(call_ref, Outcome::Ringing);
        (twiml, Came { alias, operator: Some(operator.clone()), ..came })
    }

    /// The same for the same call, so that a webhook that Twilio repeats is answered as before.
    fn call_ref(&self, call_sid: Option<CallSid>) -> CallRef {
        let Some(call_sid) = call_sid else { return self.chance.call_ref() };
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&Sha256::digest(format!("call ref of {call_sid}"))[..10]);
        CallRef::from_bytes(bytes)
    }

    /// A call that has no name cannot be told from others.
    fn keep(
        &self,
        call_sid: Option<CallSid>,
        at: Option<Millis>,
        what: What,
    ) -> OptionFuture<impl Future<Output = ()> + use<>> {
        let kept = call_sid.map(|call_sid| {
            let at = at.unwrap_or_else(|| self.clock.now());
            record::keep(&self.ledger, CallEvent { call_sid, at, what }, call_sid)
        });
        kept.into()
    }
}

fn came(call_ref: CallRef, outcome: Outcome) -> Came {
    Came { call_ref, customer: None, alias: None, operator: None, outcome }
}

/// A call's name in the log.
struct Shown(Option<CallSid>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(call_sid) => call_sid.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl fmt::Debug for Reception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reception").field("public", &self.public).finish_non_exhaustive()
    }
}
