//! The one RTP stream that a browser receives from us, whatever feeds it.
//!
//! Sequence numbers and times only ever grow, also when the source changes: each source is rebased to where the
//! stream stands. The first number is far below 65536, because a receiver starts with a rollover count of zero.

use std::time::Instant;

use str0m::rtp::Ssrc;

use super::LegId;

/// What feeds the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Nothing at the moment.
    None,
    /// Packets made here, one every 20 ms.
    Paced,
    /// Packets of another leg: the last number forwarded, and what turns its times into ours.
    Forwarded { leg: LegId, ssrc: Ssrc, last: u64, shift: u32 },
}

/// A packet of another leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    pub(super) leg: LegId,
    pub(super) ssrc: Ssrc,
    /// Extended sequence number.
    pub(super) seq: u64,
    pub(super) time: u32,
}

/// Where a packet goes in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) seq: u64,
    pub(super) time: u32,
    /// The first one from this source: the receiver may adjust its buffer.
    pub(super) first: bool,
}

/// A source that was away for longer is not worth the receiver's arithmetic: loss shows, its extent does not.
const MAX_JUMP: u64 = 500;

#[derive(Debug)]
pub(super) struct Outlet {
    source: Source,
    next_seq: u64,
    /// Time of the packet that would follow without a pause.
    next_time: u32,
    last_at: Instant,
}

impl Outlet {
    pub(super) fn new(now: Instant) -> Self {
        Self { source: Source::None, next_seq: 1, next_time: 0, last_at: now }
    }

    /// A packet made here; `ticks` is how long it lasts at `rate` ticks a second.
    pub(super) fn paced(&mut self, ticks: u32, rate: u32, now: Instant) -> Slot {
        let first = self.source != Source::Paced;
        if first {
            self.catch_up(rate, now);
            self.source = Source::Paced;
        }
        self.take(1, self.next_time, ticks, first, now)
    }

    /// A packet from another leg; `None` when a later one has already passed.
    pub(super) fn forwarded(&mut self, from: Incoming, ticks: u32, rate: u32, now: Instant) -> Option<Slot> {
        let Incoming { leg, ssrc, seq, time } = from;
        if let Source::Forwarded { leg: l, ssrc: s, last, shift } = self.source
            && (l, s) == (leg, ssrc)
        {
            let ahead = seq.checked_sub(last).filter(|ahead| *ahead > 0)?;
            self.source = Source::Forwarded { leg, ssrc, last: seq, shift };
            return Some(self.take(ahead.min(MAX_JUMP), time.wrapping_add(shift), ticks, false, now));
        }
        self.catch_up(rate, now);
        let shift = self.next_time.wrapping_sub(time);
        self.source = Source::Forwarded { leg, ssrc, last: seq, shift };
        Some(self.take(1, self.next_time, ticks, true, now))
    }

    /// A packet put in between (a key press) at a time of its own, without changing the source.
    pub(super) fn inserted(&mut self, time: u32) -> Slot {
        let seq = self.next_seq;
        self.next_seq += 1;
        Slot { seq, time, first: false }
    }

    /// Time passes, and no packet with it.
    pub(super) fn skip(&mut self, ticks: u32) {
        self.next_time = self.next_time.wrapping_add(ticks);
    }

    /// The time of a packet that would begin now.
    pub(super) fn time(&mut self, rate: u32, now: Instant) -> u32 {
        if self.source == Source::None {
            self.catch_up(rate, now);
        }
        self.next_time
    }

    /// Nothing is sent any more: what follows begins anew.
    pub(super) fn rest(&mut self) {
        self.source = Source::None;
    }

    fn take(&mut self, ahead: u64, time: u32, ticks: u32, first: bool, now: Instant) -> Slot {
        let seq = self.next_seq + ahead - 1;
        self.next_seq = seq + 1;
        self.next_time = time.wrapping_add(ticks);
        self.last_at = now;
        Slot { seq, time, first }
    }

    /// Lets the stream's time pass as the clock did: otherwise the receiver takes the pause for a delay.
    fn catch_up(&mut self, rate: u32, now: Instant) {
        let passed = now.duration_since(self.last_at).as_millis() as u64 * u64::from(rate) / 1000;
        self.next_time = self.next_time.wrapping_add(passed as u32);
        self.last_at = now;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn outlet() -> (Outlet, Instant) {
        let now = tokio::time::Instant::now().into_std();
        (Outlet::new(now), now)
    }

    fn from(leg: u64, seq: u64, time: u32) -> Incoming {
        Incoming { leg: LegId(leg), ssrc: 7.into(), seq, time }
    }

    #[test]
    fn a_source_keeps_its_gaps_and_loses_its_origin() {
        let (mut outlet, now) = outlet();
        let first = outlet.forwarded(from(1, 70_000, u32::MAX - 100), 160, 8000, now);
        assert_eq!(first, Some(Slot { seq: 1, time: 0, first: true }));
        let second = outlet.forwarded(from(1, 70_003, 379), 160, 8000, now);
        assert_eq!(second, Some(Slot { seq: 4, time: 480, first: false }));
        assert_eq!(outlet.forwarded(from(1, 70_002, 219), 160, 8000, now), None);
    }

    #[test]
    fn a_new_source_goes_on_where_the_old_one_stopped() {
        let (mut outlet, now) = outlet();
        outlet.paced(160, 8000, now);
        outlet.paced(160, 8000, now);
        let slot = outlet.forwarded(from(1, 9, 5), 160, 8000, now + Duration::from_millis(100));
        assert_eq!(slot, Some(Slot { seq: 3, time: 320 + 800, first: true }));
        let slot = outlet.forwarded(from(2, 90_000, 5), 160, 8000, now + Duration::from_millis(100));
        assert_eq!(slot, Some(Slot { seq: 4, time: 320 + 800 + 160, first: true }));
    }

    #[test]
    fn packets_in_between_take_numbers_of_their_own() {
        let (mut outlet, now) = outlet();
        outlet.forwarded(from(1, 10, 0), 160, 8000, now);
        assert_eq!(outlet.time(8000, now), 160);
        assert_eq!(outlet.inserted(160), Slot { seq: 2, time: 160, first: false });
        let slot = outlet.forwarded(from(1, 11, 160), 160, 8000, now);
        assert_eq!(slot, Some(Slot { seq: 3, time: 160, first: false }));
    }

    #[test]
    fn paced_packets_are_even() {
        let (mut outlet, now) = outlet();
        let slots: Vec<Slot> = (0..3).map(|_| outlet.paced(160, 8000, now)).collect();
        assert_eq!(slots.iter().map(|slot| slot.time).collect::<Vec<u32>>(), [0, 160, 320]);
        outlet.rest();
        assert_eq!(
            outlet.paced(160, 8000, now + Duration::from_secs(1)),
            Slot { seq: 4, time: 8480, first: true }
        );
    }
}
