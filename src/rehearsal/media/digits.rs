//! Keys pressed, as RFC 4733 telephone-events.
//!
//! One press is one event of 100 ms, told every 20 ms and its end three times, since packets get lost.
//! All its packets carry the RTP time of its start, and that is also how a press that arrives is told from the next.

use std::{collections::VecDeque, time::Duration};

use str0m::media::TelephoneEvent;

/// In the order of their event codes.
const KEYS: &str = "0123456789*#ABCD";

/// Packets a press takes: five while the key is down, then the end and its two repeats.
const DOWN: u32 = 5;
const PACKETS: u32 = 8;

/// Packet times between two presses.
const GAP: u32 = 4;

/// Packet times of a `w`: half a second, as in the SDK's `sendDigits`.
const WAIT: u32 = 25;

/// −10 dBm0, as browsers send.
const VOLUME: u8 = 10;

/// The key of an event code.
pub(super) fn key(event: u8) -> Option<char> {
    KEYS.chars().nth(event.into())
}

/// Presses that wait for their turn, one packet every 20 ms.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    waiting: VecDeque<Stroke>,
    sent: u32,
    rest: u32,
}

#[derive(Clone, Copy, Debug)]
enum Stroke {
    Key(u8),
    Wait,
}

/// One packet of a press.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) event: TelephoneEvent,
    /// The press begins with this packet.
    pub(super) first: bool,
}

impl Keypad {
    /// Queues keys and waits (`w`); skips what no telephone has.
    pub(super) fn press(&mut self, digits: &str) {
        self.waiting.extend(digits.chars().filter_map(|digit| match digit {
            'w' => Some(Stroke::Wait),
            _ => {
                let position = KEYS.chars().position(|key| key == digit.to_ascii_uppercase())?;
                u8::try_from(position).ok().map(Stroke::Key)
            }
        }));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.rest == 0
    }

    /// A key is down: audio gives way to its packets.
    pub(super) fn is_down(&self) -> bool {
        self.sent > 0
    }

    /// Called every 20 ms: the packet to send, if a key is down.
    pub(super) fn tick(&mut self) -> Option<Report> {
        if self.rest > 0 {
            self.rest -= 1;
            return None;
        }
        match *self.waiting.front()? {
            Stroke::Wait => {
                self.waiting.pop_front();
                self.rest = WAIT;
                None
            }
            Stroke::Key(event) => {
                let duration = Duration::from_millis(20) * (self.sent + 1).min(DOWN);
                let report = Report {
                    event: TelephoneEvent { event, end: self.sent >= DOWN, volume: VOLUME, duration },
                    first: self.sent == 0,
                };
                self.sent += 1;
                if self.sent == PACKETS {
                    self.waiting.pop_front();
                    self.sent = 0;
                    self.rest = GAP;
                }
                Some(report)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_told_eight_times() {
        let mut keypad = Keypad::default();
        keypad.press("#");
        let reports: Vec<Report> = std::iter::from_fn(|| keypad.tick()).collect();
        assert_eq!(reports.len(), 8);
        assert!(reports.iter().all(|report| report.event.event == 11));
        assert_eq!(reports.iter().filter(|report| report.first).count(), 1);
        let millis: Vec<u128> = reports.iter().map(|report| report.event.duration.as_millis()).collect();
        assert_eq!(millis, [20, 40, 60, 80, 100, 100, 100, 100]);
        assert_eq!(reports.iter().filter(|report| report.event.end).count(), 3);
    }

    #[test]
    fn presses_follow_one_another_with_gaps() {
        let mut keypad = Keypad::default();
        keypad.press("1w9x*");
        let mut keys = String::new();
        let mut ticks = 0;
        while !keypad.is_idle() {
            if let Some(report) = keypad.tick().filter(|report| report.first) {
                keys.extend(key(report.event.event));
            }
            ticks += 1;
        }
        assert_eq!(keys, "19*");
        assert_eq!(ticks, 3 * (PACKETS + GAP) + 1 + WAIT);
    }
}
