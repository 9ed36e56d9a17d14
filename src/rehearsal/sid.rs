//! Names that Twilio makes up: CallSids, reconnect tokens, idempotency tokens.
//!
//! Random, so that no two runs and no two calls share one.

use rand::RngCore;

/// `CA` and 32 hexadecimal digits.
pub(crate) fn call() -> String {
    format!("CA{}", hex())
}

/// What lets a browser come back to a call whose socket was lost.
pub(crate) fn reconnect_token() -> String {
    format!("RT{}", hex())
}

/// A UUID in shape, for `I-Twilio-Idempotency-Token`.
pub(crate) fn uuid() -> String {
    let hex = hex();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing is derived from these names, so no test needs them seeded"
)]
fn hex() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
