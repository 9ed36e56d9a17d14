//! The company's own API: `GET {base}/resolve-caller?from_number=%2B…` → `{"appId","customerName","customerId"}`.
//!
//! The number is in the request's address, so no error that names the address may leave this file. `404`, `{}` and a null
//! `appId` mean that nobody has this number; whatever else is no such answer is an error, not "nobody".

use std::borrow::Cow;

use async_trait::async_trait;
use domain::Identity;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use crate::customer::{LONGEST, is_direction};
use crate::{Directory, Entry, PhoneNumber, Silent};

/// No answer that we understand is longer than this many bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The company's own API.
#[derive(Clone, Debug)]
pub struct Company {
    resolve: Url,
    client: reqwest::Client,
}

/// Whatever a name or an id is, the caller is put through.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    app_id: Option<String>,
    #[serde(borrow)]
    customer_name: Option<&'a RawValue>,
    #[serde(borrow)]
    customer_id: Option<&'a RawValue>,
}

impl Company {
    /// An API below `base` (`INTERNAL_API_BASE`), such as `https://crm.internal.example.com/v1`.
    ///
    /// # Errors
    /// The HTTP client cannot be made, or the address is no base for others.
    pub fn new(base: &Url) -> Result<Self, Silent> {
        let mut resolve = base.clone();
        resolve
            .path_segments_mut()
            .map_err(|()| Silent::Unreachable("INTERNAL_API_BASE is not a base address".to_owned()))?
            .pop_if_empty()
            .push("resolve-caller");
        let client = reqwest::Client::builder()
            // A redirect would carry the number to an address that nobody has configured.
            .redirect(reqwest::redirect::Policy::none())
            // So would a proxy that happens to be in the environment.
            .no_proxy()
            .build()
            .map_err(silent)?;
        Ok(Self { resolve, client })
    }

    #[expect(clippy::disallowed_methods, reason = "the company's own API is asked by number")]
    fn address(&self, number: &PhoneNumber) -> Url {
        let mut address = self.resolve.clone();
        address.query_pairs_mut().append_pair("from_number", number.expose());
        address
    }

    async fn ask(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        let mut response = self.client.get(self.address(number)).send().await.map_err(silent)?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(Silent::Refused(status)),
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(silent)? {
            body.extend_from_slice(&part);
            if body.len() > LONGEST_ANSWER {
                return Err(Silent::Nonsense("it is longer than 64 kB"));
            }
        }
        read(&body)
    }
}

#[async_trait]
impl Directory for Company {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        self.ask(number).await
    }
}

fn read(body: &[u8]) -> Result<Option<Entry>, Silent> {
    // Some write a byte order mark before their JSON, and some a name in another encoding: such a name is none.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match String::from_utf8_lossy(body) {
        Cow::Borrowed(text) => found(text),
        Cow::Owned(text) => found(&text).or_else(|_| found(&without_pairs(body))),
    }
}

fn found(text: &str) -> Result<Option<Entry>, Silent> {
    let answer: Answer<'_> = serde_json::from_str(text)
        .map_err(|_| Silent::Nonsense("it is not JSON with appId, customerName and customerId"))?;
    let Some(app_id) = answer.app_id.filter(|app_id| !app_id.trim().is_empty()) else { return Ok(None) };
    let operator = Identity::parse(&app_id)
        .map_err(|_| Silent::Nonsense("its appId is not 1 to 64 letters, digits, `_`, `-`, `.` or `@`"))?;
    let customer_name = answer.customer_name.and_then(written);
    Ok(Some(Entry { operator, customer_name, customer_id: answer.customer_id.and_then(written) }))
}

/// Text in Shift_JIS, in which the second half of a sign may be a backslash, without its signs.
fn without_pairs(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0x81..=0x9f | 0xe0..=0xfc => {
                bytes.next();
                text.push(char::REPLACEMENT_CHARACTER);
            }
            _ => text.push(if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER }),
        }
    }
    text
}

/// Names are text; ids are text in the article and numbers in many databases. What no directory of ours could hold is neither.
fn written(value: &RawValue) -> Option<String> {
    let text = match serde_json::from_str(value.get()).ok()? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    // What is not seen is left out wherever it stands: a name is not to look like another's. Persian needs one of them.
    let seen = |sign: char| match sign {
        '\u{200c}' => Some(sign),
        _ if sign.is_control() => Some(' '),
        _ => Some(sign).filter(|sign| !is_direction(*sign)),
    };
    let text: String = text.chars().filter_map(seen).collect();
    let text = text.trim_matches(|sign: char| sign.is_whitespace() || sign == '\u{200c}');
    let shown = !text.is_empty() && !text.contains('\u{fffd}') && text.chars().count() <= LONGEST;
    shown.then(|| text.to_owned())
}

fn silent(error: reqwest::Error) -> Silent {
    if error.is_timeout() {
        return Silent::Late;
    }
    // The outermost sentence says nothing of why; none of the causes knows the address.
    let error = error.without_url();
    let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
    Silent::Unreachable(
        std::iter::once(error.to_string())
            .chain(causes.map(ToString::to_string))
            .collect::<Vec<_>>()
            .join(": "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_from_nonsense() {
        for nobody in ["{}", r#"{"appId":null}"#, r#"{"appId":"","customerName":"x"}"#] {
            assert_eq!(read(nobody.as_bytes()).unwrap(), None, "{nobody}");
        }
        for nonsense in ["", "null", "[]", "<html>", r#"{"appId":7}"#, r#"{"appId":"a b"}"#] {
            assert!(matches!(read(nonsense.as_bytes()), Err(Silent::Nonsense(_))), "{nonsense}");
        }
    }

    #[test]
    fn a_customer_is_read_as_the_article_writes_it() {
        let body = r#"{"appId":"user001","customerName":"越井 琢巳","customerId":"cm-koshii","more":1}"#;
        let found = read(body.as_bytes()).unwrap().unwrap();
        assert_eq!(found.operator.as_str(), "user001");
        assert_eq!(found.customer_name.as_deref(), Some("越井 琢巳"));
        assert_eq!(found.customer_id.as_deref(), Some("cm-koshii"));
        let numbered = read(br#"{"appId":"user001","customerId":42}"#).unwrap().unwrap();
        assert_eq!((numbered.customer_name, numbered.customer_id.as_deref()), (None, Some("42")));
        let odd = b"\xef\xbb\xbf{\"appId\":\"user001\",\"customerName\":[],\"customerId\":1.5}";
        let odd = read(odd).unwrap().unwrap();
        assert_eq!((odd.customer_name, odd.customer_id.as_deref()), (None, Some("1.5")));
        // A name that cannot be read, or is none, costs nobody their operator.
        let sjis = b"{\"appId\":\"user001\",\"customerName\":\"\x89\x7a\x88\xe4\",\"customerId\":\" cm-1 \"}";
        let backslashes =
            b"{\"appId\":\"user001\",\"customerName\":\"\x95\x5c\x83\x5c\",\"customerId\":\"cm-1\"}";
        for odd in [
            &sjis[..],
            backslashes,
            br#"{"appId":"user001","customerName":"\ud83d","customerId":"cm-1"}"#,
            "{\"appId\":\"user001\",\"customerName\":\" \u{3000}\u{200b}\",\"customerId\":\"cm-1\"}"
                .as_bytes(),
        ] {
            let odd = read(odd).unwrap().unwrap();
            assert_eq!((odd.customer_name, odd.customer_id.as_deref()), (None, Some("cm-1")));
        }
        let turned =
            r#"{"appId":"user001","customerName":"\u200b越井\u202e\n琢\u00ad巳","customerId":"cm\u200b-1"}"#;
        let turned = read(turned.as_bytes()).unwrap().unwrap();
        assert_eq!(turned.customer_name.as_deref(), Some("越井 琢巳"));
        assert_eq!(turned.customer_id.as_deref(), Some("cm-1"));
        let persian = r#"{"appId":"user001","customerName":"علی\u200cرضا"}"#;
        let persian = read(persian.as_bytes()).unwrap().unwrap();
        assert_eq!(persian.customer_name.as_deref(), Some("علی\u{200c}رضا"));
        let long = format!(r#"{{"appId":"user001","customerId":"{}"}}"#, "x".repeat(LONGEST + 1));
        assert_eq!(read(long.as_bytes()).unwrap().unwrap().customer_id, None);
    }

    #[test]
    fn the_plus_is_percent_encoded() {
        let number = PhoneNumber::parse("+447700900101").unwrap();
        for (base, expected) in [
            ("https://crm.example.com", "https://crm.example.com/resolve-caller?from_number=%2B447700900101"),
            (
                "https://crm.example.com/v1/",
                "https://crm.example.com/v1/resolve-caller?from_number=%2B447700900101",
            ),
        ] {
            let company = Company::new(&Url::parse(base).unwrap()).unwrap();
            assert_eq!(company.address(&number).as_str(), expected);
        }
    }

    #[tokio::test]
    async fn an_error_never_names_the_number() {
        let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", unused.local_addr().unwrap());
        drop(unused);
        let company = Company::new(&Url::parse(&base).unwrap()).unwrap();
        let number = PhoneNumber::parse("+447700900101").unwrap();
        let error = company.look_up(&number).await.unwrap_err();
        assert!(matches!(error, Silent::Unreachable(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("7700"), "{error:?}");
    }
}
