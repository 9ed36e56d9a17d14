//! The media side of the voice cloud: WebRTC legs, what is bridged to what, and a meter on each.
//!
//! One task owns the UDP sockets and every leg; [`Media`] only sends it commands, which it performs in the order in which they
//! were sent. No other machine reaches it.
//! Nothing here transcodes Opus: a leg that sends it can be forwarded to another leg, not heard by a headless one.

mod digits;
mod exchange;
mod leg;
mod line;
mod meter;
mod outlet;
mod pcmu;
mod sdp;
mod sockets;
mod tone;

#[cfg(test)]
mod tests;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use self::exchange::Exchange;

/// One side of a call, as the media side sees it: a browser's WebRTC connection, or a headless caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LegId(u64);

/// Which codecs an offer names, in that order, or an answer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codecs {
    /// G.711 µ-law only: what a telephone line speaks, and all that a headless caller understands.
    Pcmu,
    /// µ-law and Opus: for two browsers, which then agree on what both prefer.
    PcmuAndOpus,
}

/// What happened to a leg without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaEvent {
    /// ICE and DTLS are up. Once per leg: an ICE restart does not repeat it.
    Connected(LegId),
    /// The first audio packet arrived from the browser.
    FirstAudio(LegId),
    /// The browser pressed a digit (`0`–`9`, `*`, `#`, `A`–`D`) as a telephone-event.
    Digit(LegId, char),
    /// The browser closed its connection or was not heard of for too long. The leg is already removed.
    Lost(LegId),
}

/// What arrived from the leg's far side in the last second: the browser's microphone,
/// or for a headless leg whatever is bridged to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Heard {
    /// Root mean square of the decoded PCMU samples, 0–32767. 0 for Opus, which is not decoded.
    pub(crate) rms: f64,
    /// The loudest frequency in Hz; 0 when nothing was decoded or all of it is silent.
    pub(crate) dominant_hz: f64,
    /// Audio packets of any codec.
    pub(crate) packets: usize,
}

/// Why a leg could not be offered, answered or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MediaError {
    /// The leg was never there, is closed, or was lost.
    #[error("no such leg")]
    UnknownLeg,
    /// A headless leg has no session to describe, and an answer needs an offer that is still open.
    #[error("this leg has no offer to answer")]
    NotNegotiable,
    /// The other side's session description cannot be used.
    #[error("session description refused: {0}")]
    Sdp(String),
    /// The media task has ended.
    #[error("the media task has ended")]
    Stopped,
}

/// How long a leg may stay silent before it is taken for lost.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Without any packet. A browser checks every few seconds that we still consent, even when muted.
    silence: Duration,
    /// After a restart was answered: the SDK itself gives up 37 s after the media stopped.
    restart: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { silence: Duration::from_secs(15), restart: Duration::from_secs(35) }
    }
}

/// The handle to the task. When the last clone is dropped, every leg is closed and the task ends.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    commands: mpsc::UnboundedSender<Command>,
    last_id: Arc<AtomicU64>,
}

/// Binds a UDP socket on loopback and starts the task.
pub(crate) async fn start() -> io::Result<(Media, mpsc::UnboundedReceiver<MediaEvent>)> {
    start_with(Patience::default()).await
}

async fn start_with(patience: Patience) -> io::Result<(Media, mpsc::UnboundedReceiver<MediaEvent>)> {
    let (commands, queue) = mpsc::unbounded_channel();
    let (reports, events) = mpsc::unbounded_channel();
    let exchange = Exchange::bind(patience, reports).await?;
    tokio::spawn(exchange.run(queue));
    Ok((Media { commands, last_id: Arc::default() }, events))
}

impl Media {
    /// A new leg and the offer for its browser, complete with candidates. Until the answer arrives it may wait for ever.
    pub(crate) async fn offer(
        &self,
        codecs: Codecs,
        telephone_event: bool,
    ) -> Result<(LegId, String), MediaError> {
        let id = self.new_id();
        let sdp = self.ask(|reply| Command::Offer { id, codecs, telephone_event, reply }).await??;
        Ok((id, sdp))
    }

    /// The browser's answer to [`Media::offer`].
    pub(crate) async fn answer(&self, leg: LegId, sdp: &str) -> Result<(), MediaError> {
        self.ask(|reply| Command::Answer { id: leg, sdp: sdp.to_owned(), reply }).await?
    }

    /// A new leg from a browser's own offer, and our answer, which keeps the browser's order of those `codecs`.
    pub(crate) async fn accept(&self, codecs: Codecs, offer: &str) -> Result<(LegId, String), MediaError> {
        let id = self.new_id();
        let sdp = self.ask(|reply| Command::Accept { id, codecs, sdp: offer.to_owned(), reply }).await??;
        Ok((id, sdp))
    }

    /// Answers a further offer on the same connection: an ICE restart (`reinvite`).
    pub(crate) async fn reanswer(&self, leg: LegId, offer: &str) -> Result<String, MediaError> {
        self.ask(|reply| Command::Reanswer { id: leg, sdp: offer.to_owned(), reply }).await?
    }

    /// From now on browsers are offered the machine's own address too, for one that sends from no loopback address.
    pub(crate) fn widen(&self) {
        self.tell(Command::Widen);
    }

    /// A leg without a network: a tone to speak with and a meter to listen with.
    pub(crate) fn headless(&self) -> LegId {
        let id = self.new_id();
        self.tell(Command::Headless { id });
        id
    }

    /// Lets two legs hear each other. Either's earlier bridge ends.
    pub(crate) fn bridge(&self, a: LegId, b: LegId) {
        self.tell(Command::Bridge { a, b });
    }

    /// Ends the leg's bridge, for both of its ends.
    pub(crate) fn unbridge(&self, leg: LegId) {
        self.tell(Command::Unbridge { id: leg });
    }

    /// Closes the leg's connection and forgets it. No [`MediaEvent::Lost`] follows.
    /// The SDK takes a closed connection for a fault: send its `hangup` frame first.
    pub(crate) fn close(&self, leg: LegId) {
        self.tell(Command::Close { id: leg });
    }

    /// On a headless leg what its caller says; on an unbridged WebRTC leg what is played to its browser (PCMU).
    /// 0 is silence: a headless caller then sends silent packets, an unbridged WebRTC leg is sent nothing.
    pub(crate) fn tone(&self, leg: LegId, hz: u32) {
        self.tell(Command::Tone { id: leg, hz });
    }

    /// What arrived in the last second; `None` for an unknown leg.
    pub(crate) async fn hear(&self, leg: LegId) -> Option<Heard> {
        self.ask(|reply| Command::Hear { id: leg, reply }).await.ok().flatten()
    }

    /// Drops the leg's packets both ways, as a dead network would.
    pub(crate) fn blackhole(&self, leg: LegId, on: bool) {
        self.tell(Command::Blackhole { id: leg, on });
    }

    /// The leg's party presses digits: they travel as telephone-events to whatever the leg is bridged to,
    /// if that negotiated them. They are not reported as [`MediaEvent::Digit`], since the caller knows them.
    /// `w` pauses for half a second; other characters are skipped.
    pub(crate) fn press(&self, leg: LegId, digits: &str) {
        self.tell(Command::Press { id: leg, digits: digits.to_owned() });
    }

    /// The codec in use (`pcmu`, `opus`): what the browser sends, and before it does what it prefers.
    pub(crate) async fn codec(&self, leg: LegId) -> Option<String> {
        self.ask(|reply| Command::Codec { id: leg, reply }).await.ok().flatten().map(str::to_owned)
    }

    /// How many legs there are, headless ones included.
    pub(crate) async fn legs(&self) -> usize {
        self.ask(|reply| Command::Legs { reply }).await.unwrap_or(0)
    }

    fn new_id(&self) -> LegId {
        LegId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// A task that has ended has no legs left, so there is nothing to do for it.
    fn tell(&self, command: Command) {
        drop(self.commands.send(command));
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, MediaError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        answer.await.map_err(|_| MediaError::Stopped)
    }
}

/// What the handle asks of the task.
#[derive(Debug)]
enum Command {
    Widen,
    Offer {
        id: LegId,
        codecs: Codecs,
        telephone_event: bool,
        reply: oneshot::Sender<Result<String, MediaError>>,
    },
    Answer {
        id: LegId,
        sdp: String,
        reply: oneshot::Sender<Result<(), MediaError>>,
    },
    Accept {
        id: LegId,
        codecs: Codecs,
        sdp: String,
        reply: oneshot::Sender<Result<String, MediaError>>,
    },
    Reanswer {
        id: LegId,
        sdp: String,
        reply: oneshot::Sender<Result<String, MediaError>>,
    },
    Headless {
        id: LegId,
    },
    Bridge {
        a: LegId,
        b: LegId,
    },
    Unbridge {
        id: LegId,
    },
    Close {
        id: LegId,
    },
    Tone {
        id: LegId,
        hz: u32,
    },
    Hear {
        id: LegId,
        reply: oneshot::Sender<Option<Heard>>,
    },
    Blackhole {
        id: LegId,
        on: bool,
    },
    Press {
        id: LegId,
        digits: String,
    },
    Codec {
        id: LegId,
        reply: oneshot::Sender<Option<&'static str>>,
    },
    Legs {
        reply: oneshot::Sender<usize>,
    },
}
