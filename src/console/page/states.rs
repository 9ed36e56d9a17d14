//! Every state that the page can draw, by name, and the page drawn in it: for tests, and for people who want to look.
//!
//! Invariant: whatever a shift can be, some state here is like it.

use std::sync::Arc;

use domain::shift::*;
use domain::{CallRef, Card, Millis};
use leptos::prelude::*;

use crate::language::Language;
use crate::setup::Setup;
use crate::softphone::{Entry, Softphone, Telephone};

/// 09:30:00 UTC on some day.
pub(super) const NOW: Millis = 1_795_512_600_000;

/// A telephone that stands still.
#[derive(Clone)]
struct Still {
    shift: Shift,
    event_log: Vec<Entry>,
}

impl Softphone for Still {
    fn shift(&self) -> Signal<Shift> {
        Signal::stored(self.shift.clone())
    }

    fn event_log(&self) -> Signal<Vec<Entry>> {
        Signal::stored(self.event_log.clone())
    }

    fn now(&self) -> Signal<Millis> {
        Signal::stored(NOW)
    }

    fn intend(&self, _: Intent) {}
}

/// The page's HTML in this state.
pub(super) fn html(shift: &Shift, event_log: &[Entry], language: Language) -> String {
    let telephone: Telephone = Arc::new(Still { shift: shift.clone(), event_log: event_log.to_vec() });
    Owner::new().with(|| {
        provide_context(telephone);
        provide_context(Setup::blank(language));
        super::draw().to_html()
    })
}

/// A state with its name.
pub(super) type State = (String, Shift, Vec<Entry>);

/// Every state.
pub(super) fn all() -> Vec<State> {
    let mut states = vec![];
    let mut add = |name: &str, shift: Shift| {
        let event_log = event_log_of(&shift);
        states.push((name.to_owned(), shift, event_log));
    };
    add("off", Shift::default());
    for failure in FAILURES {
        add(&format!("failed-{failure:?}"), Shift::Off(Off { why: Some(failure) }));
    }
    for step in Step::ALL {
        add(&format!("starting-{step:?}"), Shift::Starting(Starting { step, token: None }));
    }
    add("available", on(|_| {}));
    add("down", on(|duty| duty.line = Line::Down { since: NOW - 12_000 }));
    add("doubtful", on(|duty| duty.line = Line::Doubtful { since: NOW - 3_000 }));
    for how in HOWS {
        add(&format!("ended-{how:?}"), on(|duty| duty.last = Some(ended(how))));
    }
    add(
        "ended-down",
        on(|duty| {
            duty.last = Some(ended(How::Lost));
            duty.line = Line::Down { since: NOW - 2_000 };
        }),
    );
    add("ringing", on(|duty| duty.rings = vec![ring(1, koshii())]));
    add("ringing-symbols", on(|duty| duty.rings = vec![ring(1, card("O'Neil & Sons <K>", "cm-oneil"))]));
    add("ringing-emoji", on(|duty| duty.rings = vec![ring(1, card("María José 🌸", "cm-maria"))]));
    add(
        "ringing-long",
        on(|duty| duty.rings = vec![ring(1, card(LONG, "cm-00000000-0000-4000-8000-000000000001"))]),
    );
    add("ringing-unknown", on(|duty| duty.rings = vec![ring(1, stranger())]));
    add("ringing-nameless", on(|duty| duty.rings = vec![ring(1, nameless())]));
    add("ringing-two", on(|duty| duty.rings = vec![ring(1, koshii()), ring(2, Card::default())]));
    add("ringing-taken", on(|duty| duty.rings = vec![Ring { taken: true, ..ring(1, koshii()) }]));
    add("connecting", talking(Phase::Connecting { slow: false }, |talk| talk.audio_since = None));
    add("connecting-slow", talking(Phase::Connecting { slow: true }, |talk| talk.audio_since = None));
    add("talking", talking(Phase::Talking, |_| {}));
    add("talking-muted", talking(Phase::Talking, |talk| talk.muted = true));
    add("talking-unheard", talking(Phase::Talking, |talk| talk.unheard = true));
    add("talking-unhearing", talking(Phase::Talking, |talk| talk.unhearing = true));
    add("talking-unknown", talking(Phase::Talking, |talk| talk.card = stranger()));
    add("talking-hours", talking(Phase::Talking, |talk| talk.audio_since = Some(NOW - 3_723_000)));
    add("talking-down", and(talking(Phase::Talking, |_| {}), |duty| duty.line = Line::Down { since: NOW }));
    let doubtful = Line::Doubtful { since: NOW };
    add("talking-doubtful", and(talking(Phase::Talking, |_| {}), |duty| duty.line = doubtful));
    add(
        "talking-second",
        and(talking(Phase::Talking, |_| {}), |duty| duty.rings = vec![ring(2, card("佐藤 美咲", "cm-sato"))]),
    );
    add("reconnecting", talking(Phase::Reconnecting, |_| {}));
    add("reconnecting-early", talking(Phase::Reconnecting, |talk| talk.audio_since = None));
    add("hanging-up", talking(Phase::HangingUp, |_| {}));
    let over = [Note::ShiftStarting, Note::ShiftStarted, Note::ShiftEnded];
    states.push(("over".to_owned(), Shift::default(), entries(&over)));
    let given_up = [
        Note::ShiftStarting,
        Note::ShiftStarted,
        Note::ShiftEnded,
        Note::ShiftStarting,
        Note::StartCancelled,
    ];
    states.push(("given-up".to_owned(), Shift::default(), entries(&given_up)));
    states
}

pub(super) const FAILURES: [Failure; 10] = [
    Failure::Unsupported,
    Failure::SdkMissing,
    Failure::AudioBlocked,
    Failure::MicrophoneRefused,
    Failure::MicrophoneMissing,
    Failure::MicrophoneBusy,
    Failure::TokenRefused,
    Failure::ServerUnreachable,
    Failure::CloudRefused,
    Failure::CloudUnreachable,
];

pub(super) const HOWS: [How; 9] = [
    How::HungUp,
    How::CallerHungUp,
    How::TimeUp,
    How::Rejected,
    How::GaveUp,
    How::AnsweredElsewhere,
    How::Lost,
    How::RingLost,
    How::Failed(31005),
];

const LONG: &str = "株式会社ひとくテレフォンサービス 東日本お客様相談センター 第二窓口 長谷川 真理子";

pub(super) fn koshii() -> Card {
    card("越井 琢巳", "cm-koshii")
}

/// Whom nobody knows, and who has called before.
fn stranger() -> Card {
    Card { alias: Some("Kamito-Renasu".to_owned()), ..Card::default() }
}

/// A customer whose name the directory did not say, or could not.
fn nameless() -> Card {
    Card { customer_id: Some("cm-1".to_owned()), ..Card::default() }
}

fn card(name: &str, id: &str) -> Card {
    let call_ref = Some(CallRef::from_bytes([7; 10]));
    Card { name: Some(name.to_owned()), customer_id: Some(id.to_owned()), alias: None, call_ref }
}

fn ring(call: u32, card: Card) -> Ring {
    Ring { call: CallId(call), card, since: NOW - u64::from(call) * 4_000, taken: false }
}

fn ended(how: How) -> Ended {
    let talked = matches!(how, How::HungUp | How::CallerHungUp | How::TimeUp | How::Failed(_));
    let lasted = talked.then_some(if how == How::TimeUp { 3_600_000 } else { 192_000 });
    Ended { call: CallId(1), card: koshii(), how, lasted, at: NOW - 60_000 }
}

/// A shift that came about as every shift does.
fn on(change: impl FnOnce(&mut Duty)) -> Shift {
    let mut shift = Shift::default();
    let start = Event::Operator(Intent::StartShift);
    let token = Event::TokenReady { lifetime: 3_600_000 };
    for event in [start, Event::AudioReady, Event::MicrophoneReady, token, Event::Registered] {
        shift.on(event, NOW - 600_000).unwrap();
    }
    and(shift, change)
}

fn talking(phase: Phase, change: impl FnOnce(&mut Talk)) -> Shift {
    let audio_since = Some(NOW - 65_000);
    let mut talk = Talk {
        call: CallId(1),
        card: koshii(),
        phase,
        audio_since,
        muted: false,
        unheard: false,
        unhearing: false,
        renewed: false,
        taken: false,
        error: None,
    };
    change(&mut talk);
    on(|duty| duty.talk = Some(talk))
}

fn and(mut shift: Shift, change: impl FnOnce(&mut Duty)) -> Shift {
    if let Shift::On(duty) = &mut shift {
        change(duty);
    }
    shift
}

fn event_log_of(shift: &Shift) -> Vec<Entry> {
    match shift {
        Shift::Off(Off { why: None }) => vec![],
        Shift::Off(Off { why: Some(why) }) => entries(&[Note::ShiftStarting, Note::Failed(*why)]),
        Shift::Starting(_) => entries(&[Note::ShiftStarting]),
        Shift::On(_) => entries(&NOTES),
    }
}

fn entries(notes: &[Note]) -> Vec<Entry> {
    let mut at = NOW - notes.len() as Millis * 7_000;
    let mut entry = |note: &Note| {
        at += 7_000;
        Entry { at, note: *note }
    };
    notes.iter().map(&mut entry).collect()
}

/// A busy morning.
const NOTES: [Note; 25] = [
    Note::ShiftStarting,
    Note::ShiftStarted,
    Note::Ringing,
    Note::Accepted,
    Note::Connected,
    Note::Muted,
    Note::Unmuted,
    Note::Reconnecting,
    Note::Reconnected,
    Note::Ended(How::CallerHungUp),
    Note::TokenRenewed,
    Note::Ringing,
    Note::Ended(How::GaveUp),
    Note::DeviceError(31005),
    Note::LineDoubtful,
    Note::LineDown,
    Note::TokenDelayed,
    Note::LineUp,
    Note::Ringing,
    Note::Accepted,
    Note::NoAudio,
    Note::Silent(Side::Operator),
    Note::Silent(Side::Caller),
    Note::Ended(How::Failed(53405)),
    Note::Ended(How::AnsweredElsewhere),
];
