//! G.711 µ-law: 8000 samples a second, one byte each, in packets of 20 ms.
//!
//! Every byte decodes, and encoding a decoded byte gives a byte of the same value.

/// Samples a second, and so RTP ticks a second.
pub(super) const RATE: u32 = 8000;

/// Samples in a packet of 20 ms.
pub(super) const FRAME: usize = 160;

/// Lifts every sample above the shortest segment, so that the segment is the position of the top bit.
const BIAS: i16 = 0x84;

/// The loudest magnitude that still fits with the bias added.
const CLIP: u16 = 32_635;

pub(super) fn encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let biased = sample.unsigned_abs().min(CLIP) + BIAS.unsigned_abs();
    let segment = 8 - biased.leading_zeros();
    let [_, step] = (biased >> (segment + 3) & 0x0f).to_be_bytes();
    let [.., segment] = segment.to_be_bytes();
    !(sign | segment << 4 | step)
}

pub(super) fn decode(byte: u8) -> i16 {
    let byte = !byte;
    let step = i16::from(byte & 0x0f);
    let magnitude = (((step << 3) + BIAS) << (byte >> 4 & 7)) - BIAS;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // G.711, table 2a: the ends of the scale and both zeros.
        assert_eq!((encode(0), decode(0xff), decode(0x7f)), (0xff, 0, 0));
        assert_eq!((encode(i16::MAX), decode(0x80)), (0x80, 32_124));
        assert_eq!((encode(i16::MIN), decode(0x00)), (0x00, -32_124));
    }

    #[test]
    fn every_byte_survives() {
        for byte in 0..=u8::MAX {
            assert_eq!(decode(encode(decode(byte))), decode(byte), "{byte:#x}");
        }
    }

    #[test]
    fn the_error_is_a_small_part_of_the_sample() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let error = (i32::from(decode(encode(sample))) - i32::from(sample)).abs();
            assert!(
                error
                    <= i32::from(sample.unsigned_abs()) / 16
                        + 700 * i32::from(sample.unsigned_abs() > CLIP)
                        + 8
            );
        }
    }
}
