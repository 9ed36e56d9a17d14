//! One WebSocket of an SDK: reads frames, performs what the session decides, keeps the heart beating.
//!
//! Everything that this connection is told goes through this one task, so frames never overtake each other.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{State, WebSocketUpgrade, ws::Message, ws::WebSocket},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use super::{
    devices::{ConnectionId, Outgoing},
    frame::{ClientFrame, ServerFrame},
    session::{Effect, LegSignal, Rules, Session},
};
use crate::{clock, cloud::Cloud, frames::Direction};

/// The SDK gives up after 15 s without any frame.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// How long the other side has to answer a close.
const GOODBYE: Duration = Duration::from_secs(1);
/// A frame is a session description and little else.
const LARGEST_FRAME: usize = 256 * 1024;

/// `GET /signal`.
pub(crate) async fn open(
    State(cloud): State<Arc<Cloud>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if cloud.faults().offline || *cloud.ending.borrow() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    cloud.welcome(&headers);
    upgrade.max_message_size(LARGEST_FRAME).on_upgrade(move |socket| Link::serve(socket, cloud))
}

struct Link {
    cloud: Arc<Cloud>,
    socket: WebSocket,
    id: ConnectionId,
    session: Session,
    identity: Option<String>,
    expires: Option<Instant>,
    /// The session wants the socket closed, and only a call keeps it open.
    closing: bool,
}

/// How a connection ends.
enum End {
    /// With a close handshake.
    Close,
    /// As a lost network ends it, or because the other side has gone.
    Drop,
}

impl Link {
    async fn serve(socket: WebSocket, cloud: Arc<Cloud>) {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let id = cloud.devices.connect(outbox);
        let mut link = Self {
            cloud,
            socket,
            id,
            session: Session::default(),
            identity: None,
            expires: None,
            closing: false,
        };
        let end = link.run(inbox).await;
        if let Some(identity) = link.cloud.devices.disconnect(id) {
            link.cloud.switchboard.socket_lost(&identity, id);
        }
        if matches!(end, End::Close) && link.socket.send(Message::Close(None)).await.is_ok() {
            let answered = async { while link.socket.recv().await.is_some_and(|message| message.is_ok()) {} };
            drop(time::timeout(GOODBYE, answered).await);
        }
    }

    async fn run(&mut self, mut inbox: mpsc::UnboundedReceiver<Outgoing>) -> End {
        let mut heartbeat = time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        let mut ending = self.cloud.ending.subscribe();
        loop {
            let expires = self.expires;
            let expiry = async move {
                match expires {
                    Some(at) => time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let step = tokio::select! {
                outgoing = inbox.recv() => match outgoing {
                    Some(Outgoing::Frame(frame)) => self.send(&frame).await,
                    Some(Outgoing::LegOver) => Ok(()),
                    Some(Outgoing::Cut) | None => Err(End::Drop),
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.receive(text.as_str()).await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => Err(End::Drop),
                    Some(Ok(_)) => Ok(()),
                },
                _ = heartbeat.tick() => self.beat().await,
                () = expiry => {
                    self.expires = None;
                    let effects = self.session.expire();
                    self.perform(effects).await
                },
                _ = ending.changed() => Err(End::Close),
            };
            match step {
                Err(end) => return end,
                Ok(()) if self.closing && !self.is_needed() => return End::Close,
                Ok(()) => {}
            }
        }
    }

    async fn receive(&mut self, text: &str) -> Result<(), End> {
        let faults = self.cloud.faults();
        let Some(frame) = ClientFrame::parse(text) else { return Ok(()) };
        self.cloud.frames.push(self.identity.as_deref(), Direction::In, text);
        if faults.silent {
            return Ok(());
        }
        let rules = Rules {
            account: &self.cloud.settings.account,
            now: clock::unix_now(),
            refuse: faults.refuse_tokens,
            ttl_cap: faults.token_ttl_cap,
        };
        let effects = self.session.on(frame, rules);
        self.perform(effects).await
    }

    async fn perform(&mut self, effects: Vec<Effect>) -> Result<(), End> {
        for effect in effects {
            match effect {
                Effect::Send(frame) => self.send(&frame).await?,
                Effect::Identify { identity, expires_at, hold } => {
                    let left = expires_at.saturating_sub(clock::unix_now());
                    self.expires = Some(Instant::now() + Duration::from_secs(left));
                    self.cloud.devices.identify(self.id, identity.clone(), expires_at, hold);
                    self.identity = Some(identity);
                    self.closing = false;
                }
                Effect::Register => self.cloud.devices.set_registered(self.id, true),
                Effect::Unregister => self.cloud.devices.set_registered(self.id, false),
                Effect::Signal { callsid, signal } => self.signal(callsid, signal).await?,
                Effect::Close => self.closing = true,
            }
        }
        Ok(())
    }

    /// A device that believes in a call which is over learns that it is over.
    async fn signal(&mut self, callsid: String, signal: LegSignal) -> Result<(), End> {
        let believes = matches!(signal, LegSignal::Answer { .. } | LegSignal::Return { .. });
        let identity = self.identity.as_deref().unwrap_or_default();
        if self.cloud.switchboard.signal(identity, self.id, &callsid, signal) || !believes {
            return Ok(());
        }
        self.send(&ServerFrame::Hangup { callsid, error: None }).await
    }

    async fn send(&mut self, frame: &ServerFrame) -> Result<(), End> {
        if self.cloud.faults().silent {
            return Ok(());
        }
        let text = frame.text();
        self.cloud.frames.push(self.identity.as_deref(), Direction::Out, &text);
        self.socket.send(Message::Text(text.into())).await.map_err(|_| End::Drop)
    }

    async fn beat(&mut self) -> Result<(), End> {
        if self.cloud.faults().silent {
            return Ok(());
        }
        self.socket.send(Message::Text("\n".into())).await.map_err(|_| End::Drop)
    }

    /// Calls outlive their operator's token.
    fn is_needed(&self) -> bool {
        self.identity.as_deref().is_some_and(|identity| self.cloud.switchboard.needs(identity))
    }
}
