//! A browser's side of a call, as far as the media side can tell: full ICE, no candidates in its descriptions.
//!
//! It runs in a task of its own and shows what it sees through a watch, so that tests wait for events.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::{Codec, FormatParams},
    media::{Direction, Frequency, MediaKind, Mid, Pt, TelephoneEvent},
    net::{Protocol, Receive},
    rtp::{RtpPacket, RtpWrite},
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot, watch},
    time,
};

use super::super::{
    Heard,
    digits::{self, Keypad},
    meter::Meter,
    tone::Tone,
};

/// What the client sees of the call.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) connected: bool,
    pub(super) closed: bool,
    /// Audio packets by codec.
    pub(super) packets: BTreeMap<&'static str, usize>,
    pub(super) heard: Heard,
    pub(super) digits: String,
    /// A sequence number or a time that went backwards.
    pub(super) disorder: Option<String>,
}

/// Handle; the client ends, without a word, when this is dropped.
pub(super) struct Client {
    commands: mpsc::UnboundedSender<Command>,
    seen: watch::Receiver<Seen>,
}

enum Command {
    Accept(String, oneshot::Sender<String>),
    Offer(oneshot::Sender<String>),
    Restart(oneshot::Sender<String>),
    Answer(String),
    Tone(u32),
    Press(&'static str),
    Close,
}

impl Client {
    /// Its codecs in the order of preference; it sends the first that was agreed on.
    pub(super) async fn start(order: &'static [Codec]) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), order).await
    }

    /// At another address of this machine.
    pub(super) async fn start_at(address: IpAddr, order: &'static [Codec]) -> Self {
        let socket = UdpSocket::bind((address, 0)).await.unwrap();
        socket.writable().await.unwrap();
        let (commands, queue) = mpsc::unbounded_channel();
        let (show, seen) = watch::channel(Seen::default());
        tokio::spawn(Session::new(socket, order, show).run(queue));
        Self { commands, seen }
    }

    /// Answers an offer, without telling candidates, as browsers do.
    pub(super) async fn accept(&self, offer: &str) -> String {
        self.ask(|reply| Command::Accept(offer.to_owned(), reply)).await
    }

    pub(super) async fn offer(&self) -> String {
        self.ask(Command::Offer).await
    }

    /// An offer that restarts ICE.
    pub(super) async fn restart(&self) -> String {
        self.ask(Command::Restart).await
    }

    pub(super) fn answer(&self, sdp: String) {
        self.tell(Command::Answer(sdp));
    }

    pub(super) fn tone(&self, hz: u32) {
        self.tell(Command::Tone(hz));
    }

    pub(super) fn press(&self, digits: &'static str) {
        self.tell(Command::Press(digits));
    }

    /// Closes the connection politely.
    pub(super) fn close(&self) {
        self.tell(Command::Close);
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    pub(super) async fn until(&self, what: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        let waited = time::timeout(super::LIMIT, seen.wait_for(what)).await;
        let Ok(Ok(seen)) = waited else { panic!("never seen; last: {:?}", self.seen()) };
        seen.clone()
    }

    pub(super) async fn hears(&self, hz: f64) -> Seen {
        self.until(|seen| (seen.heard.dominant_hz - hz).abs() < 3.0 && seen.heard.rms > 3000.0).await
    }

    fn tell(&self, command: Command) {
        assert!(self.commands.send(command).is_ok(), "the client has ended");
    }

    async fn ask(&self, command: impl FnOnce(oneshot::Sender<String>) -> Command) -> String {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        answer.await.unwrap()
    }
}

struct Session {
    rtc: Rtc,
    socket: UdpSocket,
    mid: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    deadline: Instant,
    tone: Tone,
    keypad: Keypad,
    press_time: u32,
    meter: Meter,
    /// High on purpose: the receiver has to rebase.
    seq: u64,
    time: u32,
    last: Option<(u64, u32)>,
    last_press: Option<u32>,
    show: watch::Sender<Seen>,
}

impl Session {
    fn new(socket: UdpSocket, order: &[Codec], show: watch::Sender<Seen>) -> Self {
        let start = now();
        let mut config = Rtc::builder().set_rtp_mode(true).clear_codecs();
        for codec in order {
            // Payload types other than the server's, except where they are fixed.
            let (pt, rate, channels) = match codec {
                Codec::Opus => (109, Frequency::FORTY_EIGHT_KHZ, Some(2)),
                Codec::Tele => (126, Frequency::EIGHT_KHZ, None),
                _ => (0, Frequency::EIGHT_KHZ, None),
            };
            config.codec_config().add_config(
                pt.into(),
                None,
                *codec,
                rate,
                channels,
                FormatParams::default(),
            );
        }
        let mut rtc = config.build(start);
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
        Self {
            rtc,
            socket,
            mid: None,
            pending: None,
            deadline: start,
            tone: Tone::default(),
            keypad: Keypad::default(),
            press_time: 0,
            meter: Meter::default(),
            seq: 60_000,
            time: u32::MAX - 20_000,
            last: None,
            last_press: None,
            show,
        }
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut buffer = [0; 2048];
        let mut ticks = time::interval(Duration::from_millis(20));
        loop {
            self.settle();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                received = self.socket.recv_from(&mut buffer) => {
                    let (length, source) = received.unwrap();
                    let destination = self.socket.local_addr().unwrap();
                    let datagram = Receive::new(Protocol::Udp, source, destination, &buffer[..length]).unwrap();
                    self.rtc.handle_input(Input::Receive(now(), datagram)).unwrap();
                },
                _ = ticks.tick() => self.send(),
                () = time::sleep_until(self.deadline.into()) => {}
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Accept(offer, reply) => {
                let answer =
                    self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(&offer).unwrap()).unwrap();
                reply.send(without_candidates(&answer.to_sdp_string())).unwrap();
            }
            Command::Offer(reply) => {
                let mut change = self.rtc.sdp_api();
                self.mid = Some(change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
                let (offer, pending) = change.apply().unwrap();
                self.pending = Some(pending);
                reply.send(without_candidates(&offer.to_sdp_string())).unwrap();
            }
            Command::Restart(reply) => {
                let mut change = self.rtc.sdp_api();
                change.ice_restart(true);
                let (offer, pending) = change.apply().unwrap();
                self.pending = Some(pending);
                reply.send(without_candidates(&offer.to_sdp_string())).unwrap();
            }
            Command::Answer(sdp) => {
                let pending = self.pending.take().unwrap();
                self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&sdp).unwrap()).unwrap();
            }
            Command::Tone(hz) => self.tone.tune(hz),
            Command::Press(digits) => self.keypad.press(digits),
            Command::Close => self.rtc.close().unwrap(),
        }
    }

    fn settle(&mut self) {
        self.drain();
        self.rtc.handle_input(Input::Timeout(now())).unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(deadline) => {
                    // A closed session names a time that tokio's clock cannot.
                    self.deadline = deadline.min(now() + Duration::from_secs(60));
                    return;
                }
                Output::Transmit(datagram) => {
                    self.socket.try_send_to(&datagram.contents, datagram.destination).unwrap();
                }
                Output::Event(Event::Connected) => self.show.send_modify(|seen| seen.connected = true),
                Output::Event(Event::Closed) => self.show.send_modify(|seen| seen.closed = true),
                Output::Event(Event::MediaAdded(media)) => self.mid = Some(media.mid),
                Output::Event(Event::RtpPacket(packet)) => self.take(packet),
                Output::Event(_) => {}
            }
        }
    }

    fn take(&mut self, packet: RtpPacket) {
        let codec = self.codec(packet.header.payload_type).expect("only agreed payload types");
        if codec == Codec::Tele {
            if self.last_press.replace(packet.header.timestamp) != Some(packet.header.timestamp) {
                let event = TelephoneEvent::parse(&packet.payload, Frequency::EIGHT_KHZ).unwrap();
                self.show.send_modify(|seen| seen.digits.extend(digits::key(event.event)));
            }
            return;
        }
        let (seq, time) = (*packet.seq_no, packet.header.timestamp);
        if let Some((last_seq, last_time)) = self.last.replace((seq, time))
            && (seq <= last_seq || time.wrapping_sub(last_time) > u32::MAX / 2)
        {
            let disorder = format!("{last_seq}/{last_time} then {seq}/{time}");
            self.show.send_modify(|seen| seen.disorder = Some(disorder));
        }
        self.meter.note(now(), (codec == Codec::PCMU).then_some(packet.payload));
        self.show.send_modify(|seen| {
            let name = if codec == Codec::Opus { "opus" } else { "pcmu" };
            let count = seen.packets.entry(name).or_default();
            *count += 1;
            // A spectrum is taken now and then.
            if *count % 5 == 0 {
                seen.heard = self.meter.hear(now());
            }
        });
    }

    fn send(&mut self) {
        let Some(mid) = self.mid.filter(|_| self.rtc.is_connected()) else { return };
        let agreed = self.rtc.media(mid).unwrap().remote_pts().to_vec();
        let frame = self.tone.frame();
        let report = self.keypad.tick();
        let wanted = |codec: &Codec| if report.is_some() { *codec == Codec::Tele } else { codec.is_audio() };
        // Its own preference decides, as in a browser.
        let mine = self
            .rtc
            .codec_config()
            .params()
            .iter()
            .find(|params| agreed.contains(&params.pt()) && wanted(&params.spec().codec));
        let Some((pt, codec)) = mine.map(|params| (params.pt(), params.spec().codec)) else { return };
        let (time, payload): (u32, Arc<[u8]>) = match report {
            Some(report) => {
                if report.first {
                    self.press_time = self.time;
                }
                (self.press_time, Arc::from(report.event.to_bytes(Frequency::EIGHT_KHZ).unwrap()))
            }
            None if codec == Codec::Opus => (self.time, Arc::from([0xfc, 0xff, 0xfe])),
            None => (self.time, frame),
        };
        self.seq += 1;
        self.time = self.time.wrapping_add(if codec == Codec::Opus { 960 } else { 160 });
        let packet = RtpWrite::new(pt, self.seq.into(), time, now(), payload);
        self.rtc.direct_api().stream_tx_by_mid(mid, None).unwrap().write_rtp(packet);
    }

    fn codec(&self, pt: Pt) -> Option<Codec> {
        self.rtc
            .codec_config()
            .params()
            .iter()
            .find(|params| params.pt() == pt)
            .map(|params| params.spec().codec)
    }
}

fn without_candidates(sdp: &str) -> String {
    let lines = sdp.lines().filter(|line| !line.starts_with("a=candidate") && *line != "a=end-of-candidates");
    lines.flat_map(|line| [line, "\r\n"]).collect()
}

fn now() -> Instant {
    time::Instant::now().into_std()
}
