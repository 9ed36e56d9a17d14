//! Which calls there are, and which call a leg belongs to.
//!
//! A leg is listed from before it rings until it is over, so that whatever is said about it later finds nobody.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use super::call::{Call, CallEvent};
use crate::{
    media::{LegId, MediaEvent},
    signalling::{devices::ConnectionId, session::LegSignal},
};

/// How many finished calls are remembered.
const MOST_CALLS: usize = 1_000;

type Mailbox = mpsc::UnboundedSender<CallEvent>;

/// The calls of this run.
#[derive(Default)]
pub(crate) struct Switchboard {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    calls: VecDeque<Arc<Call>>,
    legs: HashMap<String, Leg>,
    media: HashMap<LegId, Line>,
}

struct Line {
    /// Of the operator; `None` at the caller's end.
    identity: Option<String>,
    mailbox: Mailbox,
}

struct Leg {
    identity: String,
    mailbox: Mailbox,
}

impl Switchboard {
    /// A call begins.
    pub(crate) fn add_call(&self, call: Arc<Call>) {
        let mut inner = self.lock();
        inner.media.insert(call.media, Line { identity: None, mailbox: call.mailbox.clone() });
        if inner.calls.len() >= MOST_CALLS {
            let over = |call: &Arc<Call>| call.record.borrow().status.is_final();
            if let Some(oldest) = inner.calls.iter().position(over) {
                inner.calls.remove(oldest);
            }
        }
        inner.calls.push_back(call);
    }

    /// By its CallSid.
    pub(crate) fn call(&self, sid: &str) -> Option<Arc<Call>> {
        self.lock().calls.iter().find(|call| call.sid == sid).cloned()
    }

    /// Oldest first.
    pub(crate) fn calls(&self) -> Vec<Arc<Call>> {
        self.lock().calls.iter().cloned().collect()
    }

    /// A leg begins.
    pub(crate) fn add_leg(&self, sid: &str, identity: &str, mailbox: Mailbox) {
        self.lock().legs.insert(sid.to_owned(), Leg { identity: identity.to_owned(), mailbox });
    }

    /// A leg is over.
    pub(crate) fn remove_leg(&self, sid: &str) {
        self.lock().legs.remove(sid);
    }

    /// Whether a call needs a connection of `identity`.
    pub(crate) fn needs(&self, identity: &str) -> bool {
        self.lock().legs.values().any(|leg| leg.identity == identity)
    }

    /// From now on, what happens to this media goes to that call.
    pub(crate) fn add_media(&self, media: LegId, identity: &str, mailbox: Mailbox) {
        self.lock().media.insert(media, Line { identity: Some(identity.to_owned()), mailbox });
    }

    /// The operator's ends of media at the moment.
    pub(crate) fn media_of(&self, identity: &str) -> Vec<LegId> {
        let inner = self.lock();
        let own = inner.media.iter().filter(|(_, line)| line.identity.as_deref() == Some(identity));
        own.map(|(media, _)| *media).collect()
    }

    /// Nobody waits for this media any longer.
    pub(crate) fn remove_media(&self, media: LegId) {
        self.lock().media.remove(&media);
    }

    /// A device of `identity` speaks about a leg; `false` if that identity has no such leg.
    pub(crate) fn signal(
        &self,
        identity: &str,
        connection: ConnectionId,
        sid: &str,
        signal: LegSignal,
    ) -> bool {
        let inner = self.lock();
        let Some(leg) = inner.legs.get(sid).filter(|leg| leg.identity == identity) else { return false };
        leg.mailbox.send(CallEvent::Signal { sid: sid.to_owned(), connection, signal }).is_ok()
    }

    /// A device's socket is gone.
    pub(crate) fn socket_lost(&self, identity: &str, connection: ConnectionId) {
        for leg in self.lock().legs.values().filter(|leg| leg.identity == identity) {
            drop(leg.mailbox.send(CallEvent::SocketLost(connection)));
        }
    }

    /// Something happened to media.
    pub(crate) fn media_event(&self, event: MediaEvent) {
        let (MediaEvent::Connected(media)
        | MediaEvent::FirstAudio(media)
        | MediaEvent::Digit(media, _)
        | MediaEvent::Lost(media)) = event;
        if let Some(line) = self.lock().media.get(&media) {
            drop(line.mailbox.send(CallEvent::Media(event)));
        }
    }

    /// Ends every call, as if each caller hung up.
    pub(crate) fn hang_up_all(&self) {
        for call in self.lock().calls.iter() {
            call.tell(CallEvent::CallerHungUp);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
