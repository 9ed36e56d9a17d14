//! A WebRTC session with one browser: negotiation, packets in, packets out.
//!
//! str0m's contract is kept here: each change is followed by [`Line::settle`], which lets time pass and drains all
//! output. The session is ICE-lite: the browser does the checks, from addresses that it never tells.

use std::{sync::Arc, time::Instant};

use super::{
    Codecs, LegId, MediaError, Patience,
    digits::{self, Keypad},
    outlet::{Incoming, Outlet, Slot},
    pcmu, sdp as description,
    sockets::Sockets,
};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    config::{CryptoProvider, DtlsCert},
    format::{Codec, FormatParams, PayloadParams},
    media::{Direction, Frequency, MediaKind, Mid, Pt, TelephoneEvent},
    net::Receive,
    rtp::{RtpPacket, RtpWrite, Ssrc},
};

/// The payload type that Twilio offers for keys; a browser's own offer may name another.
const TELEPHONE_EVENT: u8 = 101;

/// What every line shares.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) sockets: Sockets,
    pub(super) crypto: Arc<CryptoProvider>,
    pub(super) certificate: DtlsCert,
    pub(super) patience: Patience,
}

/// What came out of a session.
#[derive(Debug)]
pub(super) enum Arrival {
    /// ICE and DTLS are up.
    Connected,
    /// The browser said goodbye.
    Closed,
    /// An audio packet or a part of a key press.
    Packet(Box<Packet>),
}

#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) codec: Codec,
    pub(super) ssrc: Ssrc,
    pub(super) seq: u64,
    pub(super) time: u32,
    pub(super) marker: bool,
    pub(super) payload: Arc<[u8]>,
    /// The first audio from this browser.
    pub(super) first_audio: bool,
    /// The key, with the first packet of its press that arrived.
    pub(super) key: Option<char>,
}

pub(super) struct Line {
    shared: Shared,
    rtc: Rtc,
    mid: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    /// When str0m wants to be called again.
    pub(super) deadline: Instant,
    /// When to take the browser for gone; `None` as long as it has not answered.
    pub(super) lost_at: Option<Instant>,
    pub(super) blackholed: bool,
    connected: bool,
    /// The codec of the last audio packet received.
    receives: Option<Codec>,
    last_press: Option<(Ssrc, u32)>,
    pub(super) keypad: Keypad,
    press_time: u32,
    outlet: Outlet,
}

impl Line {
    /// An offer to a browser.
    pub(super) fn offer(
        shared: &Shared,
        codecs: Codecs,
        telephone_event: bool,
        now: Instant,
    ) -> Result<(Self, String), MediaError> {
        let order: &[Codec] = match codecs {
            Codecs::Pcmu => &[Codec::PCMU],
            Codecs::PcmuAndOpus => &[Codec::PCMU, Codec::Opus],
        };
        let mut line = Self::new(shared, order, telephone_event, now)?;
        let mut change = line.rtc.sdp_api();
        line.mid = Some(change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
        let (offer, pending) =
            change.apply().ok_or_else(|| MediaError::Sdp("the offer came out empty".to_owned()))?;
        line.pending = Some(pending);
        Ok((line, offer.to_sdp_string()))
    }

    /// A browser's own offer, and our answer.
    pub(super) fn accept(
        shared: &Shared,
        codecs: Codecs,
        sdp: &str,
        now: Instant,
    ) -> Result<(Self, String), MediaError> {
        let order: &[Codec] = match codecs {
            Codecs::Pcmu => &[Codec::PCMU],
            Codecs::PcmuAndOpus if description::prefers_opus(sdp) => &[Codec::Opus, Codec::PCMU],
            Codecs::PcmuAndOpus => &[Codec::PCMU, Codec::Opus],
        };
        let mut line = Self::new(shared, order, true, now)?;
        let answer = line.take_offer(sdp)?;
        line.mid = description::audio_mid(sdp);
        line.lost_at = Some(now + shared.patience.silence);
        Ok((line, answer))
    }

    /// The browser's answer to our offer.
    pub(super) fn answer(&mut self, sdp: &str, now: Instant) -> Result<(), MediaError> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| MediaError::Sdp(error.to_string()))?;
        let pending = self.pending.take().ok_or(MediaError::NotNegotiable)?;
        self.rtc
            .sdp_api()
            .accept_answer(pending, answer)
            .map_err(|error| MediaError::Sdp(error.to_string()))?;
        self.lost_at = Some(now + self.shared.patience.silence);
        Ok(())
    }

    /// A further offer of the browser: an ICE restart. It gets more time than a silence would, since it follows one.
    pub(super) fn reanswer(&mut self, sdp: &str, now: Instant) -> Result<String, MediaError> {
        let answer = self.take_offer(sdp)?;
        self.lost_at = Some(now + self.shared.patience.restart);
        Ok(answer)
    }

    /// Whether this datagram belongs to this session.
    pub(super) fn accepts(&self, input: &Input<'_>) -> bool {
        self.rtc.accepts(input)
    }

    /// A datagram from the browser. [`Line::settle`] must follow.
    pub(super) fn receive(&mut self, now: Instant, datagram: Receive<'_>) {
        if self.blackholed {
            return;
        }
        let alive_until = now + self.shared.patience.silence;
        self.lost_at = self.lost_at.map(|lost_at| lost_at.max(alive_until));
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, datagram)) {
            tracing::debug!(%error, "a datagram was refused");
        }
    }

    /// Lets time pass and drains everything that comes of it.
    pub(super) fn settle(&mut self, now: Instant) -> Vec<Arrival> {
        let mut arrivals = self.drain();
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(%error, "a media session failed");
            self.rtc.disconnect();
        }
        arrivals.extend(self.drain());
        arrivals
    }

    /// Says goodbye to the browser.
    pub(super) fn close(mut self) {
        if self.rtc.close().is_ok() {
            self.drain();
        }
    }

    pub(super) fn is_lost(&self, now: Instant) -> bool {
        !self.rtc.is_alive() || self.lost_at.is_some_and(|lost_at| lost_at <= now)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// What the browser sends, or else what it prefers.
    pub(super) fn codec(&self) -> Option<Codec> {
        self.receives.or_else(|| {
            let preferred = self.rtc.media(self.mid?)?.remote_pts();
            preferred
                .iter()
                .find_map(|pt| self.params(*pt).map(|params| params.spec().codec).filter(Codec::is_audio))
        })
    }

    /// Sends on what another leg sent, unless this browser did not agree to that codec. [`Line::settle`] must follow.
    pub(super) fn forward(&mut self, from: LegId, packet: &Packet, now: Instant) {
        if !self.connected || self.keypad.is_down() {
            return;
        }
        let Some((pt, rate)) = self.negotiated(packet.codec) else { return };
        // A key press lasts, but its packets share one time: the audio after it has a time of its own.
        let ticks = if packet.codec.is_tele() { 0 } else { rate / 50 };
        let incoming = Incoming { leg: from, ssrc: packet.ssrc, seq: packet.seq, time: packet.time };
        if let Some(slot) = self.outlet.forwarded(incoming, ticks, rate, now) {
            self.write(pt, slot, packet.marker, Arc::clone(&packet.payload), now);
        }
    }

    /// Sends 20 ms of µ-law that was made here. [`Line::settle`] must follow.
    pub(super) fn play(&mut self, frame: Arc<[u8]>, now: Instant) {
        let Some((pt, rate)) = self.negotiated(Codec::PCMU) else { return };
        let slot = self.outlet.paced(rate / 50, rate, now);
        self.write(pt, slot, false, frame, now);
    }

    /// Lets 20 ms of what is made here go by unheard.
    pub(super) fn skip(&mut self) {
        self.outlet.skip(pcmu::RATE / 50);
    }

    /// What was sent so far ends here.
    pub(super) fn change_source(&mut self) {
        self.outlet.rest();
    }

    /// Every 20 ms: sends the packet of a key press if one is due, and says so. [`Line::settle`] must follow.
    pub(super) fn tick_keypad(&mut self, now: Instant) -> bool {
        let Some(report) = self.keypad.tick() else { return false };
        let Some((pt, rate)) = self.negotiated(Codec::Tele) else { return false };
        if report.first {
            self.press_time = self.outlet.time(rate, now);
        }
        let Some(payload) = report.event.to_bytes(Frequency::EIGHT_KHZ) else { return false };
        let slot = self.outlet.inserted(self.press_time);
        self.write(pt, slot, report.first, Arc::from(payload), now);
        true
    }

    fn new(
        shared: &Shared,
        order: &[Codec],
        telephone_event: bool,
        now: Instant,
    ) -> Result<Self, MediaError> {
        let mut config = Rtc::builder()
            .set_crypto_provider(Arc::clone(&shared.crypto))
            .set_dtls_cert(shared.certificate.clone())
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .clear_codecs();
        for codec in order {
            config = match codec {
                Codec::Opus => config.enable_opus(true, false),
                _ => config.enable_pcmu(true, false),
            };
        }
        if telephone_event {
            config.codec_config().add_config(
                TELEPHONE_EVENT.into(),
                None,
                Codec::Tele,
                Frequency::EIGHT_KHZ,
                None,
                FormatParams::default(),
            );
        }
        let mut rtc = config.build(now);
        for address in shared.sockets.addresses() {
            let candidate =
                Candidate::host(address, "udp").map_err(|error| MediaError::Sdp(error.to_string()))?;
            rtc.add_local_candidate(candidate);
        }
        Ok(Self {
            shared: shared.clone(),
            rtc,
            mid: None,
            pending: None,
            deadline: now,
            lost_at: None,
            blackholed: false,
            connected: false,
            receives: None,
            last_press: None,
            keypad: Keypad::default(),
            press_time: 0,
            outlet: Outlet::new(now),
        })
    }

    fn take_offer(&mut self, sdp: &str) -> Result<String, MediaError> {
        let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| MediaError::Sdp(error.to_string()))?;
        let answer =
            self.rtc.sdp_api().accept_offer(offer).map_err(|error| MediaError::Sdp(error.to_string()))?;
        Ok(answer.to_sdp_string())
    }

    fn drain(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(deadline)) => {
                    self.deadline = deadline;
                    return arrivals;
                }
                Ok(Output::Transmit(datagram)) => {
                    if !self.blackholed {
                        self.shared.sockets.send(datagram.source, &datagram.contents, datagram.destination);
                    }
                }
                Ok(Output::Event(event)) => arrivals.extend(self.arrival(event)),
                Err(error) => {
                    tracing::debug!(%error, "a media session failed");
                    self.rtc.disconnect();
                }
            }
        }
    }

    fn arrival(&mut self, event: Event) -> Option<Arrival> {
        match event {
            Event::Connected => {
                self.connected = true;
                Some(Arrival::Connected)
            }
            Event::Closed => Some(Arrival::Closed),
            Event::RtpPacket(packet) => self.packet(packet).map(|packet| Arrival::Packet(Box::new(packet))),
            _ => None,
        }
    }

    fn packet(&mut self, packet: RtpPacket) -> Option<Packet> {
        // Padding keeps a stream warm and says nothing.
        if packet.payload.is_empty() {
            return None;
        }
        let spec = self.params(packet.header.payload_type)?.spec();
        let (ssrc, time) = (packet.header.ssrc, packet.header.timestamp);
        let mut first_audio = false;
        let mut key = None;
        if spec.codec.is_tele() {
            if self.last_press.replace((ssrc, time)) != Some((ssrc, time)) {
                let event = TelephoneEvent::parse(&packet.payload, spec.clock_rate)?;
                key = digits::key(event.event);
            }
        } else {
            first_audio = self.receives.replace(spec.codec).is_none();
        }
        Some(Packet {
            codec: spec.codec,
            ssrc,
            seq: *packet.seq_no,
            time,
            marker: packet.header.marker,
            payload: packet.payload,
            first_audio,
            key,
        })
    }

    /// This browser's payload type for a codec, and the codec's RTP ticks a second.
    fn negotiated(&self, codec: Codec) -> Option<(Pt, u32)> {
        let agreed = self.rtc.media(self.mid?)?.remote_pts();
        let rate = if codec == Codec::Opus { 48_000 } else { pcmu::RATE };
        let pt =
            agreed.iter().find(|pt| self.params(**pt).is_some_and(|params| params.spec().codec == codec))?;
        Some((*pt, rate))
    }

    fn params(&self, pt: Pt) -> Option<&PayloadParams> {
        self.rtc.codec_config().params().iter().find(|params| params.pt() == pt)
    }

    fn write(&mut self, pt: Pt, slot: Slot, marker: bool, payload: Arc<[u8]>, now: Instant) {
        let Some(mid) = self.mid else { return };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else { return };
        let packet = RtpWrite::new(pt, slot.seq.into(), slot.time, now, payload);
        stream.write_rtp(packet.marker(marker || slot.first));
    }
}
