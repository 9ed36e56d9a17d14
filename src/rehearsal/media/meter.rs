//! What a leg received in the last second, and how it sounds.
//!
//! Packets are kept as they came and decoded only when somebody asks.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use microfft::real::rfft_4096;

use super::{Heard, pcmu};

const WINDOW: Duration = Duration::from_secs(1);

/// Samples that the spectrum is taken of: half a second, so 2 Hz a bin before interpolation.
const SPECTRUM: usize = 4096;

/// Below this a spectrum would only show rounding.
const SILENT_RMS: f64 = 8.0;

#[derive(Debug, Default)]
pub(super) struct Meter {
    packets: VecDeque<(Instant, Option<Arc<[u8]>>)>,
}

impl Meter {
    /// A packet arrived; `pcmu` is its payload when that is µ-law.
    pub(super) fn note(&mut self, now: Instant, pcmu: Option<Arc<[u8]>>) {
        self.packets.push_back((now, pcmu));
        self.forget(now);
    }

    pub(super) fn hear(&mut self, now: Instant) -> Heard {
        self.forget(now);
        let payloads = self.packets.iter().filter_map(|(_, pcmu)| pcmu.as_deref());
        let samples: Vec<f64> = payloads.flatten().map(|byte| f64::from(pcmu::decode(*byte))).collect();
        let rms = rms(&samples);
        let dominant_hz = if rms < SILENT_RMS { 0.0 } else { dominant_hz(&samples) };
        Heard { rms, dominant_hz, packets: self.packets.len() }
    }

    fn forget(&mut self, now: Instant) {
        while self.packets.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.packets.pop_front();
        }
    }
}

fn rms(samples: &[f64]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
}

/// The top of the spectrum of the newest samples, between the bins by a parabola through its neighbours.
fn dominant_hz(samples: &[f64]) -> f64 {
    let newest = &samples[samples.len().saturating_sub(SPECTRUM)..];
    let mean = newest.iter().sum::<f64>() / newest.len() as f64;
    let mut wave = [0.0; SPECTRUM];
    for (index, (slot, sample)) in wave.iter_mut().zip(newest).enumerate() {
        // A Hann window: the ends fade out, so that a tone does not smear over the whole spectrum.
        let fade = (std::f64::consts::PI * (index as f64 + 0.5) / newest.len() as f64).sin().powi(2);
        *slot = ((sample - mean) * fade) as f32;
    }
    let powers: Vec<f64> = rfft_4096(&mut wave).iter().map(|bin| f64::from(bin.norm_sqr())).collect();
    // Bin 0 is the mean, and carries the highest frequency in its imaginary part.
    let Some(top) = (1..powers.len() - 1).max_by(|a, b| powers[*a].total_cmp(&powers[*b])) else {
        return 0.0;
    };
    let [left, middle, right] =
        [powers[top - 1], powers[top], powers[top + 1]].map(|power| power.max(1e-9).ln());
    let curve = left - 2.0 * middle + right;
    let shift = if curve < 0.0 { (0.5 * (left - right) / curve).clamp(-0.5, 0.5) } else { 0.0 };
    (top as f64 + shift) * f64::from(pcmu::RATE) / SPECTRUM as f64
}

#[cfg(test)]
mod tests {
    use super::{super::tone::Tone, *};

    /// Fills one second, packet by packet.
    fn second_of(hz: u32, start: Instant) -> Meter {
        let (mut meter, mut tone) = (Meter::default(), Tone::default());
        tone.tune(hz);
        for packet in 0..50 {
            meter.note(start + Duration::from_millis(20) * packet, Some(tone.frame()));
        }
        meter
    }

    #[test]
    fn names_a_tone_to_the_hertz() {
        let start = tokio::time::Instant::now().into_std();
        for hz in [60, 440, 441, 997, 1000, 3399] {
            let heard = second_of(hz, start).hear(start + Duration::from_millis(999));
            assert!((heard.dominant_hz - f64::from(hz)).abs() < 1.0, "{hz}: {heard:?}");
            assert!((heard.rms - 8000.0 / f64::sqrt(2.0)).abs() < 100.0, "{heard:?}");
            assert_eq!(heard.packets, 50);
        }
    }

    #[test]
    fn a_short_piece_is_enough() {
        let start = tokio::time::Instant::now().into_std();
        let (mut meter, mut tone) = (Meter::default(), Tone::default());
        tone.tune(440);
        for _ in 0..5 {
            meter.note(start, Some(tone.frame()));
        }
        let heard = meter.hear(start);
        assert!((heard.dominant_hz - 440.0).abs() < 4.0, "{heard:?}");
    }

    #[test]
    fn silence_and_opus_have_no_pitch() {
        let start = tokio::time::Instant::now().into_std();
        let mut meter = second_of(0, start);
        assert_eq!(meter.hear(start), Heard { rms: 0.0, dominant_hz: 0.0, packets: 50 });
        meter.note(start, None);
        assert_eq!(meter.hear(start).packets, 51);
    }

    #[test]
    fn a_second_later_nothing_is_left() {
        let start = tokio::time::Instant::now().into_std();
        assert_eq!(second_of(440, start).hear(start + Duration::from_secs(3)), Heard::default());
    }
}
