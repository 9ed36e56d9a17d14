//! What an operator may see of a caller. There is deliberately no field that could hold a phone number.

use serde::{Deserialize, Serialize};

/// A caller as the operator sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The customer's name, as the directory has it; `None` for a caller whom nobody knows.
    pub name: Option<String>,
    /// The customer's id in the company's own terms.
    pub customer_id: Option<String>,
    /// What a caller is called whom nobody knows: the same for the same number.
    pub alias: Option<String>,
    /// Our own name for the call.
    pub call_ref: Option<CallRef>,
}

/// Our own opaque name for a call: says nothing of the caller, and is the same on the server and in every tab.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallRef(pub String);

impl CallRef {
    /// Sixteen characters of Crockford's base 32, which can be read out over the telephone. Of eighty bits that are random, or
    /// as good as that: then no two calls have the same.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 10]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        Self((0..16).rev().map(|place| ALPHABET[(bits >> (place * 5) & 31) as usize] as char).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ref_is_sixteen_characters_that_can_be_read_out() {
        assert_eq!(CallRef::from_bytes([0; 10]).0, "0000000000000000");
        assert_eq!(CallRef::from_bytes([255; 10]).0, "zzzzzzzzzzzzzzzz");
        assert_eq!(CallRef::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 33]).0, "0000000000000011");
    }
}
