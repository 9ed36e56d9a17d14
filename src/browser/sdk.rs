//! What `@twilio/voice-sdk` 2.18.5 looks like from here: extern blocks only, no logic.
//!
//! Its script defines the global `Twilio`; every member below was read in the package's `lib/twilio/*.ts`. Of a call's
//! `parameters` only the CallSid is here, on purpose.

use js_sys::{Function, Map, Promise};
use wasm_bindgen::prelude::*;
use web_sys::AudioContext;

#[wasm_bindgen]
extern "C" {
    /// Node's `EventEmitter`, which `Device` and `Call` are.
    #[derive(Clone)]
    pub(crate) type Emitter;

    #[wasm_bindgen(method)]
    pub(crate) fn on(this: &Emitter, event: &str, listener: &Function);

    #[wasm_bindgen(method, js_name = removeListener)]
    pub(crate) fn remove_listener(this: &Emitter, event: &str, listener: &Function);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Emitter, js_namespace = Twilio)]
    #[derive(Clone)]
    pub(crate) type Device;

    #[wasm_bindgen(constructor, js_namespace = Twilio, catch)]
    pub(crate) fn new(token: &str, options: &JsValue) -> Result<Device, JsValue>;

    #[wasm_bindgen(static_method_of = Device, js_namespace = Twilio, getter, js_name = isSupported, catch)]
    pub(crate) fn is_supported() -> Result<bool, JsValue>;

    /// The context in which every sound of the SDK is played; made by the first device.
    #[wasm_bindgen(static_method_of = Device, js_namespace = Twilio, getter, js_name = audioContext, catch)]
    pub(crate) fn audio_context() -> Result<Option<AudioContext>, JsValue>;

    /// The same, made now. Private in TypeScript: the only way to have it within the operator's click, before any device.
    #[wasm_bindgen(static_method_of = Device, js_namespace = Twilio, js_name = _getOrCreateAudioContext, catch)]
    pub(crate) fn make_audio_context() -> Result<Option<AudioContext>, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn register(this: &Device) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, js_name = updateToken, catch)]
    pub(crate) fn update_token(this: &Device, token: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn destroy(this: &Device) -> Result<(), JsValue>;

    /// `unregistered`, `registering`, `registered` or `destroyed`.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn state(this: &Device) -> String;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn audio(this: &Device) -> Option<Audio>;

    /// The signalling stream. Private in TypeScript: while it is there the SDK reconnects by itself.
    #[wasm_bindgen(method, getter, js_name = _stream)]
    pub(crate) fn stream(this: &Device) -> Option<Stream>;

    /// Sends the frame that the SDK itself sends every thirty seconds, and that the cloud answers with `ready`. Private in
    /// TypeScript: no other question is answered at once, and changes nothing.
    #[wasm_bindgen(method, js_name = _sendPresence, catch)]
    pub(crate) fn send_presence(this: &Device, presence: bool) -> Result<Promise, JsValue>;

    /// Its sounds by their names. Private in TypeScript: the SDK offers no other way to sound the ringtone again.
    #[wasm_bindgen(method, getter, js_name = _soundcache)]
    pub(crate) fn sounds(this: &Device) -> Map;

    /// Whether it registers by itself when the stream is connected again. Private in TypeScript: while this is so, asking it to
    /// register would stop that.
    #[wasm_bindgen(method, getter, js_name = _shouldReRegister)]
    pub(crate) fn registers_again(this: &Device) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Emitter, js_namespace = Twilio)]
    #[derive(Clone)]
    pub(crate) type Call;

    #[wasm_bindgen(method, getter, js_name = customParameters)]
    pub(crate) fn custom_parameters(this: &Call) -> Map;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn parameters(this: &Call) -> Parameters;

    /// The signalling stream. Private in TypeScript: the SDK tells the cloud of a hang-up only while its socket is open.
    #[wasm_bindgen(method, getter, js_name = _pstream)]
    pub(crate) fn stream(this: &Call) -> Stream;

    /// `pending`, `connecting`, `ringing`, `open`, `reconnecting` or `closed`.
    #[wasm_bindgen(method)]
    pub(crate) fn status(this: &Call) -> String;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn accept(this: &Call) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn reject(this: &Call) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn disconnect(this: &Call) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn mute(this: &Call, muted: bool) -> Result<(), JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// What the cloud sent with a call.
    pub(crate) type Parameters;

    #[wasm_bindgen(method, getter, js_name = CallSid)]
    pub(crate) fn call_sid(this: &Parameters) -> Option<String>;

    /// The SDK's signalling, which keeps what it is given while the socket is away and sends it when it is back. It emits each
    /// frame of the cloud's under the frame's type.
    #[wasm_bindgen(extends = Emitter)]
    #[derive(Clone)]
    pub(crate) type Stream;

    /// `disconnected` while the socket is away, `ready` when the cloud has registered the device.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn status(this: &Stream) -> String;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn hangup(this: &Stream, call_sid: &str) -> Result<(), JsValue>;

    /// Closes the socket.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn destroy(this: &Stream) -> Result<(), JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// A device's microphones and loudspeakers.
    pub(crate) type Audio;

    /// The change of microphone under way, if there is one. Private in TypeScript: one that ends after the call stays open.
    #[wasm_bindgen(method, js_name = _getInputDevicePromise)]
    pub(crate) fn change(this: &Audio) -> JsValue;

    /// By id, in the browser's order.
    #[wasm_bindgen(method, getter, js_name = availableInputDevices)]
    pub(crate) fn microphones(this: &Audio) -> Map;

    /// Opens this microphone for the call that goes on, and for every later one.
    #[wasm_bindgen(method, js_name = setInputDevice, catch)]
    pub(crate) fn set_input_device(this: &Audio, id: &JsValue) -> Result<Promise, JsValue>;

    /// The microphone that was set, by whomever: a `MediaDeviceInfo`, or nothing.
    #[wasm_bindgen(method, getter, js_name = inputDevice)]
    pub(crate) fn microphone(this: &Audio) -> JsValue;

    /// Opens the microphone that was set anew, which `setInputDevice` does not do with the one that it has. We set no constraints.
    #[wasm_bindgen(method, js_name = unsetAudioConstraints, catch)]
    pub(crate) fn open_anew(this: &Audio) -> Result<Promise, JsValue>;

    /// Closes the microphone that was set, by whomever. Refused while a call goes on.
    #[wasm_bindgen(method, js_name = unsetInputDevice, catch)]
    pub(crate) fn unset_input_device(this: &Audio) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// One of the SDK's sounds; the ringtone goes on until the SDK stops it.
    pub(crate) type Sound;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn play(this: &Sound) -> Result<Promise, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// A `TwilioError`, or one of the few that have no code.
    pub(crate) type Failure;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn code(this: &Failure) -> Option<f64>;

    /// What a call measures once a second.
    pub(crate) type Sample;

    /// Received since the sample before.
    #[wasm_bindgen(method, getter, js_name = bytesReceived)]
    pub(crate) fn bytes_received(this: &Sample) -> Option<f64>;
}
