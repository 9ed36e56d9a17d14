//! Faults of the cloud, switched on and off over the HTTP API.
//!
//! All off, the rehearsal behaves as Twilio does on a good day.

use serde::{Deserialize, Deserializer, Serialize};

/// What is wrong at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Faults {
    /// Every `listen` is refused with 31204.
    pub(crate) refuse_tokens: bool,
    /// Sockets open, and nothing is ever said on them.
    pub(crate) silent: bool,
    /// Sockets do not open.
    pub(crate) offline: bool,
    /// Whether calls carry the token that lets a browser come back. On unless switched off.
    pub(crate) reconnect_tokens: bool,
    /// No token lives longer than this many seconds, counted from its `iat`.
    pub(crate) token_ttl_cap: Option<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            refuse_tokens: false,
            silent: false,
            offline: false,
            reconnect_tokens: true,
            token_ttl_cap: None,
        }
    }
}

/// What shall change; what is missing stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FaultsPatch {
    refuse_tokens: Option<bool>,
    silent: Option<bool>,
    offline: Option<bool>,
    reconnect_tokens: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    token_ttl_cap: Option<Option<u64>>,
}

impl Faults {
    /// With the changes.
    pub(crate) fn patched(self, patch: &FaultsPatch) -> Self {
        Self {
            refuse_tokens: patch.refuse_tokens.unwrap_or(self.refuse_tokens),
            silent: patch.silent.unwrap_or(self.silent),
            offline: patch.offline.unwrap_or(self.offline),
            reconnect_tokens: patch.reconnect_tokens.unwrap_or(self.reconnect_tokens),
            token_ttl_cap: patch.token_ttl_cap.unwrap_or(self.token_ttl_cap),
        }
    }
}

/// Tells `null` (no cap) from a missing key (unchanged).
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let patch = |json| serde_json::from_str::<FaultsPatch>(json).unwrap();
        let capped = Faults::default().patched(&patch(r#"{"tokenTtlCap":15}"#));
        assert_eq!(capped, Faults { token_ttl_cap: Some(15), ..Faults::default() });
        let silent = capped.patched(&patch(r#"{"silent":true}"#));
        assert_eq!(silent, Faults { silent: true, ..capped });
        assert_eq!(silent.patched(&patch(r#"{"silent":false,"tokenTtlCap":null}"#)), Faults::default());
        assert!(serde_json::from_str::<FaultsPatch>(r#"{"ofline":true}"#).is_err());
    }
}
