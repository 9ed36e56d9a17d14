//! The HTML document around the page, as the server sends it.
//!
//! Invariant: every script in it carries the response's nonce or comes from our own origin; nothing is inline without one.

use leptos::prelude::*;

use crate::app::App;
use crate::language::Language;
use crate::setup::{ELEMENT, Setup};

/// The SDK writes `wss://` before every host; a newcomer's rehearsal has no certificate. It must run before the SDK does,
/// which takes hold of `WebSocket` while it loads, and it touches this one address only.
const PLAIN_SOCKET: &str = "(secure => {
  const Real = globalThis.WebSocket;
  globalThis.WebSocket = class extends Real {
    constructor(url, protocols) {
      const text = String(url);
      super(text.startsWith(secure + '/') ? 'ws' + text.slice(3) : text, protocols ?? []);
    }
  };
})";

/// Remembers the button that an operator presses before the WASM has arrived, so that no press is lost.
const EARLY: &str =
    "const early = { button: null, press(event) { early.button = event.target.closest('button'); } };
addEventListener('click', early.press, true);";

/// Starts the WASM, and then presses that button. The WASM is made ready beside the SDK, and takes the page over when that has
/// run. A page whose WASM does not arrive looks alive and is dead, so it says so; and where it could not run, that no reload
/// helps.
const START: &str = "(glue, wasm) => {
  const supported = globalThis.WebAssembly && globalThis.AbortSignal?.timeout;
  const parsed = new Promise(done => addEventListener('DOMContentLoaded', done));
  import(glue)
    .then(({ default: start, hydrate }) => {
      if (!supported) throw new Error('this browser is not supported');
      return start({ module_or_path: wasm }).then(() => parsed).then(() => hydrate());
    })
    .then(() => early.button?.click(), async error => {
      await parsed;
      const note = document.querySelector('.broken-note');
      if (!supported) note.textContent = note.dataset.unsupported;
      document.documentElement.classList.add('broken');
      throw error;
    })
    .finally(() => removeEventListener('click', early.press, true));
}";

/// The document.
#[component]
pub fn Shell(
    /// How this console is set up.
    setup: Setup,
    /// A script of the development server, which loads the page again after a change.
    #[prop(optional)]
    live_reload: Option<AnyView>,
) -> impl IntoView {
    provide_context(setup.clone());
    let json = in_script(&setup);
    let plain_socket = setup.rehearsal.as_ref().map(|host| {
        let script = format!("{PLAIN_SOCKET}({})", in_script(&format!("wss://{host}")));
        view! { <script nonce=use_nonce() inner_html=script></script> }
    });
    let rehearsal = setup.rehearsal.as_deref().map(rehearsal_note);
    let start = format!("({START})({}, {});", in_script(&setup.assets.glue), in_script(&setup.assets.wasm));
    let (broken, unsupported, scripts) = match setup.language {
        Language::Ja => (
            "画面を読み込めませんでした。ネットワークを確かめて、ページを再読み込みしてください。",
            "このブラウザーには対応していません。Chrome、Edge、Firefox の最新版で開いてください。",
            "この画面には JavaScript が必要です。ブラウザーの設定で有効にしてください。",
        ),
        Language::En => (
            "The console could not be loaded. Check the network, then reload the page.",
            "This browser is not supported. Open the console in a current Chrome, Edge or Firefox.",
            "The console needs JavaScript. Allow it in the browser's settings.",
        ),
    };
    view! {
        <!DOCTYPE html>
        <html lang=setup.language.tag()>
            <head>
                <Meta/>
                // Before the style, for which any script after it would wait.
                <script nonce=use_nonce() inner_html=EARLY></script>
                <script nonce=use_nonce() inner_html=start></script>
                {plain_socket}
                <link rel="stylesheet" href=setup.assets.style/>
                <link rel="modulepreload" href=setup.assets.glue/>
                <link rel="preload" href=setup.assets.wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <script src=setup.assets.sdk nonce=use_nonce() defer=true></script>
                <script type="application/json" id=ELEMENT inner_html=json></script>
                {live_reload}
            </head>
            <body>
                <App/>
                {rehearsal}
                <p class="broken-note" role="alert" data-unsupported=unsupported>
                    {broken}
                </p>
                <noscript>
                    <p class="broken-note broken-note--shown">{scripts}</p>
                </noscript>
            </body>
        </html>
    }
}

/// Said in rehearsal: nobody is to wait there for real calls, and a newcomer is to find the other end of the line.
/// In both languages, of which the style shows the page's: it is chosen after this has been written.
fn rehearsal_note(host: &str) -> impl IntoView + use<> {
    let phone = format!("http://{host}");
    let note = |lang, says, opens| {
        view! {
            <p lang=lang>
                {says}
                " "
                <a href=phone.clone() target="_blank">
                    {opens}
                </a>
            </p>
        }
    };
    view! {
        <aside class="rehearsal">
            {note("ja", "リハーサル中です。本物の電話はかかってきません。", "お客様の電話を開く")}
            {note("en", "This is a rehearsal: no real calls come in.", "Open the customer’s phone")}
        </aside>
    }
}

/// The document that answers an address with an identity that is none: no script, and what to do.
#[component]
pub fn Refused(
    /// The style sheet.
    style: String,
    /// The language to say it in.
    language: Language,
) -> impl IntoView {
    let (title, advice, back) = match language {
        Language::Ja => (
            "担当者 ID が正しくありません",
            "アドレスの identity には、英数字と _ - . @ を 1〜64 文字で指定してください。",
            "既定の担当者で開く",
        ),
        Language::En => (
            "That is not an operator's ID",
            "The identity in the address must be 1 to 64 letters, digits, or the characters _ - . @",
            "Open the default operator's console",
        ),
    };
    view! {
        <!DOCTYPE html>
        <html lang=language.tag()>
            <head>
                <Meta/>
                <link rel="stylesheet" href=style/>
            </head>
            <body>
                <main class="refused">
                    <h1>{title}</h1>
                    <p>{advice}</p>
                    <p>
                        <a href="/">{back}</a>
                    </p>
                </main>
            </body>
        </html>
    }
}

#[component]
fn Meta() -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        {theme_color("light", "#f6f7f9")}
        {theme_color("dark", "#10141a")}
        <title>"秘匿 Hitoku"</title>
        <link rel="icon" href="/icon.svg" r#type="image/svg+xml"/>
    }
}

fn theme_color(scheme: &str, colour: &'static str) -> impl IntoView + use<> {
    let media = format!("(prefers-color-scheme: {scheme})");
    leptos::html::meta().name("theme-color").content(colour).attr("media", media)
}

/// JSON that no `</script>` or `<!--` inside can end early.
fn in_script(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().replace('<', "\\u003c")
}
