//! The console's fifteen sounds, made by arithmetic: no recordings, no licences, nothing to download.
//!
//! The SDK fetches all fifteen whenever a device is made, and delays every ring by two seconds when it cannot decode
//! `incoming`; so they are small, and in the one format that every browser decodes: WAV, 16 bits, mono.

use std::f64::consts::TAU;

/// A sound as the SDK asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sound {
    /// Its name in the SDK's `sounds` option.
    pub(crate) name: &'static str,
    /// A WAV file.
    pub(crate) wav: Vec<u8>,
}

/// Samples a second: enough for bells, and 32 kB a second.
const RATE: u32 = 16_000;

/// Rows and columns of a telephone's keypad (ITU-T Q.23), and which keys lie on them.
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 3] = [1209.0, 1336.0, 1477.0];
const KEYS: [[&str; 3]; 4] = [
    ["dtmf1", "dtmf2", "dtmf3"],
    ["dtmf4", "dtmf5", "dtmf6"],
    ["dtmf7", "dtmf8", "dtmf9"],
    ["dtmfs", "dtmf0", "dtmfh"],
];

/// All fifteen.
#[must_use]
pub(crate) fn all() -> Vec<Sound> {
    let mut sounds = vec![
        Sound { name: "incoming", wav: wav(&ringtone()) },
        Sound { name: "outgoing", wav: wav(&bells(&[(0.0, 587.33), (0.12, 880.0)], 0.45, 0.10)) },
        Sound { name: "disconnect", wav: wav(&bells(&[(0.0, 587.33), (0.14, 440.0)], 0.50, 0.12)) },
    ];
    for (row, keys) in ROWS.into_iter().zip(KEYS) {
        sounds.extend(
            COLUMNS.into_iter().zip(keys).map(|(column, name)| Sound { name, wav: wav(&key(row, column)) }),
        );
    }
    sounds
}

/// Two bells, twice, then a rest: the rhythm of a Japanese telephone, one second of ringing and two of silence.
/// The SDK plays it in a loop.
fn ringtone() -> Vec<f64> {
    let strokes: Vec<(f64, f64)> =
        [(0.0, 783.99), (0.12, 1046.50), (0.24, 1318.51), (0.5, 783.99), (0.62, 1046.50), (0.74, 1318.51)]
            .into();
    bells(&strokes, 3.0, 0.28)
}

/// Bells struck at these seconds, each a note (Hz) with two fainter partials that fade within `fade` seconds or so.
fn bells(strokes: &[(f64, f64)], seconds: f64, fade: f64) -> Vec<f64> {
    let bell = |since: f64, hertz: f64| {
        let attack = (since / 0.004).min(1.0);
        let partial = |times: f64, share: f64| {
            share * (TAU * hertz * times * since).sin() * (-since * times.sqrt() / fade).exp()
        };
        attack * (partial(1.0, 0.30) + partial(2.0, 0.10) + partial(3.01, 0.04))
    };
    samples(seconds, |now| {
        strokes.iter().filter(|(at, _)| *at <= now).map(|(at, hertz)| bell(now - at, *hertz)).sum()
    })
}

/// A tenth of a second of a key's two tones, with soft edges against clicks.
fn key(row: f64, column: f64) -> Vec<f64> {
    const SECONDS: f64 = 0.1;
    samples(SECONDS, |now| {
        let edge = (now.min(SECONDS - now) / 0.005).clamp(0.0, 1.0);
        edge * 0.2 * ((TAU * row * now).sin() + (TAU * column * now).sin())
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds of samples")]
fn samples(seconds: f64, at: impl Fn(f64) -> f64) -> Vec<f64> {
    let count = (seconds * f64::from(RATE)).round() as u32;
    (0..count).map(|sample| at(f64::from(sample) / f64::from(RATE))).collect()
}

/// A WAV file of these samples, each from -1 to 1.
#[expect(clippy::cast_possible_truncation, reason = "samples are clamped to 16 bits, sounds last seconds")]
fn wav(samples: &[f64]) -> Vec<u8> {
    const HEADER: u32 = 36;
    const PCM: u16 = 1;
    const CHANNELS: u16 = 1;
    const BYTES: u16 = 2;
    let length = samples.len() as u32 * u32::from(BYTES);
    let mut file = Vec::with_capacity((HEADER + 8 + length) as usize);
    file.extend(b"RIFF");
    file.extend((HEADER + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(PCM.to_le_bytes());
    file.extend(CHANNELS.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * u32::from(BYTES)).to_le_bytes());
    file.extend(BYTES.to_le_bytes());
    file.extend((BYTES * 8).to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    for sample in samples {
        file.extend(((sample.clamp(-1.0, 1.0) * f64::from(i16::MAX)) as i16).to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How strongly a frequency is in a WAV file, by Goertzel's algorithm.
    fn strength(wav: &[u8], hertz: f64) -> f64 {
        let step = 2.0 * (TAU * hertz / f64::from(RATE)).cos();
        let samples = wav[44..].chunks_exact(2).map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])));
        let (a, b) = samples.fold((0.0, 0.0), |(a, b), sample| (sample + step * a - b, a));
        (a * a + b * b - step * a * b).sqrt()
    }

    #[test]
    fn each_key_sounds_its_own_two_tones() {
        let sounds = all();
        for (row, keys) in ROWS.into_iter().zip(KEYS) {
            for (column, name) in COLUMNS.into_iter().zip(keys) {
                let wav = &sounds.iter().find(|sound| sound.name == name).unwrap().wav;
                let loudest = |tones: &[f64]| {
                    tones
                        .iter()
                        .copied()
                        .max_by(|a, b| strength(wav, *a).total_cmp(&strength(wav, *b)))
                        .unwrap()
                };
                assert_eq!((loudest(&ROWS), loudest(&COLUMNS)), (row, column), "{name}");
            }
        }
    }

    #[test]
    fn every_sound_is_a_small_wav_file_that_is_heard() {
        let sounds = all();
        assert_eq!(sounds.len(), 15);
        for Sound { name, wav } in &sounds {
            assert_eq!((&wav[..4], &wav[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]), "{name}");
            assert_eq!(u32::from_le_bytes(wav[4..8].try_into().unwrap()) as usize, wav.len() - 8, "{name}");
            let loudest = wav[44..]
                .chunks_exact(2)
                .map(|two| i16::from_le_bytes([two[0], two[1]]).unsigned_abs())
                .max();
            assert!((4_000..32_000).contains(&loudest.unwrap()), "{name} peaks at {loudest:?}");
        }
        assert!(sounds.iter().map(|sound| sound.wav.len()).sum::<usize>() < 200_000);
    }
}
