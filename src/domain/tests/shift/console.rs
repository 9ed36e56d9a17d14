//! A console under test: a shift and a clock that moves only when it is told to.

use domain::shift::{CallId, Duty, Effect, Event, Failure, Intent, Note, Refusal, Shift, Talk, Timer};
use domain::{CallRef, Card, Millis};

pub(crate) const HOUR: Millis = 3_600_000;
pub(crate) const A: CallId = CallId(1);
pub(crate) const B: CallId = CallId(2);
pub(crate) const WITHDRAWN: Event = Event::MicrophoneLost(Failure::MicrophoneRefused);

pub(crate) struct Console {
    pub(crate) shift: Shift,
    pub(crate) now: Millis,
}

impl Console {
    /// Off duty.
    pub(crate) fn off() -> Self {
        Self { shift: Shift::default(), now: 1_790_000_000_000 }
    }

    /// On duty, with a token that lives for an hour.
    pub(crate) fn on_duty() -> Self {
        let mut console = Self::off();
        for event in [
            Event::Operator(Intent::StartShift),
            Event::AudioReady,
            Event::MicrophoneReady,
            Event::TokenReady { lifetime: HOUR },
            Event::Registered,
        ] {
            console.on(event);
        }
        console
    }

    /// On duty, and these ring.
    pub(crate) fn ringing(calls: &[CallId]) -> Self {
        let mut console = Self::on_duty();
        for call in calls {
            console.on(incoming(*call));
        }
        console
    }

    /// On duty, `A` accepted, nothing heard yet.
    pub(crate) fn connecting() -> Self {
        let mut console = Self::ringing(&[A]);
        console.on(Event::Operator(Intent::Accept(A)));
        console.on(Event::Accepted(A));
        console
    }

    /// On duty, talking on `A`.
    pub(crate) fn talking() -> Self {
        let mut console = Self::connecting();
        console.after(500).on(Event::AudioFlows(A));
        console
    }

    /// Lets time pass.
    pub(crate) fn after(&mut self, time: Millis) -> &mut Self {
        self.now += time;
        self
    }

    /// It happens; it must mean something.
    #[track_caller]
    pub(crate) fn on(&mut self, event: Event) -> Vec<Effect> {
        match self.shift.on(event.clone(), self.now) {
            Ok(effects) => effects,
            Err(refusal) => panic!("{event:?} was refused, since {refusal}, in {:?}", self.shift),
        }
    }

    /// It happens; it must mean nothing, and change nothing.
    #[track_caller]
    pub(crate) fn refuses(&mut self, event: Event) -> Refusal {
        let before = self.shift.clone();
        let refusal = match self.shift.on(event.clone(), self.now) {
            Ok(effects) => panic!("{event:?} gave {effects:?}"),
            Err(refusal) => refusal,
        };
        assert_eq!(self.shift, before);
        refusal
    }

    #[track_caller]
    pub(crate) fn duty(&self) -> &Duty {
        let Shift::On(duty) = &self.shift else { panic!("not on duty: {:?}", self.shift) };
        duty
    }

    #[track_caller]
    pub(crate) fn talk(&self) -> &Talk {
        let Some(talk) = &self.duty().talk else { panic!("nobody talks: {:?}", self.shift) };
        talk
    }

    pub(crate) fn rings(&self) -> Vec<CallId> {
        self.duty().rings.iter().map(|ring| ring.call).collect()
    }
}

/// A call that rings, with a card and a call ref of its own.
pub(crate) fn incoming(call: CallId) -> Event {
    Event::Incoming { call, card: card(call) }
}

pub(crate) fn card(call: CallId) -> Card {
    Card {
        name: Some(format!("customer {}", call.0)),
        customer_id: None,
        alias: None,
        call_ref: Some(call_ref(call)),
    }
}

pub(crate) fn call_ref(call: CallId) -> CallRef {
    CallRef(format!("ref{}", call.0))
}

pub(crate) fn note(note: Note) -> Effect {
    Effect::Note(note)
}

/// The delay for which this timer is set, if it is.
pub(crate) fn delay(effects: &[Effect], timer: Timer) -> Option<Millis> {
    effects.iter().find_map(|effect| match effect {
        Effect::SetTimer(set, delay) if *set == timer => Some(*delay),
        _ => None,
    })
}
