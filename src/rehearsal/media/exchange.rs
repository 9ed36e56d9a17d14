//! The task: waits for a command, a datagram, a deadline or the next 20 ms, and lets every leg settle after each.
//!
//! All state is in this one place, so nothing is locked. Time is tokio's, handed down to everything below.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use str0m::{
    Input,
    crypto::from_feature_flags,
    format::Codec,
    net::{Protocol, Receive},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{self, MissedTickBehavior},
};

use super::{
    Command, LegId, MediaError, MediaEvent, Patience,
    leg::Leg,
    line::{Arrival, Line, Packet, Shared},
    sockets::Sockets,
};

/// One packet time.
const TICK: Duration = Duration::from_millis(20);

/// How often lost legs are looked for when nothing else happens.
const ROUND: Duration = Duration::from_millis(500);

/// Larger than any datagram of a browser, which keeps to its path's MTU.
const DATAGRAM: usize = 2048;

pub(super) struct Exchange {
    shared: Shared,
    legs: BTreeMap<LegId, Leg>,
    events: mpsc::UnboundedSender<MediaEvent>,
    /// When to look for lost legs next.
    round: Instant,
}

impl Exchange {
    pub(super) async fn bind(
        patience: Patience,
        events: mpsc::UnboundedSender<MediaEvent>,
    ) -> io::Result<Self> {
        let sockets = Sockets::bind().await?;
        let crypto = Arc::new(from_feature_flags());
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| io::Error::other("no DTLS certificate could be made"))?;
        let shared = Shared { sockets, crypto, certificate, patience };
        Ok(Self { shared, legs: BTreeMap::new(), events, round: now() })
    }

    /// Runs until every handle is gone.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut buffer = [0; DATAGRAM];
        let mut ticks = time::interval(TICK);
        // A late tick is made up for: the listener's clock does not wait.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut was_pacing = false;
        loop {
            let pacing = self.is_pacing();
            if pacing && !was_pacing {
                ticks.reset();
            }
            was_pacing = pacing;
            // In this order: the pace first, and whatever has arrived before anybody is taken for lost.
            tokio::select! {
                biased;
                _ = ticks.tick(), if pacing => self.tick(now()),
                command = commands.recv() => match command {
                    Some(command) => self.obey(command, now()).await,
                    None => break,
                },
                received = self.shared.sockets.receive(&mut buffer) => match received {
                    Ok((length, source, to)) => self.receive(source, to, &buffer[..length], now()),
                    Err(error) => tracing::debug!(%error, "a media socket reported an error"),
                },
                () = time::sleep_until(self.deadline().into()), if !self.legs.is_empty() => self.pass_time(now()),
            }
        }
        for id in self.ids() {
            self.remove(id);
        }
    }

    /// From the next leg on.
    async fn widen(&mut self) {
        match self.shared.sockets.clone().widened().await {
            Ok(sockets) => self.shared.sockets = sockets,
            Err(error) => {
                tracing::warn!(%error, "this machine has no address but loopback to offer for media")
            }
        }
    }

    async fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::Offer { id, codecs, telephone_event, reply } => {
                let offered = Line::offer(&self.shared, codecs, telephone_event, now);
                reply_with(reply, self.add(id, offered, now));
            }
            Command::Accept { id, codecs, sdp, reply } => {
                let accepted = Line::accept(&self.shared, codecs, &sdp, now);
                reply_with(reply, self.add(id, accepted, now));
            }
            Command::Answer { id, sdp, reply } => {
                let answered = self.line(id).and_then(|line| line.answer(&sdp, now));
                self.settle(id, now);
                reply_with(reply, answered);
            }
            Command::Reanswer { id, sdp, reply } => {
                let answered = self.line(id).and_then(|line| line.reanswer(&sdp, now));
                self.settle(id, now);
                reply_with(reply, answered);
            }
            Command::Widen => self.widen().await,
            Command::Headless { id } => {
                self.legs.insert(id, Leg::default());
            }
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Unbridge { id } => self.unbridge(id),
            Command::Close { id } => self.remove(id),
            Command::Tone { id, hz } => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.tone.tune(hz);
                    leg.change_source();
                }
            }
            Command::Hear { id, reply } => {
                reply_with(reply, self.legs.get_mut(&id).map(|leg| leg.meter.hear(now)));
            }
            Command::Blackhole { id, on } => {
                if let Ok(line) = self.line(id) {
                    line.blackholed = on;
                }
            }
            Command::Press { id, digits } => self.press(id, &digits),
            Command::Codec { id, reply } => reply_with(reply, self.codec(id)),
            Command::Legs { reply } => reply_with(reply, self.legs.len()),
        }
    }

    fn add(
        &mut self,
        id: LegId,
        described: Result<(Line, String), MediaError>,
        now: Instant,
    ) -> Result<String, MediaError> {
        let (line, sdp) = described?;
        self.legs.insert(id, Leg::with_line(line));
        self.settle(id, now);
        Ok(sdp)
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        if a == b || !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            tracing::debug!(?a, ?b, "these legs cannot be bridged");
            return;
        }
        for (leg, peer) in [(a, b), (b, a)] {
            self.unbridge(leg);
            if let Some(leg) = self.legs.get_mut(&leg) {
                leg.peer = Some(peer);
                leg.change_source();
            }
        }
    }

    fn unbridge(&mut self, id: LegId) {
        let Some(peer) = self.legs.get(&id).and_then(|leg| leg.peer) else { return };
        for end in [id, peer] {
            if let Some(leg) = self.legs.get_mut(&end) {
                leg.peer = None;
                leg.change_source();
            }
        }
    }

    fn remove(&mut self, id: LegId) {
        self.unbridge(id);
        if let Some(line) = self.legs.remove(&id).and_then(|leg| leg.line) {
            line.close();
        }
    }

    fn press(&mut self, id: LegId, digits: &str) {
        let peer = self.legs.get(&id).and_then(|leg| leg.peer);
        if let Some(line) = peer.and_then(|peer| self.legs.get_mut(&peer)).and_then(Leg::connected_line) {
            line.keypad.press(digits);
        }
    }

    fn codec(&self, id: LegId) -> Option<&'static str> {
        let codec = match &self.legs.get(&id)?.line {
            Some(line) => line.codec()?,
            None => Codec::PCMU,
        };
        Some(if codec == Codec::Opus { "opus" } else { "pcmu" })
    }

    fn receive(&mut self, source: SocketAddr, to: SocketAddr, datagram: &[u8], now: Instant) {
        let Ok(datagram) = Receive::new(Protocol::Udp, source, to, datagram) else { return };
        let input = Input::Receive(now, datagram);
        let mut lines = self.legs.iter_mut().filter_map(|(id, leg)| Some((*id, leg.line.as_mut()?)));
        let Some((id, line)) = lines.find(|(_, line)| line.accepts(&input)) else { return };
        if let Input::Receive(now, datagram) = input {
            line.receive(now, datagram);
        }
        self.settle(id, now);
    }

    /// Lets a leg's session do what is due, and passes on what came out of it.
    fn settle(&mut self, id: LegId, now: Instant) {
        let Some(line) = self.legs.get_mut(&id).and_then(|leg| leg.line.as_mut()) else { return };
        let arrivals = line.settle(now);
        let mut lost = line.is_lost(now);
        for arrival in arrivals {
            match arrival {
                Arrival::Connected => self.report(MediaEvent::Connected(id)),
                Arrival::Closed => lost = true,
                Arrival::Packet(packet) => self.pass_on(id, *packet, now),
            }
        }
        if lost {
            self.remove(id);
            self.report(MediaEvent::Lost(id));
        }
    }

    /// What a browser sent goes to its meter and to whoever hears it.
    fn pass_on(&mut self, id: LegId, packet: Packet, now: Instant) {
        if packet.first_audio {
            self.report(MediaEvent::FirstAudio(id));
        }
        if let Some(key) = packet.key {
            self.report(MediaEvent::Digit(id, key));
        }
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let peer = leg.peer;
        let pcmu = (packet.codec == Codec::PCMU).then(|| Arc::clone(&packet.payload));
        if packet.codec.is_audio() {
            leg.meter.note(now, pcmu.clone());
        }
        let Some((peer, hearer)) = peer.and_then(|peer| Some((peer, self.legs.get_mut(&peer)?))) else {
            return;
        };
        match &mut hearer.line {
            Some(line) => {
                line.forward(id, &packet, now);
                self.settle(peer, now);
            }
            None if packet.codec.is_audio() => hearer.meter.note(now, pcmu),
            None => {}
        }
    }

    /// Something has to be sent every 20 ms.
    fn is_pacing(&self) -> bool {
        self.legs.values().any(|leg| match (leg.peer, &leg.line) {
            (_, Some(line)) if !line.is_connected() => false,
            (Some(peer), line) => {
                self.is_headless(peer) || line.as_ref().is_some_and(|line| !line.keypad.is_idle())
            }
            (None, Some(line)) => leg.tone.sounds() || !line.keypad.is_idle(),
            (None, None) => false,
        })
    }

    /// Every leg gets its next 20 ms of whatever is made here.
    fn tick(&mut self, now: Instant) {
        for id in self.ids() {
            let frame = self.frame_for(id);
            let Some(leg) = self.legs.get_mut(&id) else { continue };
            match (&mut leg.line, frame) {
                (None, Some(frame)) => leg.meter.note(now, Some(frame)),
                (None, None) => {}
                (Some(line), frame) => {
                    let key = line.tick_keypad(now);
                    // While a key is down the frame is lost, not late: a caller speaks on behind the keys.
                    match frame {
                        Some(_) if key => line.skip(),
                        Some(frame) => line.play(frame, now),
                        None => {}
                    }
                    self.settle(id, now);
                }
            }
        }
    }

    /// The next 20 ms that this leg should hear, if they are made here.
    fn frame_for(&mut self, id: LegId) -> Option<Arc<[u8]>> {
        let leg = self.legs.get_mut(&id)?;
        if !leg.is_headless() && leg.connected_line().is_none() {
            return None;
        }
        match leg.peer {
            Some(peer) => {
                self.legs.get_mut(&peer).filter(|peer| peer.is_headless()).map(|peer| peer.tone.frame())
            }
            None => (!leg.is_headless() && leg.tone.sounds()).then(|| leg.tone.frame()),
        }
    }

    /// A deadline of some leg, or the time to look for lost ones.
    fn pass_time(&mut self, now: Instant) {
        self.round = now + ROUND;
        for id in self.ids() {
            let due = self.line(id).is_ok_and(|line| line.deadline <= now || line.is_lost(now));
            if due {
                self.settle(id, now);
            }
        }
    }

    fn deadline(&self) -> Instant {
        let lines = self.legs.values().filter_map(|leg| leg.line.as_ref());
        lines.map(|line| line.deadline).fold(self.round, Instant::min)
    }

    fn line(&mut self, id: LegId) -> Result<&mut Line, MediaError> {
        let leg = self.legs.get_mut(&id).ok_or(MediaError::UnknownLeg)?;
        leg.line.as_mut().ok_or(MediaError::NotNegotiable)
    }

    fn is_headless(&self, id: LegId) -> bool {
        self.legs.get(&id).is_some_and(Leg::is_headless)
    }

    fn ids(&self) -> Vec<LegId> {
        self.legs.keys().copied().collect()
    }

    /// Nobody has to listen.
    fn report(&self, event: MediaEvent) {
        let _ = self.events.send(event);
    }
}

/// Whoever asked may have stopped waiting.
fn reply_with<T>(reply: oneshot::Sender<T>, value: T) {
    let _ = reply.send(value);
}

fn now() -> Instant {
    time::Instant::now().into_std()
}
