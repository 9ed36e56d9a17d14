//! The SDK's device: the console's registration with the voice cloud.
//!
//! Invariant: its listeners are attached before it registers, and none of them hears what it reports while it is destroyed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use console::Setup;
use domain::shift::Event;
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::listener::Listener;
use crate::switchboard::{Post, heedless, soon};
use crate::token::Token;
use crate::{call, options, sdk, sound};

/// What a device says of itself when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A call would come through.
    Registered,
    /// It is registering, or will by itself.
    Returning,
    /// It waits to be asked.
    Abandoned,
    /// The SDK has ended it.
    Destroyed,
}

/// A device, destroyed when it is dropped.
pub(crate) struct Device {
    sdk: sdk::Device,
    deaf: Rc<Cell<bool>>,
    post: Post,
    /// Hears the cloud's own word that it holds this device.
    proof: RefCell<Option<Listener>>,
    /// Hears that the cloud took a token.
    greeting: RefCell<Option<Listener>>,
    /// Hears that it can be told of a hang-up.
    parting: RefCell<Option<Listener>>,
    _listeners: Vec<Listener>,
}

impl Device {
    /// Makes one, listens to it, and registers it.
    ///
    /// # Errors
    /// The SDK is not there or does not support this browser.
    pub(crate) fn create(
        setup: &Setup,
        token: &Token,
        post: &Post,
        incoming: impl Fn(sdk::Call) + 'static,
    ) -> Result<Self, JsValue> {
        let sdk = sdk::Device::new(&token.jwt, &options::of(setup, token.lifetime)?)?;
        let deaf = Rc::new(Cell::new(false));
        let hear = |event, told: Box<dyn Fn(JsValue, JsValue)>| {
            let deaf = Rc::clone(&deaf);
            Listener::of_sdk(&sdk, event, move |first, second| {
                if !deaf.get() {
                    told(first, second);
                }
            })
        };
        let say = |event: Event| -> Box<dyn Fn(JsValue, JsValue)> {
            let post = Rc::clone(post);
            Box::new(move |_, _| post(event.clone()))
        };
        let mut listeners = vec![
            hear("registered", say(Event::Registered)),
            hear("tokenWillExpire", say(Event::TokenWillExpire)),
            hear("unregistered", unregistered(&sdk, &deaf, post)),
            hear("error", failed(post)),
            hear("incoming", Box::new(move |call, _| incoming(call.unchecked_into()))),
        ];
        listeners.extend(sound::watch());
        let (proof, greeting, parting) = (RefCell::default(), RefCell::default(), RefCell::default());
        let device =
            Self { sdk, deaf, post: Rc::clone(post), proof, greeting, parting, _listeners: listeners };
        device.register()?;
        Ok(device)
    }

    /// Asks it to register if it will not by itself. Asked needlessly, the SDK would stop registering by itself.
    pub(crate) fn register_if_abandoned(&self) -> Result<(), JsValue> {
        if self.state() == State::Abandoned { self.register() } else { Ok(()) }
    }

    /// Asks the cloud, past the SDK, which takes a dead socket for a living one for fifteen seconds. Only the cloud's answer is
    /// heard: what the SDK says of itself proves nothing.
    pub(crate) fn prove(&self) -> Result<(), JsValue> {
        self.hear_of_cloud(&self.proof, "ready", Event::Registered);
        heedless(self.sdk.send_presence(true)?);
        Ok(())
    }

    /// Closes the socket before anything can be said on it. A call that is rejected on one device is rejected on all of the
    /// operator's; one whose socket is gone rings on at the others, and without others until Twilio's time is up.
    pub(crate) fn leave(&self) -> Result<(), JsValue> {
        self.deaf.set(true);
        self.sdk.stream().map_or(Ok(()), |stream| stream.destroy())
    }

    /// Opens the first microphone, which is the machine's default one where browsers tell which that is. There may be none: then
    /// the page goes on saying that nobody hears the operator.
    pub(crate) fn renew_microphone(&self) -> Result<(), JsValue> {
        let Some(audio) = self.sdk.audio() else { return Ok(()) };
        let first = audio.microphones().keys().next()?.value();
        let is_set = Reflect::get(&audio.microphone(), &"deviceId".into()).is_ok_and(|id| id == first);
        heedless(if is_set { audio.open_anew()? } else { audio.set_input_device(&first)? });
        Ok(())
    }

    /// Closes the microphone that was opened during a call, by us or by the SDK itself when the machine's default one changed,
    /// and that the SDK would keep open after it.
    pub(crate) fn release_microphone(&self) {
        let Some(audio) = self.sdk.audio() else { return };
        spawn_local(async move {
            let _ = JsFuture::from(Promise::resolve(&audio.change())).await;
            // Refused when the next call goes on by now, whose end asks again.
            if let Ok(released) = audio.unset_input_device() {
                heedless(released);
            }
        });
    }

    /// Plays one of its sounds. The ringtone goes on until the last ringing call is over or one is accepted.
    pub(crate) fn play(&self, name: &str) -> Result<(), JsValue> {
        let sound: sdk::Sound = self.sdk.sounds().get(&name.into()).unchecked_into();
        heedless(sound.play()?);
        Ok(())
    }

    /// Gives it a fresh token.
    pub(crate) fn update_token(&self, token: &Token) -> Result<(), JsValue> {
        self.hear_of_cloud(&self.greeting, "connected", Event::TokenTaken);
        self.sdk.update_token(&token.jwt)
    }

    fn hear_of_cloud(&self, ear: &RefCell<Option<Listener>>, frame: &'static str, event: Event) {
        let post = Rc::clone(&self.post);
        let heard = |stream: sdk::Stream| Listener::of_sdk(&stream, frame, move |_, _| post(event.clone()));
        ear.replace(self.sdk.stream().map(heard));
    }

    /// The signalling stream: a new one when the cloud has closed the last, whatever comes of registering on it.
    pub(crate) fn line(&self) -> Option<sdk::Stream> {
        let _ = self.register_if_abandoned();
        self.sdk.stream()
    }

    /// Tells the cloud on this stream that a call is over, as soon as it is ready: until then the cloud may not have looked at the
    /// token, and may refuse what comes with it.
    pub(crate) fn hang_up(&self, line: sdk::Stream, call_sid: String) -> Result<(), JsValue> {
        if line.status() == "ready" {
            return line.hangup(&call_sid);
        }
        let (stream, owed) = (line.clone(), Cell::new(Some(call_sid)));
        let ready = move |_, _| {
            if let Some(call_sid) = owed.take() {
                // It is known to be there.
                let _ = stream.hangup(&call_sid);
            }
        };
        self.parting.replace(Some(Listener::of_sdk(&line, "ready", ready)));
        Ok(())
    }

    /// What it says of itself.
    pub(crate) fn state(&self) -> State {
        state(&self.sdk)
    }

    fn register(&self) -> Result<(), JsValue> {
        // Whether it was is told by the events; the promise may stay open for ever.
        heedless(self.sdk.register()?);
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.deaf.set(true);
        self.release_microphone();
        // The listeners go after it: an `error` that nobody listens to is thrown.
        let _ = self.sdk.destroy();
    }
}

fn state(sdk: &sdk::Device) -> State {
    match sdk.state().as_str() {
        "registered" => State::Registered,
        "destroyed" => State::Destroyed,
        "unregistered" if sdk.stream().is_none() || sdk.registers_again().is_falsy() => State::Abandoned,
        _ => State::Returning,
    }
}

/// Told a moment later: the SDK lets go of a stream that the cloud closed only after it has told.
fn unregistered(sdk: &sdk::Device, deaf: &Rc<Cell<bool>>, post: &Post) -> Box<dyn Fn(JsValue, JsValue)> {
    let (sdk, deaf, post) = (sdk.clone(), Rc::clone(deaf), Rc::clone(post));
    Box::new(move |_, _| {
        let (sdk, deaf, post) = (sdk.clone(), Rc::clone(&deaf), Rc::clone(&post));
        soon(move || {
            if !deaf.get() {
                post(Event::Unregistered { returns: state(&sdk) != State::Abandoned });
            }
        });
    })
}

/// An error that belongs to a call comes with it, and the call reports its own end.
fn failed(post: &Post) -> Box<dyn Fn(JsValue, JsValue)> {
    let post = Rc::clone(post);
    Box::new(move |error, call| {
        if call.is_falsy() {
            post(Event::DeviceFailed { code: call::code(&error) });
        }
    })
}
