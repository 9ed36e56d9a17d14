//! The document and the page in it.

use leptos::prelude::*;

use crate::setup::{ELEMENT, Setup};

/// The document, as the server sends it.
#[component]
pub fn Shell(
    /// How this console is set up.
    setup: Setup,
) -> impl IntoView {
    let json = serde_json::to_string(&setup).unwrap_or_default().replace('<', "\\u003c");
    let start = format!(
        "import('{}').then(m => m.default({{ module_or_path: '{}' }}).then(() => m.hydrate()))",
        setup.assets.glue, setup.assets.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang="ja">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <title>"秘匿 Hitoku"</title>
                <link rel="stylesheet" href=setup.assets.style.clone()/>
                <script src=setup.assets.sdk.clone() nonce=use_nonce() defer=true></script>
                <script type="application/json" id=ELEMENT inner_html=json></script>
                <script type="module" nonce=use_nonce() inner_html=start></script>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The console.
#[component]
pub fn App() -> impl IntoView {
    let count = RwSignal::new(0);
    view! { <main><button on:click=move |_| count.update(|count| *count += 1)>{count}</button></main> }
}
