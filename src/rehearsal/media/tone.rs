//! A sine that can be retuned while it sounds.
//!
//! Its phase runs on across packets and changes of pitch, so neither is heard as a click.

use std::{f64::consts::TAU, sync::Arc};

use super::pcmu;

/// Peak of the wave: loud, and 12 dB below the end of the scale.
const PEAK: f64 = 8000.0;

#[derive(Debug, Default)]
pub(super) struct Tone {
    hz: u32,
    phase: f64,
}

impl Tone {
    /// 0 is silence.
    pub(super) fn tune(&mut self, hz: u32) {
        self.hz = hz;
    }

    pub(super) fn sounds(&self) -> bool {
        self.hz != 0
    }

    /// The next 20 ms as µ-law.
    pub(super) fn frame(&mut self) -> Arc<[u8]> {
        if !self.sounds() {
            return [pcmu::encode(0); pcmu::FRAME].into();
        }
        let step = TAU * f64::from(self.hz) / f64::from(pcmu::RATE);
        let mut frame = [0; pcmu::FRAME];
        for byte in &mut frame {
            *byte = pcmu::encode((self.phase.sin() * PEAK) as i16);
            self.phase = (self.phase + step) % TAU;
        }
        frame.into()
    }
}
