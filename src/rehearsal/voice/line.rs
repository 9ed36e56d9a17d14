//! The task of one call: what it waits for, what the caller hears, and what the company is told meanwhile.
//!
//! Whatever it waits for, it also waits for the caller to hang up; nothing here can outlive the caller.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{self, Instant},
};
use url::Url;

use super::{
    call::{Call, CallEvent, Heard},
    error::TwilioError,
    fields::{self, Fields},
    status::CallStatus,
    webhook::{self, Request},
};
use crate::{
    cloud::Cloud,
    media::MediaEvent,
    phone::notice::Notice,
    signalling::{devices::ConnectionId, frame::ServerFrame, session::LegSignal},
};

/// How long the customer's phone may take for one character, and for anything at all. Speech synthesis may be missing.
const SPOKEN_CHARACTER: Duration = Duration::from_millis(400);
const SPOKEN_ANYTHING: Duration = Duration::from_secs(5);

/// The call's own view of itself.
pub(super) struct Line {
    pub(super) cloud: Arc<Cloud>,
    pub(super) call: Arc<Call>,
    mailbox: mpsc::UnboundedReceiver<CallEvent>,
    /// Status callbacks, sent one after the other.
    callbacks: mpsc::UnboundedSender<Request>,
    answered: Option<Instant>,
    /// Why it was not answered, so far.
    pub(super) refusal: Option<CallStatus>,
    last_spoken: u64,
}

/// The caller is gone: whatever was going on has no more purpose.
#[derive(Debug)]
pub(super) struct CallerGone;

/// Why a document was not carried out to its end.
#[derive(Debug)]
pub(super) enum Halt {
    /// See [`CallerGone`].
    CallerGone,
    /// Twilio would complain.
    Failed(TwilioError),
}

impl From<CallerGone> for Halt {
    fn from(CallerGone: CallerGone) -> Self {
        Self::CallerGone
    }
}

impl From<TwilioError> for Halt {
    fn from(error: TwilioError) -> Self {
        Self::Failed(error)
    }
}

impl Line {
    pub(super) fn new(
        cloud: Arc<Cloud>,
        call: Arc<Call>,
        mailbox: mpsc::UnboundedReceiver<CallEvent>,
    ) -> Self {
        let (callbacks, queue) = mpsc::unbounded_channel();
        tokio::spawn(send_callbacks(cloud.clone(), call.clone(), queue));
        Self { cloud, call, mailbox, callbacks, answered: None, refusal: None, last_spoken: 0 }
    }

    /// The next event that is not the caller's end.
    pub(super) async fn next(&mut self) -> Result<CallEvent, CallerGone> {
        match self.mailbox.recv().await {
            None | Some(CallEvent::CallerHungUp) => Err(CallerGone),
            Some(CallEvent::Media(MediaEvent::Lost(media))) if media == self.call.media => Err(CallerGone),
            Some(event) => Ok(event),
        }
    }

    /// Waits for `future`, and answers meanwhile whoever speaks of a leg that is over.
    pub(super) async fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, CallerGone> {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                output = &mut future => return Ok(output),
                event = self.next() => self.stray(event?),
            }
        }
    }

    /// An event that came too late.
    pub(super) fn stray(&self, event: CallEvent) {
        if let CallEvent::Signal {
            sid,
            connection,
            signal: LegSignal::Answer { .. } | LegSignal::Return { .. },
        } = event
        {
            self.send(connection, ServerFrame::Hangup { callsid: sid, error: None });
        }
    }

    /// A frame for an operator's device.
    pub(super) fn send(&self, connection: ConnectionId, frame: ServerFrame) {
        self.cloud.devices.send(connection, frame);
    }

    /// Asks the company's server for TwiML.
    pub(super) async fn fetch(&mut self, request: Request) -> Result<String, Halt> {
        let cloud = self.cloud.clone();
        let asking =
            async move { webhook::document(&cloud.http, &cloud.settings.account.auth_token, &request).await };
        let (exchange, result) = self.wait(asking).await?;
        self.call.record.send_modify(|record| record.webhooks.push(exchange));
        Ok(result?)
    }

    /// A form about this call, for `url`.
    pub(super) fn request(&self, url: Url, get: bool, extra: Fields) -> Request {
        let status = self.call.record.borrow().status;
        let mut fields = fields::inbound(&self.cloud.settings, &self.call, status);
        fields.extend(extra);
        Request { url, get, fields }
    }

    /// Tells the company something, in order, without waiting for it.
    pub(super) fn callback(&self, request: Request) {
        drop(self.callbacks.send(request));
    }

    /// The caller is charged from here on.
    pub(super) fn answer(&mut self) {
        if self.answered.is_none() {
            self.answered = Some(Instant::now());
            self.set_status(CallStatus::InProgress);
        }
    }

    /// Whether the caller's call was answered.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// Moves on, and says so to the caller.
    pub(super) fn set_status(&self, status: CallStatus) {
        self.call.record.send_modify(|record| record.status = status);
        self.call.notify(Notice::Status { status });
    }

    /// The number's own status callback: of a call that comes in, Twilio tells its end and nothing before.
    fn report_end(&self, status: CallStatus) {
        let Some(url) = self.cloud.settings.status_callback_url.as_deref().and_then(|url| url.parse().ok())
        else {
            return;
        };
        let duration = self.answered.map_or(0, |at| at.elapsed().as_secs());
        let fields = fields::inbound(&self.cloud.settings, &self.call, status);
        let fields = fields::progress(fields, 0, Some(duration));
        self.callback(Request { url, get: false, fields });
    }

    /// The caller hears something; a headless caller in no time, a phone as long as it takes. `false` when the phone could not
    /// play it.
    pub(super) async fn hear(
        &mut self,
        heard: Heard,
        notice: impl FnOnce(u64) -> Notice,
    ) -> Result<bool, CallerGone> {
        let length = u32::try_from(heard.text.chars().count()).unwrap_or(u32::MAX);
        self.note(heard);
        if self.call.phone.is_none() {
            return Ok(true);
        }
        self.last_spoken += 1;
        let id = self.last_spoken;
        self.call.notify(notice(id));
        let deadline = Instant::now() + SPOKEN_ANYTHING + SPOKEN_CHARACTER.saturating_mul(length);
        loop {
            tokio::select! {
                () = time::sleep_until(deadline) => return Ok(true),
                event = self.next() => match event? {
                    CallEvent::Spoken { id: done, failed } if done == id => return Ok(!failed),
                    event => self.stray(event),
                },
            }
        }
    }

    /// Adds to what the caller heard.
    pub(super) fn note(&self, heard: Heard) {
        self.call.record.send_modify(|record| record.heard.push(heard));
    }

    /// The call is over.
    pub(super) fn finish(self, status: CallStatus) {
        self.call.notify(Notice::Ringback { on: false, tone: None });
        self.cloud.switchboard.remove_media(self.call.media);
        self.cloud.media.close(self.call.media);
        self.set_status(status);
        self.report_end(status);
    }
}

async fn send_callbacks(cloud: Arc<Cloud>, call: Arc<Call>, mut queue: mpsc::UnboundedReceiver<Request>) {
    while let Some(request) = queue.recv().await {
        let exchange = webhook::notify(&cloud.http, &cloud.settings.account.auth_token, &request).await;
        call.record.send_modify(|record| record.webhooks.push(exchange));
    }
}
