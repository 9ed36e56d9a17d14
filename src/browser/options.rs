//! How the SDK's device is set up: every option that matters, and why.

use console::Setup;
use domain::Millis;
use domain::shift::Token;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::JsValue;

/// The options of a device whose token lives so long.
pub(crate) fn of(setup: &Setup, lifetime: Millis) -> Result<JsValue, JsValue> {
    let sounds = Object::new();
    for (name, url) in &setup.assets.sounds {
        Reflect::set(&sounds, &name.into(), &url.into())?;
    }
    let options = Object::new();
    let set = |name: &str, value: JsValue| Reflect::set(&options, &name.into(), &value);

    // A second call is shown instead of being dropped without a word to anybody.
    set("allowIncomingWhileBusy", true.into())?;
    set("appName", "hitoku".into())?;
    set("appVersion", setup.version.as_str().into())?;
    set("closeProtection", true.into())?;
    // Opus survives loss better; 32 kbit/s is more than a telephone line carries.
    set("codecPreferences", Array::of2(&"opus".into(), &"pcmu".into()).into())?;
    set("maxAverageBitrate", 32_000.into())?;
    set("enableImprovedSignalingErrorPrecision", true.into())?;
    // Anything more talkative prints tokens and call parameters.
    set("logLevel", "error".into())?;
    // How long the cloud holds a call whose socket dropped.
    set("maxCallSignalingTimeoutMs", 30_000.into())?;
    // Ours: the SDK's own host is not in the Content-Security-Policy, and a sound that does not load delays every ring by 2 s.
    set("sounds", sounds.into())?;
    set("tokenRefreshMs", (Token::latest_renewal(lifetime) as f64).into())?;

    if let Some(host) = &setup.rehearsal {
        set("chunderw", host.as_str().into())?;
        // The rehearsal's event gateway answers on TLS only.
        set("publishEvents", false.into())?;
    }
    Ok(options.into())
}
