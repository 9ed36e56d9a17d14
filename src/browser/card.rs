//! From a call of the SDK to a card.
//!
//! Invariant: only the four parameters that our server sends are read, never the SDK's own, which may hold a number.

use domain::{CallRef, Card};
use wasm_bindgen::JsValue;

use crate::sdk::Call;

/// Who calls, as far as the server says.
pub(crate) fn of(call: &Call) -> Card {
    let parameters = call.custom_parameters();
    let text = |name| parameters.get(&JsValue::from_str(name)).as_string().filter(|text| !text.is_empty());
    Card {
        name: text("customerName"),
        customer_id: text("customerId"),
        alias: text("callerAlias"),
        call_ref: text("callRef").map(CallRef),
    }
}
