//! The two things that str0m does not say of a browser's offer before it is connected.
//!
//! Only read here: every description that we send is str0m's own.

use str0m::media::Mid;

/// The name of an offer's audio line. str0m tells it too, but only once the session is connected.
pub(super) fn audio_mid(sdp: &str) -> Option<Mid> {
    let mut lines = sdp.lines().skip_while(|line| !line.starts_with("m=audio "));
    lines.find_map(|line| line.strip_prefix("a=mid:")).map(Mid::from)
}

/// Whether the audio line of an offer names Opus before µ-law.
pub(super) fn prefers_opus(sdp: &str) -> bool {
    let payload_types = sdp.lines().find_map(|line| line.strip_prefix("m=audio "));
    let opus = sdp.lines().find_map(|line| {
        let (pt, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        name.to_ascii_lowercase().starts_with("opus/").then_some(pt)
    });
    let first =
        payload_types.and_then(|line| line.split(' ').skip(2).find(|pt| *pt == "0" || Some(*pt) == opus));
    first.is_some() && first == opus
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_an_offer() {
        let offer = |order: &str| {
            format!(
                "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF {order}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:111 opus/48000/2\r\n"
            )
        };
        assert!(prefers_opus(&offer("63 111 0 101")));
        assert!(!prefers_opus(&offer("0 111 101")));
        assert!(!prefers_opus(&offer("0")));
        assert!(!prefers_opus(""));
    }

    #[test]
    fn the_name_of_the_audio_line() {
        assert_eq!(audio_mid("v=0\r\nm=audio 9 X 0\r\na=mid:0\r\n"), Some("0".into()));
        assert_eq!(audio_mid("v=0\r\na=mid:0\r\n"), None);
    }
}
