//! Files that the binary carries: compressed when it was built, under names that change with their content.
//!
//! A name with a hash in it never means other bytes, so browsers keep it for good and never ask again; the plain name of a
//! file (`/icon.svg`) works too and is asked for each time.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha1::{Digest, Sha1};

use crate::sounds::Sound;

/// A file of the packed site, as `build.rs` writes it.
struct Embedded {
    path: &'static str,
    logical: &'static str,
    content_type: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/site.rs"));

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// A file to be served.
#[derive(Debug)]
struct File {
    content_type: &'static str,
    etag: String,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// Files by the path that asks for them, each with how long it may be kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried(HashMap<String, (Arc<File>, &'static str)>);

/// Whether this binary carries its site.
pub(crate) fn is_there() -> bool {
    !EMBEDDED.is_empty()
}

/// The hashed path of a file of the site, by its plain one.
pub(crate) fn path_of(logical: &str) -> Option<&'static str> {
    EMBEDDED.iter().find(|file| file.logical == logical).map(|file| file.path)
}

impl Carried {
    /// The site in this binary.
    pub(crate) fn site() -> Self {
        let mut carried = Self::default();
        for file in EMBEDDED {
            let served = Arc::new(File {
                content_type: file.content_type,
                etag: format!("\"{}\"", hash(file.plain)),
                plain: Bytes::from_static(file.plain),
                brotli: file.brotli.map(Bytes::from_static),
                gzip: file.gzip.map(Bytes::from_static),
            });
            carried.0.insert(file.path.to_owned(), (served.clone(), IMMUTABLE));
            carried.0.insert(file.logical.to_owned(), (served, ASK_AGAIN));
        }
        carried
    }

    /// Adds sounds, and tells where each is: its name and its path.
    pub(crate) fn add_sounds(&mut self, sounds: Vec<Sound>) -> Vec<(String, String)> {
        let mut places = Vec::with_capacity(sounds.len());
        for Sound { name, wav } in sounds {
            let hash = hash(&wav);
            let path = format!("/sounds/{name}.{hash}.wav");
            let etag = format!("\"{hash}\"");
            let file = File { content_type: "audio/wav", etag, plain: wav.into(), brotli: None, gzip: None };
            self.0.insert(path.clone(), (Arc::new(file), IMMUTABLE));
            places.push((name.to_owned(), path));
        }
        places
    }

    /// A route for each file.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        self.0.into_iter().fold(Router::new(), |router, (path, (file, keep))| {
            let answer = move |request: Request| std::future::ready(file.answer(request.headers(), keep));
            router.route(&path, get(answer))
        })
    }
}

impl File {
    fn answer(&self, asked: &HeaderMap, keep: &'static str) -> Response {
        // Weak: the same for every encoding of the same content.
        let etag = format!("W/{}", self.etag);
        let named = [(ETAG, etag.as_str()), (CACHE_CONTROL, keep), (VARY, "accept-encoding")];
        if lists(asked, &IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, named).into_response();
        }
        let (encoding, body) = match (&self.brotli, &self.gzip) {
            (Some(brotli), _) if lists(asked, &ACCEPT_ENCODING, "br") => (Some("br"), brotli),
            (_, Some(gzip)) if lists(asked, &ACCEPT_ENCODING, "gzip") => (Some("gzip"), gzip),
            _ => (None, &self.plain),
        };
        let encoding = encoding.map(|encoding| [(CONTENT_ENCODING, encoding)]);
        (named, [(CONTENT_TYPE, self.content_type)], encoding, body.clone()).into_response()
    }
}

/// Whether a header that is a list has this item, and does not refuse it with `q=0`.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let item = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        item.strip_prefix("W/").unwrap_or(item) == wanted
            && quality.is_none_or(|quality| quality.parse() != Ok(0.0))
    })
}

fn hash(bytes: &[u8]) -> String {
    Sha1::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    use super::*;

    fn file() -> File {
        let plain = Bytes::from_static(b"plain");
        let brotli = Some(Bytes::from_static(b"brotli"));
        let gzip = Some(Bytes::from_static(b"gzip"));
        File { content_type: "text/css", etag: "\"tag\"".to_owned(), plain, brotli, gzip }
    }

    async fn body_for(encodings: &str) -> Bytes {
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, encodings.parse().unwrap())]);
        to_bytes(file().answer(&headers, IMMUTABLE).into_body(), 100).await.unwrap()
    }

    #[tokio::test]
    async fn the_best_encoding_that_the_browser_takes_is_sent() {
        for (encodings, expected) in [
            ("gzip, deflate, br, zstd", "brotli"),
            ("gzip;q=0.5, br;q=0", "gzip"),
            ("deflate", "plain"),
            ("", "plain"),
        ] {
            assert_eq!(body_for(encodings).await, expected, "{encodings}");
        }
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        for (tags, status) in
            [("\"tag\"", 304), ("W/\"tag\"", 304), ("\"other\", \"tag\"", 304), ("\"other\"", 200)]
        {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, tags.parse().unwrap())]);
            assert_eq!(file().answer(&headers, IMMUTABLE).status().as_u16(), status, "{tags}");
        }
    }

    #[tokio::test]
    async fn sounds_are_served_under_names_of_their_own() {
        let mut carried = Carried::default();
        let places = carried.add_sounds(vec![Sound { name: "incoming", wav: b"RIFF".to_vec() }]);
        let [(name, path)] = places.as_slice() else { panic!("{places:?}") };
        assert_eq!(name, "incoming");
        let request = Request::get(path.as_str()).body(Body::empty()).unwrap();
        let response = carried.routes::<()>().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "audio/wav");
        assert_eq!(response.headers()[CACHE_CONTROL], IMMUTABLE);
        assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), "RIFF");
    }
}
