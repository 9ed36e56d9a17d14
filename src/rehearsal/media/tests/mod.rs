//! The media side against browsers played by str0m over loopback UDP. Every wait is for an event.

mod client;

use std::{net::IpAddr, time::Duration};

use str0m::format::Codec;
use tokio::{sync::mpsc, time};

use self::client::Client;
use super::{Codecs, LegId, Media, MediaError, MediaEvent, Patience, sockets::Sockets, start, start_with};

/// Only a failing test waits this long.
const LIMIT: Duration = Duration::from_secs(30);

const TELEPHONE: &[Codec] = &[Codec::PCMU, Codec::Tele];
const BROWSER: &[Codec] = &[Codec::Opus, Codec::PCMU, Codec::Tele];

struct House {
    media: Media,
    events: mpsc::UnboundedReceiver<MediaEvent>,
}

impl House {
    async fn open() -> Self {
        let (media, events) = start().await.unwrap();
        Self { media, events }
    }

    /// With little patience for silence.
    async fn impatient() -> Self {
        let patience = Patience { silence: Duration::from_secs(3), restart: Duration::from_secs(4) };
        let (media, events) = start_with(patience).await.unwrap();
        Self { media, events }
    }

    /// We offer, the client answers, both are connected.
    async fn ring(&mut self, codecs: Codecs, order: &'static [Codec]) -> (LegId, Client) {
        let (leg, offer) = self.media.offer(codecs, true).await.unwrap();
        let client = Client::start(order).await;
        self.media.answer(leg, &client.accept(&offer).await).await.unwrap();
        client.until(|seen| seen.connected).await;
        self.until(MediaEvent::Connected(leg)).await;
        (leg, client)
    }

    /// The client offers, we answer, both are connected.
    async fn take(&mut self, order: &'static [Codec]) -> (LegId, Client) {
        let client = Client::start(order).await;
        let (leg, answer) = self.media.accept(Codecs::PcmuAndOpus, &client.offer().await).await.unwrap();
        client.answer(answer);
        client.until(|seen| seen.connected).await;
        self.until(MediaEvent::Connected(leg)).await;
        (leg, client)
    }

    /// We offer, the client knows such lines of the offer, and a headless caller and it hear each other.
    async fn talks(&self, client: Client, knows: impl Fn(&str) -> bool) {
        let caller = self.media.headless();
        self.media.tone(caller, 440);
        let (leg, offer) = self.media.offer(Codecs::Pcmu, true).await.unwrap();
        let known: String = offer.split_inclusive("\r\n").filter(|line| knows(line)).collect();
        self.media.answer(leg, &client.accept(&known).await).await.unwrap();
        client.tone(880);
        self.media.bridge(caller, leg);
        client.hears(440.0).await;
        self.hears(caller, 880.0).await;
    }

    async fn until(&mut self, wanted: MediaEvent) {
        let found = async { while self.events.recv().await.expect("the task runs") != wanted {} };
        time::timeout(LIMIT, found).await.unwrap_or_else(|_| panic!("{wanted:?} never came"));
    }

    /// The leg's meter shows the tone.
    async fn hears(&self, leg: LegId, hz: f64) {
        let found = async {
            loop {
                let heard = self.media.hear(leg).await.expect("the leg is there");
                if (heard.dominant_hz - hz).abs() < 3.0 && heard.rms > 3000.0 {
                    break;
                }
                time::sleep(Duration::from_millis(20)).await;
            }
        };
        if time::timeout(LIMIT, found).await.is_err() {
            panic!("{hz} Hz never heard; last: {:?}", self.media.hear(leg).await);
        }
    }
}

#[tokio::test]
async fn the_offer_has_what_the_sdk_needs() {
    let house = House::open().await;
    let (_, offer) = house.media.offer(Codecs::PcmuAndOpus, true).await.unwrap();
    let media_line = offer.split("\r\n").find(|line| line.starts_with("m=audio")).unwrap();
    assert!(media_line.ends_with(" 0 111 101"), "{media_line}");
    for line in
        ["a=ice-lite", "a=setup:actpass", "a=rtpmap:101 telephone-event/8000", "a=rtpmap:111 opus/48000/2"]
    {
        assert!(offer.contains(&format!("{line}\r\n")), "{line} is missing in {offer}");
    }
    let candidates: Vec<&str> = offer.split("\r\n").filter(|line| line.starts_with("a=candidate")).collect();
    assert!(matches!(candidates[..], [candidate] if candidate.contains(" 127.0.0.1 ")), "{candidates:?}");

    let (_, offer) = house.media.offer(Codecs::Pcmu, false).await.unwrap();
    assert!(!offer.contains("opus") && !offer.contains("telephone-event"), "{offer}");
}

/// As Chromium does.
#[tokio::test]
async fn a_browser_may_send_to_loopback_from_the_machines_own_address() {
    let Some(own) = own_address().await else { return };
    let house = House::open().await;
    house.talks(Client::start_at(own, TELEPHONE).await, |_| true).await;
}

/// As Firefox, which sends from no loopback address and to none.
#[tokio::test]
async fn a_browser_without_loopback_is_heard_at_the_machines_own_address() {
    let Some(own) = own_address().await else { return };
    let house = House::open().await;
    house.media.widen();
    house.talks(Client::start_at(own, TELEPHONE).await, |line| !line.contains(" 127.0.0.1 ")).await;
}

/// A machine without a network has none but loopback.
async fn own_address() -> Option<IpAddr> {
    let sockets = Sockets::bind().await.unwrap().widened().await.ok()?;
    sockets.addresses().map(|address| address.ip()).find(|ip| !ip.is_loopback())
}

#[tokio::test]
async fn a_headless_caller_and_a_browser_hear_each_other() {
    let mut house = House::open().await;
    let caller = house.media.headless();
    house.media.tone(caller, 440);
    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    client.tone(1000);
    house.media.bridge(caller, leg);

    let seen = client.hears(440.0).await;
    assert_eq!(seen.disorder, None);
    house.until(MediaEvent::FirstAudio(leg)).await;
    house.hears(caller, 1000.0).await;
    house.hears(leg, 1000.0).await;
    assert_eq!(house.media.codec(leg).await.as_deref(), Some("pcmu"));

    // A caller who falls silent still sends packets.
    house.media.tone(caller, 0);
    client.until(|seen| seen.heard.rms < 1.0 && seen.heard.packets > 20).await;
    house.media.tone(caller, 600);
    assert_eq!(client.hears(600.0).await.disorder, None);
}

#[tokio::test]
async fn a_tone_is_played_before_anybody_is_bridged() {
    let mut house = House::open().await;
    let (leg, client) = house.take(TELEPHONE).await;
    house.media.tone(leg, 440);
    client.hears(440.0).await;
    // The bridge replaces it.
    let caller = house.media.headless();
    house.media.tone(caller, 880);
    house.media.bridge(leg, caller);
    client.hears(880.0).await;
    // And it is there again afterwards.
    house.media.unbridge(caller);
    assert_eq!(client.hears(440.0).await.disorder, None);
}

#[tokio::test]
async fn two_telephones_are_bridged_both_ways() {
    let mut house = House::open().await;
    let (a, alice) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    let (b, bob) = house.take(TELEPHONE).await;
    house.media.bridge(a, b);
    alice.tone(500);
    bob.tone(700);
    assert_eq!(alice.hears(700.0).await.disorder, None);
    assert_eq!(bob.hears(500.0).await.disorder, None);
}

#[tokio::test]
async fn two_browsers_get_opus_end_to_end() {
    let mut house = House::open().await;
    let (a, alice) = house.take(BROWSER).await;
    let (b, bob) = house.ring(Codecs::PcmuAndOpus, BROWSER).await;
    house.media.bridge(a, b);
    for client in [&alice, &bob] {
        let seen = client.until(|seen| seen.packets.get("opus").is_some_and(|packets| *packets > 50)).await;
        assert_eq!((seen.packets.get("pcmu"), seen.disorder), (None, None));
    }
    assert_eq!(house.media.codec(a).await.as_deref(), Some("opus"));
    assert_eq!(house.media.codec(b).await.as_deref(), Some("opus"));
    let heard = house.media.hear(a).await.unwrap();
    assert!(heard.packets > 0 && heard.rms == 0.0, "{heard:?}");
}

#[tokio::test]
async fn each_side_may_send_its_own_codec_when_both_know_both() {
    let mut house = House::open().await;
    let (a, alice) = house.take(BROWSER).await;
    let (b, bob) = house.ring(Codecs::PcmuAndOpus, &[Codec::PCMU, Codec::Opus]).await;
    house.media.bridge(a, b);
    alice.until(|seen| seen.packets.contains_key("pcmu")).await;
    bob.until(|seen| seen.packets.contains_key("opus")).await;
}

#[tokio::test]
async fn the_answer_keeps_the_browsers_order() {
    let house = House::open().await;
    for (order, expected) in [(BROWSER, "109 0 126"), (&[Codec::PCMU, Codec::Opus] as &[Codec], "0 109")] {
        let (leg, answer) =
            house.media.accept(Codecs::PcmuAndOpus, &Client::start(order).await.offer().await).await.unwrap();
        let media_line = answer.split("\r\n").find(|line| line.starts_with("m=audio")).unwrap();
        assert!(media_line.ends_with(expected), "{media_line}");
        let preferred = if order == BROWSER { "opus" } else { "pcmu" };
        assert_eq!(house.media.codec(leg).await.as_deref(), Some(preferred));
    }
}

#[tokio::test]
async fn keys_travel_both_ways() {
    let mut house = House::open().await;
    let caller = house.media.headless();
    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    house.media.bridge(caller, leg);
    house.media.tone(caller, 440);
    client.hears(440.0).await;

    client.press("17#");
    for key in "17#".chars() {
        house.until(MediaEvent::Digit(leg, key)).await;
    }
    house.media.press(caller, "0*D9");
    client.until(|seen| seen.digits == "0*D9").await;
    // The voice is back after the keys, and never went backwards.
    assert_eq!(client.hears(440.0).await.disorder, None);
}

#[tokio::test]
async fn keys_reach_the_browser_on_the_other_side() {
    let mut house = House::open().await;
    let (a, alice) = house.take(BROWSER).await;
    let (b, bob) = house.ring(Codecs::PcmuAndOpus, BROWSER).await;
    house.media.bridge(a, b);
    alice.press("42");
    bob.until(|seen| seen.digits == "42").await;
    house.until(MediaEvent::Digit(a, '4')).await;
    house.until(MediaEvent::Digit(a, '2')).await;
    // Pressed through signalling instead.
    house.media.press(b, "8");
    let seen = alice.until(|seen| seen.digits == "8").await;
    assert_eq!(seen.disorder, None);
}

#[tokio::test]
async fn an_ice_restart_keeps_the_call() {
    let mut house = House::open().await;
    let caller = house.media.headless();
    house.media.tone(caller, 440);
    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    house.media.bridge(caller, leg);
    client.tone(1000);
    client.hears(440.0).await;
    house.hears(caller, 1000.0).await;

    // The network goes and comes back.
    house.media.blackhole(leg, true);
    time::timeout(LIMIT, async {
        while house.media.hear(caller).await.unwrap().packets > 0 {
            time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    let answer = house.media.reanswer(leg, &client.restart().await).await.unwrap();
    client.answer(answer);
    house.media.blackhole(leg, false);
    house.media.tone(caller, 660);
    client.tone(1200);
    assert_eq!(client.hears(660.0).await.disorder, None);
    house.hears(caller, 1200.0).await;
}

#[tokio::test]
async fn a_leg_that_vanishes_is_lost() {
    let mut house = House::impatient().await;
    let caller = house.media.headless();
    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    house.media.bridge(caller, leg);
    // An offer that nobody has answered yet may wait for longer.
    let (ringing, _) = house.media.offer(Codecs::Pcmu, true).await.unwrap();
    drop(client);
    house.until(MediaEvent::Lost(leg)).await;
    assert_eq!(house.media.legs().await, 2);
    assert_eq!(house.media.hear(leg).await, None);
    house.media.close(ringing);
    house.media.close(caller);
    assert_eq!(house.media.legs().await, 0);
}

#[tokio::test]
async fn a_leg_whose_network_is_gone_is_lost() {
    let mut house = House::impatient().await;
    let (leg, client) = house.take(TELEPHONE).await;
    house.media.blackhole(leg, true);
    house.until(MediaEvent::Lost(leg)).await;
    assert!(!client.seen().closed);
    assert_eq!(house.media.legs().await, 0);
}

#[tokio::test]
async fn goodbyes_are_heard() {
    let mut house = House::open().await;
    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    client.close();
    house.until(MediaEvent::Lost(leg)).await;

    let (leg, client) = house.ring(Codecs::Pcmu, TELEPHONE).await;
    house.media.close(leg);
    client.until(|seen| seen.closed).await;
    assert_eq!(house.media.legs().await, 0);

    // The last handle closes what is left.
    let (_, client) = house.take(TELEPHONE).await;
    drop(house);
    client.until(|seen| seen.closed).await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let house = House::open().await;
    let headless = house.media.headless();
    let (leg, _) = house.media.offer(Codecs::Pcmu, true).await.unwrap();
    assert!(matches!(house.media.accept(Codecs::PcmuAndOpus, "nonsense").await, Err(MediaError::Sdp(_))));
    assert!(matches!(house.media.answer(leg, "nonsense").await, Err(MediaError::Sdp(_))));
    assert!(matches!(house.media.answer(headless, "nonsense").await, Err(MediaError::NotNegotiable)));
    assert!(matches!(house.media.reanswer(headless, "nonsense").await, Err(MediaError::NotNegotiable)));
    house.media.close(headless);
    assert!(matches!(house.media.answer(headless, "nonsense").await, Err(MediaError::UnknownLeg)));
    // Commands for legs that are gone are harmless.
    house.media.bridge(leg, headless);
    house.media.tone(headless, 440);
    house.media.press(headless, "1");
    assert_eq!(house.media.codec(headless).await, None);
    assert_eq!(house.media.legs().await, 1);
}

#[tokio::test]
async fn headless_callers_hear_each_other() {
    let house = House::open().await;
    let (a, b) = (house.media.headless(), house.media.headless());
    house.media.tone(a, 440);
    house.media.tone(b, 880);
    house.media.bridge(a, b);
    house.hears(a, 880.0).await;
    house.hears(b, 440.0).await;
}
