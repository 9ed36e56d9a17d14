//! Performs `<Dial>`: rings the operators' devices, puts the first that answers through, and reports how it went.
//!
//! Without `callerId` operators are shown the caller's own number, exactly as at Twilio.

use std::{collections::HashMap, time::Duration};

use tokio::time::{self, Instant};
use url::Url;

use super::{
    call::{CallEvent, Heard, LegRecord},
    dial::{RingEffect, RingEvent, Ringing},
    error::TwilioError,
    fields::{self, Fields},
    line::{CallerGone, Halt, Line},
    params,
    script::Next,
    status::CallStatus,
    talk::Talk,
    twiml::{CallerId, Client, Dial, LegCallback},
    webhook::Request,
};
use crate::{
    media::LegId,
    phone::notice::Notice,
    sid,
    signalling::{
        devices::{ConnectionId, Outgoing},
        frame::{Invite, InviteParameters, ServerFrame},
        session::LegSignal,
    },
};

/// How a `<Dial>` went.
pub(super) struct DialOutcome {
    pub(super) status: CallStatus,
    /// The last leg's.
    pub(super) sid: Option<String>,
    /// How long they talked.
    pub(super) duration: Option<Duration>,
    pub(super) caller_gone: bool,
}

/// Everything about one `<Client>` while it rings or talks.
pub(super) struct Leg {
    pub(super) sid: String,
    pub(super) identity: String,
    pub(super) from: String,
    pub(super) client: Client,
    /// Relative to the document.
    pub(super) base: Url,
    sequence: u32,
    /// By the device that rings.
    branches: HashMap<ConnectionId, Branch>,
}

/// One ringing device.
pub(super) struct Branch {
    pub(super) media: LegId,
    pub(super) reconnect: Option<String>,
}

impl Line {
    pub(super) async fn dial(&mut self, base: &Url, dial: &Dial) -> Result<Next, Halt> {
        let from = self.caller_id(dial)?;
        if !dial.answer_on_bridge {
            self.answer();
        }
        let tone = dial.ring_tone.clone();
        self.note(Heard { kind: "ringback", text: tone.clone().unwrap_or_default(), language: None });
        self.call.notify(Notice::Ringback { on: true, tone });
        let outcome = self.ring_in_turn(base, dial, &from).await;
        self.call.notify(Notice::Ringback { on: false, tone: None });
        if !self.is_answered() {
            self.refusal = Some(outcome.status);
        }
        let next = match &dial.action {
            Some(action) => {
                let mut fields = outcome.fields();
                if outcome.caller_gone {
                    let status =
                        if self.is_answered() { CallStatus::Completed } else { CallStatus::Canceled };
                    fields.insert("CallStatus".into(), status.name().into());
                }
                Some(self.follow(base, action, fields)?)
            }
            None => None,
        };
        match next {
            // Twilio asks all the same, and does nothing with the answer.
            Some(request) if outcome.caller_gone => {
                self.callback(request);
                Err(Halt::CallerGone)
            }
            None if outcome.caller_gone => Err(Halt::CallerGone),
            Some(request) => Ok(Next::Document(request)),
            None => Ok(Next::Verb),
        }
    }

    fn caller_id(&self, dial: &Dial) -> Result<String, TwilioError> {
        let Some(CallerId(caller_id)) = &dial.caller_id else { return Ok(self.call.from.clone()) };
        let is_client = caller_id.strip_prefix("client:").is_some_and(|name| !name.is_empty());
        if is_client || *caller_id == self.cloud.settings.number || *caller_id == self.call.from {
            return Ok(caller_id.clone());
        }
        Err(TwilioError::new(13214, "Dial: Invalid callerId value"))
    }

    async fn ring_in_turn(&mut self, base: &Url, dial: &Dial, from: &str) -> DialOutcome {
        if !dial.sequential || dial.clients.is_empty() {
            return self.ring(base, dial, &dial.clients, from).await;
        }
        let mut outcome = DialOutcome::unanswered(CallStatus::Failed, None);
        for client in &dial.clients {
            outcome = self.ring(base, dial, std::slice::from_ref(client), from).await;
            if outcome.status == CallStatus::Completed || outcome.caller_gone {
                break;
            }
        }
        outcome
    }

    async fn ring(&mut self, base: &Url, dial: &Dial, clients: &[Client], from: &str) -> DialOutcome {
        let mut legs = Vec::new();
        for client in clients {
            legs.push(self.invite(base, client, from).await);
        }
        let last = legs.last().map(|leg| leg.sid.clone());
        let branches = legs.iter().map(|leg| (leg.sid.clone(), leg.branches.keys().copied().collect()));
        let (mut ringing, mut effects) = Ringing::start(branches.collect::<Vec<_>>());
        let deadline = Instant::now() + dial.timeout;
        let mut caller_gone = false;
        let mut answer: Option<String> = None;
        loop {
            for effect in effects.drain(..) {
                match effect {
                    RingEffect::Connect(sid, connection) => {
                        let leg = legs.iter_mut().find(|leg| leg.sid == sid);
                        let branch = leg.and_then(|leg| Some((leg.branches.remove(&connection)?, leg)));
                        let Some((branch, leg)) = branch else { continue };
                        let sdp = answer.take().unwrap_or_default();
                        let time_limit = dial.time_limit;
                        return self.talk(Talk::new(leg, branch, connection), &sdp, time_limit).await;
                    }
                    RingEffect::Finished(status) => {
                        return DialOutcome { caller_gone, ..DialOutcome::unanswered(status, last) };
                    }
                    effect => self.perform_ring(effect, &mut legs),
                }
            }
            let event = tokio::select! {
                () = time::sleep_until(deadline) => {
                    effects = ringing.on(RingEvent::TimedOut);
                    continue;
                }
                event = self.next() => event,
            };
            effects = match event {
                Err(CallerGone) => {
                    caller_gone = true;
                    ringing.on(RingEvent::CallerGone)
                }
                Ok(CallEvent::SocketLost(connection)) => ringing.on(RingEvent::Lost(connection)),
                Ok(CallEvent::Signal { sid, connection, signal }) => match signal {
                    LegSignal::Answer { sdp } => {
                        answer = Some(sdp);
                        ringing.on(RingEvent::Answered(&sid, connection))
                    }
                    LegSignal::Reject => ringing.on(RingEvent::Rejected(&sid, connection)),
                    // The browser could not open its microphone.
                    LegSignal::Hangup => ringing.on(RingEvent::HungUp(&sid, connection)),
                    LegSignal::Return { .. } => vec![RingEffect::Refuse(sid, connection)],
                    LegSignal::Digits(_) | LegSignal::Reinvite { .. } => Vec::new(),
                },
                Ok(CallEvent::Spoken { .. } | CallEvent::Media(_) | CallEvent::CallerHungUp) => Vec::new(),
            };
        }
    }

    /// Offers the call to every registered device of the identity.
    async fn invite(&mut self, base: &Url, client: &Client, from: &str) -> Leg {
        let identity = client.identity.clone();
        let mut leg = Leg {
            sid: sid::call(),
            identity: identity.clone(),
            from: from.to_owned(),
            client: client.clone(),
            base: base.clone(),
            sequence: 0,
            branches: HashMap::new(),
        };
        let record = LegRecord {
            call_sid: leg.sid.clone(),
            identity: identity.clone(),
            status: CallStatus::Queued,
            codec: None,
        };
        self.call.record.send_modify(|call| call.legs.push(record));
        // Listed before devices are looked up: a socket lost from now on is reported here.
        self.cloud.switchboard.add_leg(&leg.sid, &identity, self.call.mailbox.clone());
        self.leg_callback(&mut leg, "initiated", CallStatus::Queued, None);
        for connection in self.cloud.devices.registered(&identity) {
            let offer = self.cloud.media.offer(self.call.codecs, true).await;
            let Ok((media, sdp)) = offer else { continue };
            self.cloud.switchboard.add_media(media, &identity, self.call.mailbox.clone());
            self.cloud.media.blackhole(media, self.cloud.devices.is_blackholed(&identity));
            let reconnect = self.cloud.faults().reconnect_tokens.then(sid::reconnect_token);
            leg.branches.insert(connection, Branch { media, reconnect: reconnect.clone() });
            let parameters = InviteParameters {
                account_sid: self.cloud.settings.account.account_sid.clone(),
                from: from.to_owned(),
                to: format!("client:{identity}"),
                params: params::encode(&client.parameters),
            };
            let invite = Invite { callsid: leg.sid.clone(), sdp, reconnect, parameters };
            self.send(connection, ServerFrame::Invite(invite));
        }
        if !leg.branches.is_empty() {
            self.call.with_leg(&leg.sid, |record| record.status = CallStatus::Ringing);
            self.leg_callback(&mut leg, "ringing", CallStatus::Ringing, None);
        }
        leg
    }

    fn perform_ring(&mut self, effect: RingEffect, legs: &mut [Leg]) {
        match effect {
            RingEffect::Cancel(sid, connection) => {
                self.send(connection, ServerFrame::Cancel { callsid: sid.clone() });
                self.forget(legs, &sid, connection);
            }
            RingEffect::Forget(sid, connection) => self.forget(legs, &sid, connection),
            RingEffect::Refuse(callsid, connection) => {
                self.send(connection, ServerFrame::Hangup { callsid, error: None });
            }
            RingEffect::Over(sid, status) => {
                if let Some(leg) = legs.iter_mut().find(|leg| leg.sid == sid) {
                    self.leg_over(leg, status, None);
                }
            }
            RingEffect::Connect(..) | RingEffect::Finished(_) => {}
        }
    }

    fn forget(&self, legs: &mut [Leg], sid: &str, connection: ConnectionId) {
        let leg = legs.iter_mut().find(|leg| leg.sid == sid);
        if let Some(branch) = leg.and_then(|leg| leg.branches.remove(&connection)) {
            self.drop_media(branch.media);
        }
    }

    pub(super) fn drop_media(&self, media: LegId) {
        self.cloud.switchboard.remove_media(media);
        self.cloud.media.close(media);
    }

    /// Writes the leg's end down and lets its operator's devices go.
    pub(super) fn leg_over(&mut self, leg: &mut Leg, status: CallStatus, duration: Option<Duration>) {
        self.call.with_leg(&leg.sid, |record| record.status = status);
        self.cloud.switchboard.remove_leg(&leg.sid);
        self.cloud.devices.tell(Some(&leg.identity), || Outgoing::LegOver);
        self.leg_callback(leg, "completed", status, Some(duration.unwrap_or_default()));
    }

    /// `statusCallback` of the `<Client>`, if it asked for that event.
    pub(super) fn leg_callback(
        &self,
        leg: &mut Leg,
        event: &str,
        status: CallStatus,
        duration: Option<Duration>,
    ) {
        let Some(LegCallback { link, events }) = &leg.client.callback else { return };
        if !events.iter().any(|wanted| wanted == event) {
            return;
        }
        let Ok(url) = leg.base.join(&link.url) else { return };
        let mut fields =
            fields::outbound(&self.cloud.settings, &self.call, &leg.sid, &leg.from, &leg.identity, status);
        if status == CallStatus::Queued {
            fields.insert("CallStatus".into(), "initiated".into());
        }
        let fields = fields::progress(fields, leg.sequence, duration.map(|duration| duration.as_secs()));
        leg.sequence += 1;
        self.callback(Request { url, get: link.get, fields });
    }
}

impl DialOutcome {
    pub(super) fn unanswered(status: CallStatus, sid: Option<String>) -> Self {
        Self { status, sid, duration: None, caller_gone: false }
    }

    /// What `action` is told.
    fn fields(&self) -> Fields {
        let mut fields = Fields::new();
        fields.insert("DialCallStatus".into(), self.status.name().into());
        fields.insert("DialBridged".into(), self.duration.is_some().to_string());
        if let Some(sid) = &self.sid {
            fields.insert("DialCallSid".into(), sid.clone());
        }
        if let Some(duration) = self.duration {
            fields.insert("DialCallDuration".into(), duration.as_secs().to_string());
        }
        fields
    }
}
