//! Any events, in any order, against a model of a shift that a person can hold in their head: who rings, who talks, and
//! whether a call would come through.

use std::collections::BTreeSet;

use domain::shift::{CallId, Effect, Event, Failure, Intent, Phase, Shift, Side, Step, Timer};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::console::{call_ref, incoming};

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_shift_is_what_its_model_says(sequential 1..120 => Subject);
}

/// The model.
#[derive(Clone, Debug, Default)]
struct Model {
    /// How many steps of starting are under way or done; on duty after the last, off duty at 0.
    steps: usize,
    line: Line,
    rings: BTreeSet<u32>,
    talk: Option<u32>,
    hanging_up: bool,
    /// Sound of who talks has arrived.
    heard: bool,
    /// What the next call would lack.
    lacks: Option<Failure>,
    /// The call that ended last, for which an error may come late.
    last: Option<u32>,
    /// So many calls have rung; the next one gets the next number.
    rung: u32,
    now: u64,
    /// When the token is over, as long as that has not been told.
    token_ends: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Down,
    Doubtful,
    Up,
}

const ON_DUTY: usize = Step::ALL.len() + 1;
const MICROPHONE: [u32; 2] = [31401, 31402];

impl Model {
    fn is_available(&self) -> bool {
        self.steps == ON_DUTY && self.line == Line::Up && self.talk.is_none() && self.rings.is_empty()
    }

    fn off(&mut self) {
        *self = Self { rung: self.rung, now: self.now, ..Self::default() };
    }

    fn lose_device(&mut self) {
        self.last = self.rings.pop_last().or(self.talk).or(self.last);
        (self.line, self.talk, self.hanging_up) = (Line::Down, None, false);
        self.rings.clear();
    }

    fn end_talk(&mut self) {
        self.last = self.talk.take();
        self.hanging_up = false;
    }

    fn end_ring(&mut self, call: u32) {
        if self.rings.remove(&call) {
            self.last = Some(call);
        }
    }

    /// From a second to half an hour: what was young at one event is old at the next.
    fn let_time_pass(&mut self) {
        self.now += 1_000 + (u64::from(self.rung) * 7_919 + self.now / 7) % 1_800_000;
        if self.steps == ON_DUTY && self.token_ends.take_if(|ends| *ends <= self.now).is_some() {
            self.line = Line::Down;
        }
    }

    fn on(&mut self, event: &Event) {
        if let (3 | ON_DUTY, Event::TokenReady { lifetime }) = (self.steps, event) {
            self.token_ends = Some(self.now + lifetime - 2_000);
        }
        match (self.steps, event) {
            (0, Event::Operator(Intent::StartShift))
            | (1, Event::AudioReady)
            | (2, Event::MicrophoneReady)
            | (3, Event::TokenReady { .. }) => self.steps += 1,
            (4, Event::Registered) => (self.steps, self.line) = (ON_DUTY, Line::Up),
            (1, Event::Timer(Timer::Unlock))
            | (3, Event::TokenRefused | Event::TokenUnreachable)
            | (4, Event::DeviceFailed { code: 20104 } | Event::Timer(Timer::Register)) => self.off(),
            (1.., Event::StepFailed(_)) => self.off(),
            (1..ON_DUTY, Event::Operator(Intent::EndShift)) => self.off(),
            (3 | 4, Event::MicrophoneLost(_)) => self.off(),
            (ON_DUTY, event) => {
                self.on_duty(event);
                if self.lacks.is_some() && self.talk.is_none() {
                    self.off();
                }
            }
            _ => {}
        }
    }

    fn on_duty(&mut self, event: &Event) {
        let talks = |call: &CallId| self.talk == Some(call.0);
        match event {
            Event::Operator(Intent::EndShift) if self.talk.is_none() => self.off(),
            Event::Operator(Intent::Accept(call)) if self.rings.remove(&call.0) => {
                (self.talk, self.hanging_up, self.heard, self.last) = (Some(call.0), false, false, None);
            }
            Event::Operator(Intent::Reject(call)) => self.end_ring(call.0),
            Event::Operator(Intent::HangUp) => self.hanging_up = self.talk.is_some(),
            Event::AudioFlows(call) if talks(call) && !self.hanging_up => self.heard = true,
            Event::Incoming { call, .. } => {
                self.rings.insert(call.0);
                self.last = None;
                if self.line == Line::Doubtful {
                    self.line = Line::Up;
                }
            }
            Event::Registered => self.line = Line::Up,
            Event::PerhapsCutOff if self.line == Line::Up => self.line = Line::Doubtful,
            // What rings has come over a later line than the one that is down.
            Event::Unregistered { returns: true } if self.line == Line::Down => {}
            Event::Unregistered { .. } => {
                self.line = Line::Down;
                self.last = self.rings.pop_last().or(self.last);
                self.rings.clear();
            }
            // The cloud would not ring this console again, and leaves what rings and who talks.
            Event::DeviceFailed { code: 20104 } | Event::Timer(Timer::TokenEnd) => self.line = Line::Down,
            Event::DeviceGone => self.lose_device(),
            Event::Stuck(call) if talks(call) => self.lose_device(),
            Event::MicrophoneLost(why) => self.lacks = Some(*why),
            Event::MicrophoneBack(why) => drop(self.lacks.take_if(|lacks| *lacks == *why)),
            Event::Timer(Timer::Ring(call)) => self.end_ring(call.0),
            Event::Timer(Timer::HangUp(call)) if talks(call) && self.hanging_up => self.lose_device(),
            Event::Disconnected(call) | Event::Cancelled(call) if talks(call) => self.end_talk(),
            Event::Cancelled(call) | Event::Rejected(call) | Event::TransportClosed(call) => {
                self.end_ring(call.0);
            }
            Event::CallFailed { call, code }
                if MICROPHONE.contains(code) && (talks(call) || self.last == Some(call.0)) =>
            {
                self.off();
            }
            _ => {}
        }
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Event;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { now: 1_790_000_000_000, ..Self::default() }).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Event> {
        // Calls that rang, and one that never did; the newest are the most interesting.
        let call = (0..=4_u32).prop_map({
            let rung = model.rung;
            move |back| CallId((rung + 1).saturating_sub(back))
        });
        let next = incoming(CallId(model.rung + 1));
        let forward = match model.steps {
            0 => Event::Operator(Intent::StartShift),
            1 => Event::AudioReady,
            2 => Event::MicrophoneReady,
            3 => Event::TokenReady { lifetime: 3_600_000 },
            4 => Event::Registered,
            _ => next.clone(),
        };
        let operator = prop_oneof![
            1 => Just(Intent::EndShift),
            8 => call.clone().prop_map(Intent::Accept),
            4 => call.clone().prop_map(Intent::Reject),
            3 => Just(Intent::HangUp),
            2 => Just(Intent::ToggleMute),
        ];
        let of_call = (call.clone(), 0..13_usize).prop_map(|(call, which)| match which {
            0 => Event::Accepted(call),
            1 => Event::AudioFlows(call),
            2 => Event::Cancelled(call),
            3 => Event::Rejected(call),
            4 => Event::Disconnected(call),
            5 => Event::TransportClosed(call),
            6 => Event::Reconnecting(call),
            7 => Event::Reconnected(call),
            8 => Event::Muted(call, true),
            9 => Event::Stuck(call),
            10 => Event::CallFailed { call, code: 53405 },
            11 => Event::Silent { call, side: Side::Operator, on: true },
            _ => Event::AnsweredElsewhere(call_ref(call)),
        });
        let of_device = prop_oneof![
            4 => Just(Event::Registered),
            2 => any::<bool>().prop_map(|returns| Event::Unregistered { returns }),
            3 => Just(Event::PerhapsCutOff),
            1 => Just(Event::DeviceGone),
            2 => prop_oneof![Just(31005_u32), Just(20104), Just(53000)].prop_map(|code| Event::DeviceFailed { code }),
            2 => Just(Event::TokenWillExpire),
            1 => Just(Event::TokenTaken),
            2 => Just(Event::Woke),
        ];
        let of_token = prop_oneof![
            2 => Just(Event::TokenReady { lifetime: 3_600_000 }),
            1 => Just(Event::TokenRefused),
            1 => Just(Event::TokenUnreachable),
        ];
        let timer = (call.clone(), 0..9_usize).prop_map(|(call, which)| {
            Event::Timer(match which {
                0 => Timer::Unlock,
                1 => Timer::Register,
                2 => Timer::TokenAge,
                3 => Timer::TokenRetry,
                4 => Timer::RegisterAgain,
                8 => Timer::TokenEnd,
                5 => Timer::Audio(call),
                6 => Timer::Ring(call),
                _ => Timer::HangUp(call),
            })
        });
        let rare = prop_oneof![
            Just(Event::StepFailed(Failure::MicrophoneMissing)),
            Just(Event::MicrophoneLost(Failure::MicrophoneRefused)),
            Just(Event::MicrophoneLost(Failure::MicrophoneMissing)),
            Just(Event::MicrophoneBack(Failure::MicrophoneMissing)),
            call.prop_map(|call| Event::CallFailed { call, code: MICROPHONE[0] }),
        ];
        prop_oneof![
            30 => Just(forward),
            20 => operator.prop_map(Event::Operator),
            30 => of_call,
            10 => of_device,
            6 => of_token,
            8 => timer,
            1 => rare,
            // What rings off duty is not heard.
            2 => Just(next),
        ]
        .boxed()
    }

    fn apply(mut model: Self, event: &Event) -> Self {
        if let Event::Incoming { call, .. } = event {
            model.rung = call.0;
        }
        model.let_time_pass();
        model.on(event);
        model
    }
}

/// The shift, and what of its effects must be remembered to judge the next ones.
#[derive(Default)]
struct Subject {
    shift: Shift,
    now: u64,
    /// A token was asked for and not answered.
    fetching: bool,
    token_ends: Option<u64>,
    finished: BTreeSet<u32>,
}

impl Subject {
    fn live(&self) -> BTreeSet<u32> {
        let Shift::On(duty) = &self.shift else { return BTreeSet::new() };
        duty.rings.iter().map(|ring| ring.call.0).chain(duty.talk.as_ref().map(|talk| talk.call.0)).collect()
    }

    fn check_effects(&mut self, effects: &[Effect], known: &BTreeSet<u32>) {
        for effect in effects {
            match effect {
                Effect::Forget => (self.fetching, self.token_ends) = (false, None),
                Effect::SetTimer(Timer::TokenEnd, delay) => self.token_ends = Some(self.now + delay),
                Effect::FetchToken => {
                    assert!(!self.fetching, "a second token is asked for while the first is on its way");
                    self.fetching = true;
                }
                Effect::Accept(call)
                | Effect::Reject(call)
                | Effect::HangUp(call)
                | Effect::Mute(call, _)
                | Effect::SetTimer(Timer::Audio(call) | Timer::HangUp(call), _) => {
                    assert!(known.contains(&call.0), "{effect:?} names a call that is not there");
                }
                _ => {}
            }
        }
    }
}

impl StateMachineTest for Subject {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        Self::default()
    }

    fn apply(mut subject: Self, model: &Model, event: Event) -> Self {
        let is_answer =
            matches!(event, Event::TokenReady { .. } | Event::TokenRefused | Event::TokenUnreachable);
        let known = subject.live();
        subject.now = model.now;
        if subject.token_ends.take_if(|ends| *ends <= model.now).is_some() {
            let told = subject.shift.on(Event::Timer(Timer::TokenEnd), subject.now);
            assert!(told.is_ok(), "nobody hears that the token is over");
        }
        let before = subject.shift.clone();
        subject.fetching &= !is_answer;
        match subject.shift.on(event.clone(), subject.now) {
            Ok(effects) => subject.check_effects(&effects, &known),
            Err(_) => assert_eq!(subject.shift, before, "refused {event:?}, and changed all the same"),
        }
        let live = subject.live();
        subject.finished.extend(known.difference(&live));
        assert!(live.is_disjoint(&subject.finished), "a call came back after its end, by {event:?}");
        subject
    }

    fn check_invariants(subject: &Self, model: &Model) {
        match &subject.shift {
            Shift::Off(_) => assert_eq!(model.steps, 0),
            Shift::Starting(starting) => {
                let step = Step::ALL.iter().position(|step| *step == starting.step);
                assert_eq!(step.map(|step| step + 1), Some(model.steps));
            }
            Shift::On(duty) => {
                assert_eq!(model.steps, ON_DUTY);
                let rings = duty.rings.iter().map(|ring| ring.call.0).collect::<BTreeSet<_>>();
                assert_eq!(rings.len(), duty.rings.len(), "a call rings twice");
                assert_eq!(rings, model.rings);
                let talk = duty.talk.as_ref().map(|talk| talk.call.0);
                assert_eq!(talk, model.talk);
                if let Some(talk) = &duty.talk {
                    assert_eq!(talk.audio_since.is_some(), model.heard);
                    assert_eq!(talk.phase == Phase::HangingUp, model.hanging_up);
                    assert!(talk.phase != Phase::Talking || model.heard, "nobody was heard");
                }
                assert!(talk.is_none_or(|talk| !rings.contains(&talk)), "a call rings and talks at once");
                assert_eq!(duty.is_available(), model.is_available());
                assert_eq!(duty.line.is_down(), model.line == Line::Down);
            }
        }
    }
}
