//! Custom parameters of a `<Client>`, as they travel in `call.parameters.Params`.
//!
//! Names travel raw and values percent-encoded: that is what the SDK's parser undoes.

/// `name=value&name=value`.
pub(crate) fn encode(parameters: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| {
        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        format!("{name}={value}")
    };
    parameters.iter().map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_raw_and_values_encoded() {
        let parameters = [("case", "A B=C&d"), ("custom + param", "我"), ("plus", "1+1"), ("none", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(encode(&parameters), "case=A+B%3DC%26d&custom + param=%E6%88%91&plus=1%2B1&none=");
    }
}
