//! The caller and one operator, put through to each other.
//!
//! The call outlives the operator's socket for as long as their SDK asked; coming back needs the token of that call. It outlives
//! their media as well: a browser that closes its connection has not hung up until it says so.

use std::{pin::pin, time::Duration};

use tokio::time::{self, Instant};

use super::{
    call::{CallEvent, LegRecord},
    fields::{self, Fields},
    line::{CallerGone, Line},
    ring::{Branch, DialOutcome, Leg},
    status::CallStatus,
    twiml::{self, Verb},
    webhook::{self, Request},
};
use crate::{
    media::{LegId, MediaEvent},
    phone::notice::Notice,
    sid,
    signalling::{devices::ConnectionId, frame::ServerFrame, session::LegSignal},
};

/// How long a leg is kept that no media comes from. Twilio does not tell; the SDK counts on 37 s in which it mends what it can.
const MEDIA_HOLD: Duration = Duration::from_secs(60);

/// An answered leg.
pub(super) struct Talk<'a> {
    leg: &'a mut Leg,
    media: LegId,
    reconnect: Option<String>,
    /// Where the operator is; `None` while their socket is lost.
    connection: Option<ConnectionId>,
    /// How long a lost socket is waited for.
    hold: Duration,
    lost_at: Option<Instant>,
    /// Since when no media comes from the operator, whatever their socket does.
    voiceless_since: Option<Instant>,
    /// Names the browser's end of the media: another name is another browser, or a page loaded anew.
    ufrag: Option<String>,
    bridged: bool,
}

/// Who ended it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    /// Who knows.
    Operator,
    /// Time, or a fault: the operator has to be told.
    Us,
    /// The operator has to be told.
    Caller,
}

impl<'a> Talk<'a> {
    pub(super) fn new(leg: &'a mut Leg, branch: Branch, connection: ConnectionId) -> Self {
        let Branch { media, reconnect } = branch;
        Self {
            leg,
            media,
            reconnect,
            connection: Some(connection),
            hold: Duration::ZERO,
            lost_at: None,
            voiceless_since: None,
            ufrag: None,
            bridged: false,
        }
    }
}

impl Line {
    /// From the operator's answer to the end of their leg.
    pub(super) async fn talk(&mut self, mut talk: Talk<'_>, sdp: &str, time_limit: Duration) -> DialOutcome {
        let sid = talk.leg.sid.clone();
        if let Some(connection) = talk.connection {
            talk.hold = Duration::from_secs(self.cloud.devices.hold(connection));
        }
        if let Err(error) = self.cloud.media.answer(talk.media, sdp).await {
            tracing::warn!(call = %sid, %error, "the operator's answer cannot be used");
            self.hang_up(&talk, Some((31000, "The session description cannot be used")));
            self.drop_media(talk.media);
            self.leg_over(talk.leg, CallStatus::Failed, None);
            return DialOutcome::unanswered(CallStatus::Failed, Some(sid));
        }
        talk.ufrag = ufrag(sdp);
        self.call.with_leg(&sid, |leg| leg.status = CallStatus::InProgress);
        self.note_codec(&talk).await;
        self.leg_callback(talk.leg, "answered", CallStatus::InProgress, None);

        let mut end = self.whisper(&mut talk).await;
        let began = Instant::now();
        if end.is_none() {
            talk.bridged = true;
            self.answer();
            self.call.notify(Notice::Ringback { on: false, tone: None });
            self.call.notify(Notice::Talking { on: true });
            self.cloud.media.bridge(self.call.media, talk.media);
        }
        while end.is_none() {
            end = self.talk_until(&mut talk, began + time_limit).await;
        }
        let end = end.unwrap_or(EndedBy::Us);
        let duration = talk.bridged.then(|| began.elapsed());
        if end != EndedBy::Operator {
            self.hang_up(&talk, None);
        }
        self.cloud.media.unbridge(self.call.media);
        self.drop_media(talk.media);
        self.call.notify(Notice::Talking { on: false });
        self.leg_over(talk.leg, CallStatus::Completed, duration);
        DialOutcome {
            status: CallStatus::Completed,
            sid: Some(sid),
            duration,
            caller_gone: end == EndedBy::Caller,
        }
    }

    /// One event, or `deadline`, whichever comes first. A lost socket has a deadline of its own, and so have lost media.
    async fn talk_until(&mut self, talk: &mut Talk<'_>, deadline: Instant) -> Option<EndedBy> {
        let held_until = talk.lost_at.map(|at| at + talk.hold);
        let voiceless_until = talk.voiceless_since.map(|since| since + MEDIA_HOLD);
        let deadline = held_until.into_iter().chain(voiceless_until).fold(deadline, Instant::min);
        let event = tokio::select! {
            () = time::sleep_until(deadline) => return Some(EndedBy::Us),
            event = self.next() => event,
        };
        match event {
            Ok(event) => self.on_talk(talk, event).await,
            Err(CallerGone) => Some(EndedBy::Caller),
        }
    }

    async fn on_talk(&mut self, talk: &mut Talk<'_>, event: CallEvent) -> Option<EndedBy> {
        match event {
            CallEvent::Signal { sid, connection, signal } if sid == talk.leg.sid => {
                return self.on_signal(talk, connection, signal).await;
            }
            CallEvent::SocketLost(connection) if talk.connection == Some(connection) => {
                talk.connection = None;
                talk.lost_at = Some(Instant::now());
            }
            CallEvent::Media(MediaEvent::Lost(media)) if media == talk.media => {
                talk.voiceless_since = Some(Instant::now());
            }
            CallEvent::Media(MediaEvent::FirstAudio(media)) if media == talk.media => {
                self.note_codec(talk).await
            }
            CallEvent::Media(MediaEvent::Digit(media, digit)) if media == talk.media => {
                self.pressed(&digit.to_string());
            }
            event => self.stray(event),
        }
        None
    }

    async fn on_signal(
        &mut self,
        talk: &mut Talk<'_>,
        connection: ConnectionId,
        signal: LegSignal,
    ) -> Option<EndedBy> {
        let callsid = talk.leg.sid.clone();
        match signal {
            LegSignal::Hangup => return Some(EndedBy::Operator),
            LegSignal::Digits(digits) => self.pressed(&digits),
            LegSignal::Reinvite { sdp } => match self.cloud.media.reanswer(talk.media, &sdp).await {
                Ok(answer) => {
                    talk.ufrag = ufrag(&sdp);
                    self.send(
                        connection,
                        ServerFrame::Answer { callsid, sdp: Some(answer), reconnect: None },
                    );
                }
                Err(error) => {
                    tracing::warn!(call = %callsid, %error, "the media cannot be restarted");
                    return Some(EndedBy::Us);
                }
            },
            LegSignal::Return { token, sdp } => return self.on_return(talk, connection, &token, &sdp).await,
            // Another device of the same operator was too late.
            LegSignal::Answer { .. } => self.send(connection, ServerFrame::Hangup { callsid, error: None }),
            LegSignal::Reject => {}
        }
        None
    }

    /// The SDK also says this after every new token, on a socket that was never lost.
    async fn on_return(
        &mut self,
        talk: &mut Talk<'_>,
        connection: ConnectionId,
        token: &str,
        sdp: &str,
    ) -> Option<EndedBy> {
        let callsid = talk.leg.sid.clone();
        if talk.reconnect.as_deref() != Some(token) {
            let error = Some((31209, "The reconnect token is not valid"));
            self.send(connection, ServerFrame::Hangup { callsid, error });
            return None;
        }
        let mut answer = None;
        if ufrag(sdp) != talk.ufrag {
            let Ok((media, sdp_answer)) = self.cloud.media.accept(self.call.codecs, sdp).await else {
                return Some(EndedBy::Us);
            };
            self.cloud.switchboard.add_media(media, &talk.leg.identity, self.call.mailbox.clone());
            if talk.bridged {
                self.cloud.media.bridge(self.call.media, media);
            }
            self.drop_media(std::mem::replace(&mut talk.media, media));
            talk.ufrag = ufrag(sdp);
            talk.voiceless_since = None;
            answer = Some(sdp_answer);
            if let Some(before) = talk.connection.filter(|before| *before != connection) {
                self.send(before, ServerFrame::Hangup { callsid: callsid.clone(), error: None });
            }
        }
        talk.connection = Some(connection);
        talk.hold = Duration::from_secs(self.cloud.devices.hold(connection));
        talk.lost_at = None;
        talk.reconnect = Some(sid::reconnect_token());
        let reconnect = talk.reconnect.clone();
        self.send(connection, ServerFrame::Answer { callsid, sdp: answer, reconnect });
        None
    }

    /// What the operator hears before the two are put through: TwiML of the `<Client>`'s own.
    async fn whisper(&mut self, talk: &mut Talk<'_>) -> Option<EndedBy> {
        let link = talk.leg.client.whisper.clone()?;
        let url = talk.leg.base.join(&link.url).ok()?;
        let (settings, leg) = (&self.cloud.settings, &*talk.leg);
        let status = CallStatus::InProgress;
        let fields: Fields =
            fields::outbound(settings, &self.call, &leg.sid, &leg.from, &leg.identity, status);
        let (cloud, request) = (self.cloud.clone(), Request { url, get: link.get, fields });
        let mut asking = pin!(webhook::document(&cloud.http, &cloud.settings.account.auth_token, &request));
        let (exchange, result) = loop {
            let event = tokio::select! {
                answer = &mut asking => break answer,
                event = self.next() => event,
            };
            match event {
                Ok(event) => {
                    if let Some(end) = self.on_talk(talk, event).await {
                        return Some(end);
                    }
                }
                Err(CallerGone) => return Some(EndedBy::Caller),
            }
        };
        self.call.record.send_modify(|record| record.webhooks.push(exchange));
        let Ok(xml) = result else { return Some(EndedBy::Us) };
        for verb in twiml::parse(&xml).unwrap_or_else(|_| vec![Verb::Hangup]) {
            let length = match verb {
                Verb::Pause(length) => length,
                // There is no voice on this side: a short tone stands for what would be heard.
                Verb::Say(_) | Verb::Play(_) => Duration::from_millis(300),
                Verb::Hangup | Verb::Reject { .. } | Verb::Dial(_) | Verb::Redirect(_) => {
                    return Some(EndedBy::Us);
                }
            };
            self.cloud.media.tone(talk.media, if matches!(verb, Verb::Pause(_)) { 0 } else { 660 });
            let until = Instant::now() + length;
            while Instant::now() < until {
                match self.talk_until(talk, until).await {
                    Some(EndedBy::Us) if Instant::now() >= until => {}
                    Some(end) => return Some(end),
                    None => {}
                }
            }
            self.cloud.media.tone(talk.media, 0);
        }
        None
    }

    fn hang_up(&self, talk: &Talk<'_>, error: Option<(u32, &'static str)>) {
        if let Some(connection) = talk.connection {
            self.send(connection, ServerFrame::Hangup { callsid: talk.leg.sid.clone(), error });
        }
    }

    fn pressed(&self, digits: &str) {
        self.call.record.send_modify(|record| record.digits.push_str(digits));
        self.call.notify(Notice::Digit { digit: digits.to_owned() });
    }

    async fn note_codec(&self, talk: &Talk<'_>) {
        let codec = self.cloud.media.codec(talk.media).await;
        self.call.with_leg(&talk.leg.sid, |leg: &mut LegRecord| leg.codec = codec);
    }
}

/// The first ICE user fragment of a session description.
fn ufrag(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).map(|name| name.trim().to_owned())
}
