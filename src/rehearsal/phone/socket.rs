//! The page's own WebSocket: it dials and hangs up, and is told what the caller hears.
//!
//! One call at a time; when the page goes away, its call is hung up.

use std::sync::Arc;

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::HeaderMap,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use super::notice::Notice;
use crate::{
    cloud::Cloud,
    media::Codecs,
    voice::{
        self,
        call::{Call, CallEvent},
        caller_id::CallerId,
    },
};

/// What the page sends.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Request {
    Dial {
        from: CallerId,
        sdp: String,
    },
    Digits {
        digits: String,
    },
    Hangup,
    Spoken {
        id: u64,
        /// It could not be played.
        #[serde(default)]
        failed: bool,
    },
}

/// `GET /phone`.
pub(crate) async fn open(
    State(cloud): State<Arc<Cloud>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    cloud.welcome(&headers);
    upgrade.max_message_size(256 * 1024).on_upgrade(move |socket| Phone::serve(socket, cloud))
}

struct Phone {
    cloud: Arc<Cloud>,
    socket: WebSocket,
    /// Of the latest call; what an earlier one still says is not heard.
    inbox: mpsc::UnboundedReceiver<Notice>,
    call: Option<Arc<Call>>,
}

/// The page is gone.
struct Gone;

impl Phone {
    async fn serve(socket: WebSocket, cloud: Arc<Cloud>) {
        let (_, inbox) = mpsc::unbounded_channel();
        let mut phone = Self { cloud, socket, inbox, call: None };
        drop(phone.run().await);
        phone.hang_up();
    }

    async fn run(&mut self) -> Result<(), Gone> {
        let settings = &self.cloud.settings;
        let people = settings.people.iter();
        let people = people.map(
            |person| json!({"label": person.label, "number": person.number, "operator": person.operator}),
        );
        let hello = json!({"type": "hello", "number": settings.number, "people": people.collect::<Vec<_>>()});
        self.send(&hello).await?;
        let mut ending = self.cloud.ending.subscribe();
        loop {
            tokio::select! {
                Some(notice) = self.inbox.recv() => self.send(&notice).await?,
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        if let Ok(request) = serde_json::from_str(text.as_str()) {
                            self.on(request).await?;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                    Some(Ok(_)) => {}
                },
                _ = ending.changed() => return Ok(()),
            }
        }
    }

    async fn on(&mut self, request: Request) -> Result<(), Gone> {
        match request {
            Request::Dial { from, sdp } => self.dial(from, &sdp).await?,
            Request::Digits { digits } => {
                if let Some(call) = &self.call {
                    self.cloud.media.press(call.media, &digits);
                }
            }
            Request::Hangup => self.hang_up(),
            Request::Spoken { id, failed } => {
                if let Some(call) = &self.call {
                    call.tell(CallEvent::Spoken { id, failed });
                }
            }
        }
        Ok(())
    }

    async fn dial(&mut self, from: CallerId, offer: &str) -> Result<(), Gone> {
        self.hang_up();
        let (media, sdp) = match self.cloud.media.accept(Codecs::PcmuAndOpus, offer).await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the phone's offer cannot be used");
                return self.send(&Notice::Refused).await;
            }
        };
        let (notices, inbox) = mpsc::unbounded_channel();
        self.inbox = inbox;
        let call = voice::place(&self.cloud, from, media, Some(notices));
        self.send(&Notice::Dialled { call_sid: call.sid.clone(), sdp }).await?;
        self.call = Some(call);
        Ok(())
    }

    fn hang_up(&mut self) {
        if let Some(call) = self.call.take() {
            call.tell(CallEvent::CallerHungUp);
        }
    }

    async fn send(&mut self, message: &impl Serialize) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_| Gone)?;
        self.socket.send(Message::Text(text.into())).await.map_err(|_| Gone)
    }
}
