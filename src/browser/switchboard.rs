//! The loop: events in, one after the other, to the shift; effects out, to the SDK and the browser.
//!
//! Invariant: an event is settled, effects and all, before the next one is looked at, although the SDK reports some events
//! while it does what it was asked; and an event from outside is settled before its callback returns, so that what the
//! operator's click asks for still counts as theirs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use console::Setup;
use console::softphone::Entry;
use domain::Millis;
use domain::shift::{CallId, Effect, Event, Failure, Note, Shift};
use js_sys::Promise;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::call::Call;
use crate::device::{Device, State};
use crate::leaving::Leaving;
use crate::listener::Listener;
use crate::shift_lock::ShiftLock;
use crate::tabs::Tabs;
use crate::timers::Timers;
use crate::token::Token;
use crate::{clock, event_log, microphone, sdk, sound, token};

/// Says that something happened.
pub(crate) type Post = Rc<dyn Fn(Event)>;

/// Does it when the code that runs now, ours or the SDK's, has finished.
pub(crate) fn soon(what: impl FnOnce() + 'static) {
    // Boxed, so that the WASM carries the machinery of a task once.
    let what: Box<dyn FnOnce()> = Box::new(what);
    spawn_local(async move { what() });
}

/// Lets a promise go its way; its refusal is no error of the page.
pub(crate) fn heedless(promise: Promise) {
    spawn_local(async move {
        let _ = JsFuture::from(promise).await;
    });
}

/// What the page draws.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    /// The shift.
    pub(crate) shift: RwSignal<Shift>,
    /// The event log.
    pub(crate) event_log: RwSignal<Vec<Entry>>,
    /// The time.
    pub(crate) now: RwSignal<Millis>,
}

/// The shift, and everything that it moves.
pub(crate) struct Switchboard {
    me: Weak<Self>,
    post: Post,
    setup: Setup,
    shown: Shown,
    shift: RefCell<Shift>,
    inbox: RefCell<VecDeque<Event>>,
    settling: Cell<bool>,
    device: RefCell<Option<Device>>,
    calls: RefCell<Vec<Call>>,
    rung: Cell<u32>,
    token: RefCell<Option<Token>>,
    timers: Timers,
    tabs: RefCell<Option<Tabs>>,
    leaving: Leaving,
    shift_lock: ShiftLock,
    /// Listens to whether there is a microphone still, and whether it is ours.
    microphone: RefCell<Vec<Listener>>,
    /// Moves on when a shift is over: what was asked before is not answered any more.
    era: Cell<u32>,
}

impl Switchboard {
    /// One at rest.
    pub(crate) fn new(setup: Setup, shown: Shown) -> Rc<Self> {
        Rc::new_cyclic(|me: &Weak<Self>| {
            let post: Post = {
                let me = me.clone();
                Rc::new(move |event| {
                    if let Some(me) = me.upgrade() {
                        me.post(event);
                    }
                })
            };
            Self {
                me: me.clone(),
                tabs: RefCell::new(Tabs::open(&post)),
                post,
                setup,
                shown,
                shift: RefCell::default(),
                inbox: RefCell::default(),
                settling: Cell::default(),
                device: RefCell::default(),
                calls: RefCell::default(),
                rung: Cell::default(),
                token: RefCell::default(),
                timers: Timers::default(),
                leaving: Leaving::default(),
                shift_lock: ShiftLock::default(),
                microphone: RefCell::default(),
                era: Cell::default(),
            }
        })
    }

    /// Settles an event, and those that come of it.
    pub(crate) fn post(&self, event: Event) {
        self.inbox.borrow_mut().push_back(event);
        if self.settling.replace(true) {
            return;
        }
        loop {
            let Some(event) = self.inbox.borrow_mut().pop_front() else { break };
            let now = clock::now();
            if let Event::Timer(fired) = event {
                self.timers.forget(&|timer| timer == fired);
            }
            // What means nothing now is what a finished call still says, or a click that came too late.
            let effects = self.shift.borrow_mut().on(event, now).unwrap_or_default();
            for effect in effects {
                if let Err(error) = self.perform(effect, now) {
                    web_sys::console::warn_1(&error);
                }
            }
            self.let_go_of_finished_calls();
        }
        self.settling.set(false);
        self.show();
    }

    /// The page is going away, maybe into the back/forward cache, which takes no open channel and no lock. Whether all calls are
    /// settled: otherwise the SDK does it.
    pub(crate) fn leave(&self) -> bool {
        self.tabs.take();
        self.shift_lock.hold(false);
        let (rings, talk) = match &*self.shift.borrow() {
            Shift::On(duty) => (!duty.rings.is_empty(), duty.talk.as_ref().map(|talk| talk.call)),
            Shift::Off(_) | Shift::Starting(_) => (false, None),
        };
        if !rings {
            return false;
        }
        // The SDK would reject what rings, and with it the same call in the operator's other tabs.
        if let Some(talk) = talk {
            drop(self.hang_up(talk));
        }
        self.with_device(Device::leave).is_ok()
    }

    /// The page is back, or may have been away: the device is asked what it is, since it may have changed unheard.
    pub(crate) fn wake(&self) {
        if self.tabs.borrow().is_none() {
            self.tabs.replace(Tabs::open(&self.post));
        }
        let state = self.device.borrow().as_ref().map(Device::state);
        if let Some(state) = state {
            sound::resume();
            match state {
                // So the SDK believes; the cloud knows.
                State::Registered => drop(self.with_device(Device::prove)),
                State::Returning => self.post(Event::Unregistered { returns: true }),
                State::Abandoned => self.post(Event::Unregistered { returns: false }),
                State::Destroyed => self.post(Event::DeviceGone),
            }
        }
        self.post(Event::Woke);
    }

    fn perform(&self, effect: Effect, now: Millis) -> Result<(), JsValue> {
        match effect {
            Effect::UnlockAudio => match sound::unlock() {
                Ok(answer) => self.answer(Box::pin(answer)),
                Err(why) => self.post(Event::StepFailed(why)),
            },
            Effect::OpenMicrophone => {
                self.answer(Box::pin(microphone::ask()));
                self.watch_microphone();
            }
            Effect::FetchToken => self.answer(Box::pin(fetch_token(self.me.clone(), self.era.get()))),
            Effect::CreateDevice => return self.create_device(),
            Effect::Register => return self.with_device(Device::register_if_abandoned),
            Effect::ProveLine => return self.with_device(Device::prove),
            Effect::LeaveLine => return self.with_device(Device::leave),
            Effect::UpdateToken => return self.update_token(),
            Effect::DestroyDevice => drop(self.device.take()),
            Effect::Accept(call) => {
                let accepted = self.with_call(call, Call::accept);
                if !matches!(accepted, Ok(Some(true))) {
                    self.post(Event::Stuck(call));
                }
                return accepted.map(drop);
            }
            Effect::TellOtherTabs(call_ref) => {
                if let Some(tabs) = &*self.tabs.borrow() {
                    return tabs.tell(&call_ref);
                }
            }
            Effect::RingOn => return self.with_device(|device| device.play("incoming")),
            // No call goes out from here.
            Effect::CallWaits => return self.with_device(|device| device.play("outgoing")),
            Effect::Reject(call) => return self.with_call(call, Call::reject).map(drop),
            Effect::HangUp(call) => return self.hang_up(call),
            Effect::Mute(call, muted) => return self.with_call(call, |call| call.mute(muted)).map(drop),
            Effect::RenewMicrophone => return self.with_device(Device::renew_microphone),
            Effect::SetTimer(timer, after) => self.timers.set(timer, after, &self.post),
            Effect::Forget => {
                self.era.set(self.era.get().wrapping_add(1));
                self.timers.forget(&|_| true);
            }
            Effect::Note(note) => self.note(note, now),
        }
        Ok(())
    }

    /// Hears when the microphone is lost, from the first time that it is asked for.
    fn watch_microphone(&self) {
        let mut watches = self.microphone.borrow_mut();
        if !watches.is_empty() {
            return;
        }
        let me = self.me.clone();
        let changed = move || {
            if let Some(me) = me.upgrade() {
                me.answer(Box::pin(microphone::find()));
            }
        };
        watches.extend(microphone::watch_devices(changed));
        let me = self.me.clone();
        spawn_local(async move {
            let Some(permission) = microphone::permission().await else { return };
            if let Some(me) = me.upgrade() {
                me.microphone.borrow_mut().push(microphone::watch_permission(&permission, &me.post));
            }
        });
    }

    /// Settles what comes of it, unless the shift that asked is over by then.
    fn answer(&self, answer: Pin<Box<dyn Future<Output = Event>>>) {
        let (me, era) = (self.me.clone(), self.era.get());
        spawn_local(async move {
            let event = answer.await;
            if let Some(me) = me.upgrade().filter(|me| me.era.get() == era) {
                me.post(event);
            }
        });
    }

    fn create_device(&self) -> Result<(), JsValue> {
        let me = self.me.clone();
        let incoming = move |call| {
            if let Some(me) = me.upgrade() {
                me.ring(call);
            }
        };
        let token = self.token.borrow();
        let made = token.as_ref().map(|token| Device::create(&self.setup, token, &self.post, incoming));
        match made {
            Some(Ok(device)) => drop(self.device.replace(Some(device))),
            failed => {
                self.post(Event::StepFailed(Failure::Unsupported));
                return failed.transpose().map(drop);
            }
        }
        Ok(())
    }

    fn ring(&self, call: sdk::Call) {
        let id = CallId(self.rung.get());
        if let Some(call) = Call::ringing(call, id, &self.post) {
            self.rung.set(id.0.wrapping_add(1));
            let card = call.card();
            self.calls.borrow_mut().push(call);
            sound::resume();
            self.post(Event::Incoming { call: id, card });
        }
    }

    fn update_token(&self) -> Result<(), JsValue> {
        let (device, token) = (self.device.borrow(), self.token.borrow());
        let (Some(device), Some(token)) = (&*device, &*token) else { return Ok(()) };
        device.update_token(token)
    }

    fn hang_up(&self, call: CallId) -> Result<(), JsValue> {
        self.with_call(call, |call| call.hang_up(self.device.borrow().as_ref())).map(drop)
    }

    fn with_device(&self, act: impl FnOnce(&Device) -> Result<(), JsValue>) -> Result<(), JsValue> {
        self.device.borrow().as_ref().map_or(Ok(()), act)
    }

    fn with_call<T>(
        &self,
        id: CallId,
        act: impl FnOnce(&Call) -> Result<T, JsValue>,
    ) -> Result<Option<T>, JsValue> {
        self.calls.borrow().iter().find(|call| call.id() == id).map(act).transpose()
    }

    /// Lets go of the calls that the shift no longer knows, a moment later, when the SDK has settled what they are. One that
    /// still rings in it then, as after the cloud closed the stream, would play its ringtone for ever.
    fn let_go_of_finished_calls(&self) {
        let known = |id| match &*self.shift.borrow() {
            Shift::On(duty) => {
                duty.rings.iter().any(|ring| ring.call == id)
                    || duty.talk.as_ref().is_some_and(|talk| talk.call == id)
            }
            Shift::Off(_) | Shift::Starting(_) => false,
        };
        let finished = self.calls.borrow_mut().extract_if(.., |call| !known(call.id())).collect::<Vec<_>>();
        if finished.is_empty() {
            return;
        }
        if matches!(&*self.shift.borrow(), Shift::On(duty) if duty.talk.is_none())
            && let Some(device) = &*self.device.borrow()
        {
            device.release_microphone();
        }
        self.timers.forget(&|timer| timer.call().is_some_and(|call| !known(call)));
        soon(move || {
            for call in finished.iter().filter(|call| call.is_pending()) {
                // A call that ended in between cannot be rejected, and need not be.
                let _ = call.reject();
            }
        });
    }

    fn note(&self, note: Note, at: Millis) {
        event_log::add(self.shown.event_log, Entry { at, note });
    }

    fn show(&self) {
        let shift = self.shift.borrow();
        // What is settled while the page is away, without its channel, takes no lock again.
        self.shift_lock.hold(matches!(&*shift, Shift::On(_)) && self.tabs.borrow().is_some());
        self.leaving.ask(matches!(&*shift, Shift::On(duty) if duty.talk.is_some() || !duty.rings.is_empty()));
        self.shown.now.set(clock::now());
        if *self.shown.shift.read_untracked() != *shift {
            self.shown.shift.set(shift.clone());
        }
    }
}

/// An answer that comes after the shift that asked is over is not kept: the next one has a token of its own.
async fn fetch_token(switchboard: Weak<Switchboard>, era: u32) -> Event {
    let asked = switchboard.upgrade().map(|switchboard| {
        let sounds = switchboard.setup.assets.sounds.iter();
        let ringtone = sounds.filter(|(name, _)| name == "incoming").map(|(_, url)| url.clone()).next();
        (switchboard.setup.identity.clone(), ringtone.filter(|_| switchboard.device.borrow().is_none()))
    });
    let Some((identity, ringtone)) = asked else { return Event::TokenUnreachable };
    match token::fetch(&identity, ringtone).await {
        Ok(token) => {
            let lifetime = token.lifetime;
            if let Some(switchboard) = switchboard.upgrade().filter(|asked| asked.era.get() == era) {
                switchboard.token.replace(Some(token));
            }
            Event::TokenReady { lifetime }
        }
        Err(event) => event,
    }
}
