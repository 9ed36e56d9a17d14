//! One call from a customer, as the rest of the rehearsal sees it: what is known of it, and where to send what happens.
//!
//! The caller's number is kept only here and never shown; the HTTP API shows a [`Record`], which has none of its own.

use serde::Serialize;
use tokio::sync::{mpsc, watch};

use super::{status::CallStatus, webhook::Exchange};
use crate::{
    media::{Codecs, LegId, MediaEvent},
    phone::notice::Notice,
    signalling::{devices::ConnectionId, session::LegSignal},
};

/// A call.
pub(crate) struct Call {
    /// `CA…`.
    pub(crate) sid: String,
    /// The caller's number, or what stands for it.
    pub(crate) from: String,
    /// The caller's end of the media.
    pub(crate) media: LegId,
    /// What operators are offered, given what the caller's end speaks.
    pub(crate) codecs: Codecs,
    /// The customer's phone; `None` for a headless caller.
    pub(crate) phone: Option<mpsc::UnboundedSender<Notice>>,
    /// What is known of it.
    pub(crate) record: watch::Sender<Record>,
    /// Where its task listens.
    pub(crate) mailbox: mpsc::UnboundedSender<CallEvent>,
}

/// What may happen to a call from outside.
#[derive(Debug)]
pub(crate) enum CallEvent {
    /// The caller hung up, or is gone.
    CallerHungUp,
    /// The customer's phone has finished saying or playing what has this number, or could not play it.
    Spoken { id: u64, failed: bool },
    /// An operator's device said something about a leg.
    Signal {
        /// The leg's CallSid.
        sid: String,
        /// Which device.
        connection: ConnectionId,
        /// What it said.
        signal: LegSignal,
    },
    /// A socket of an operator who has a leg here is gone.
    SocketLost(ConnectionId),
    /// Something happened to the media of this call.
    Media(MediaEvent),
}

/// What the HTTP API shows of a call. Documents may name numbers, so it has no `Debug`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// `CA…`.
    pub(crate) call_sid: String,
    /// How far it has come.
    pub(crate) status: CallStatus,
    /// What the caller heard, in order.
    pub(crate) heard: Vec<Heard>,
    /// What was asked of the company's server, in the order of the answers.
    pub(crate) webhooks: Vec<Exchange>,
    /// The operators who were rung, in order.
    pub(crate) legs: Vec<LegRecord>,
    /// What operators pressed.
    pub(crate) digits: String,
    /// Twilio's error that made the caller hear an apology.
    pub(crate) error: Option<String>,
}

/// Something the caller heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Heard {
    /// `say`, `play`, `pause` or `ringback`.
    pub(crate) kind: &'static str,
    /// The sentence, the recording's address, the seconds, or the kind of ringing tone.
    pub(crate) text: String,
    /// Of a sentence.
    pub(crate) language: Option<String>,
}

/// One operator who was rung.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LegRecord {
    /// The child call's.
    pub(crate) call_sid: String,
    /// Who.
    pub(crate) identity: String,
    /// How far it has come.
    pub(crate) status: CallStatus,
    /// `pcmu` or `opus`, once it talks.
    pub(crate) codec: Option<String>,
}

impl Record {
    /// Of a call that has only just been dialled.
    pub(crate) fn new(call_sid: &str) -> Self {
        Self {
            call_sid: call_sid.to_owned(),
            status: CallStatus::Queued,
            heard: Vec::new(),
            webhooks: Vec::new(),
            legs: Vec::new(),
            digits: String::new(),
            error: None,
        }
    }
}

impl Call {
    /// To the customer's phone, if it is one.
    pub(crate) fn notify(&self, notice: Notice) {
        if let Some(phone) = &self.phone {
            drop(phone.send(notice));
        }
    }

    /// To the call's task; a call that is over does not care.
    pub(crate) fn tell(&self, event: CallEvent) {
        drop(self.mailbox.send(event));
    }

    /// Changes the leg's record.
    pub(crate) fn with_leg(&self, sid: &str, change: impl FnOnce(&mut LegRecord)) {
        self.record.send_modify(|record| {
            if let Some(leg) = record.legs.iter_mut().find(|leg| leg.call_sid == sid) {
                change(leg);
            }
        });
    }
}
