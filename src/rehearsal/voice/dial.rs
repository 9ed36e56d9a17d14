//! Who is ringing, and what follows when one of them stops: the part of `<Dial>` that can be thought through on paper.
//!
//! Pure. A leg is one `<Client>`; it has a branch on each connection that is registered for the identity.
//! The first answer wins, and every other branch is told.

use super::status::CallStatus;
use crate::signalling::devices::ConnectionId;

/// Everything that rings at the same time.
#[derive(Debug)]
pub(crate) struct Ringing {
    legs: Vec<RingingLeg>,
    outcome: Option<CallStatus>,
}

#[derive(Debug)]
struct RingingLeg {
    sid: String,
    branches: Vec<ConnectionId>,
}

/// What may happen to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RingEvent<'a> {
    /// Accepted on one device.
    Answered(&'a str, ConnectionId),
    /// Declined on one device: for a leg, that is an answer too.
    Rejected(&'a str, ConnectionId),
    /// Hung up on one device before it was answered: the leg is over, and nobody has declined it.
    HungUp(&'a str, ConnectionId),
    /// A device's socket is gone.
    Lost(ConnectionId),
    /// Nobody answered in time.
    TimedOut,
    /// The caller gave up.
    CallerGone,
}

/// What is to be done about it, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RingEffect {
    /// Tell a device that it need not ring any longer.
    Cancel(String, ConnectionId),
    /// Forget a branch whose device knows.
    Forget(String, ConnectionId),
    /// A device answered what was over already.
    Refuse(String, ConnectionId),
    /// A leg is over without having been answered.
    Over(String, CallStatus),
    /// Put the two through.
    Connect(String, ConnectionId),
    /// Nobody is left.
    Finished(CallStatus),
}

impl Ringing {
    /// Legs with the connections on which they ring. One without any is over at once.
    pub(crate) fn start(
        legs: impl IntoIterator<Item = (String, Vec<ConnectionId>)>,
    ) -> (Self, Vec<RingEffect>) {
        let legs = legs.into_iter().map(|(sid, branches)| RingingLeg { sid, branches }).collect();
        let mut ringing = Self { legs, outcome: None };
        let mut effects = Vec::new();
        ringing.sweep(CallStatus::NoAnswer, &mut effects);
        if ringing.legs.is_empty() && effects.is_empty() {
            effects.push(RingEffect::Finished(CallStatus::Failed));
        }
        (ringing, effects)
    }

    /// Something happened.
    pub(crate) fn on(&mut self, event: RingEvent<'_>) -> Vec<RingEffect> {
        let mut effects = Vec::new();
        match event {
            RingEvent::Answered(sid, connection) if self.rings(sid, connection) => {
                self.cancel_all_but(sid, connection, &mut effects);
                effects.push(RingEffect::Connect(sid.to_owned(), connection));
            }
            RingEvent::Answered(sid, connection) => {
                effects.push(RingEffect::Refuse(sid.to_owned(), connection));
            }
            RingEvent::Rejected(sid, connection) if self.rings(sid, connection) => {
                self.end_leg(sid, connection, CallStatus::Busy, &mut effects);
            }
            RingEvent::HungUp(sid, connection) if self.rings(sid, connection) => {
                self.end_leg(sid, connection, CallStatus::NoAnswer, &mut effects);
            }
            RingEvent::Rejected(..) | RingEvent::HungUp(..) => {}
            RingEvent::Lost(connection) => self.lose(connection, &mut effects),
            RingEvent::TimedOut => self.cancel_all(CallStatus::NoAnswer, &mut effects),
            RingEvent::CallerGone => self.cancel_all(CallStatus::Canceled, &mut effects),
        }
        effects
    }

    fn rings(&self, sid: &str, connection: ConnectionId) -> bool {
        self.legs.iter().any(|leg| leg.sid == sid && leg.branches.contains(&connection))
    }

    /// One device has spoken for all of that identity.
    fn end_leg(&mut self, sid: &str, by: ConnectionId, status: CallStatus, effects: &mut Vec<RingEffect>) {
        for leg in self.legs.iter_mut().filter(|leg| leg.sid == sid) {
            effects.extend(leg.branches.drain(..).map(|connection| stop(sid, connection, connection != by)));
        }
        self.sweep(status, effects);
    }

    fn lose(&mut self, connection: ConnectionId, effects: &mut Vec<RingEffect>) {
        for leg in &mut self.legs {
            if let Some(index) = leg.branches.iter().position(|branch| *branch == connection) {
                leg.branches.remove(index);
                effects.push(stop(&leg.sid, connection, false));
            }
        }
        self.sweep(CallStatus::NoAnswer, effects);
    }

    fn cancel_all_but(&mut self, sid: &str, winner: ConnectionId, effects: &mut Vec<RingEffect>) {
        for leg in self.legs.drain(..) {
            for connection in leg.branches.into_iter().filter(|other| leg.sid != sid || *other != winner) {
                effects.push(stop(&leg.sid, connection, true));
            }
            if leg.sid != sid {
                effects.push(RingEffect::Over(leg.sid, CallStatus::NoAnswer));
            }
        }
    }

    fn cancel_all(&mut self, status: CallStatus, effects: &mut Vec<RingEffect>) {
        for leg in &mut self.legs {
            effects.extend(leg.branches.drain(..).map(|connection| stop(&leg.sid, connection, true)));
        }
        self.sweep(status, effects);
    }

    /// Ends the legs that ring nowhere. Of several reasons the last one is the outcome, as the last leg's is at Twilio.
    fn sweep(&mut self, status: CallStatus, effects: &mut Vec<RingEffect>) {
        let before = self.legs.len();
        self.legs.retain(|leg| {
            if leg.branches.is_empty() {
                effects.push(RingEffect::Over(leg.sid.clone(), status));
            }
            !leg.branches.is_empty()
        });
        if self.legs.len() < before {
            self.outcome = Some(status);
        }
        if let (Some(outcome), true) = (self.outcome, self.legs.is_empty() && self.legs.len() < before) {
            effects.push(RingEffect::Finished(outcome));
        }
    }
}

fn stop(sid: &str, connection: ConnectionId, tell: bool) -> RingEffect {
    if tell {
        RingEffect::Cancel(sid.to_owned(), connection)
    } else {
        RingEffect::Forget(sid.to_owned(), connection)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::signalling::devices::Devices;

    #[test]
    fn nobody_registered_is_no_answer_at_once() {
        let (_, effects) = Ringing::start([("CA1".to_owned(), Vec::new())]);
        assert_eq!(effects, [over("CA1", CallStatus::NoAnswer), RingEffect::Finished(CallStatus::NoAnswer)]);
        let (_, effects) = Ringing::start([]);
        assert_eq!(effects, [RingEffect::Finished(CallStatus::Failed)]);
    }

    #[test]
    fn the_first_answer_wins_and_the_second_is_refused() {
        let [a, b, c] = connections();
        let (mut ringing, effects) = Ringing::start([("CA1".into(), vec![a, b]), ("CA2".into(), vec![c])]);
        assert_eq!(effects, []);
        assert_eq!(
            ringing.on(RingEvent::Answered("CA1", b)),
            [
                RingEffect::Cancel("CA1".into(), a),
                RingEffect::Cancel("CA2".into(), c),
                over("CA2", CallStatus::NoAnswer),
                RingEffect::Connect("CA1".into(), b),
            ]
        );
        assert_eq!(ringing.on(RingEvent::Answered("CA2", c)), [RingEffect::Refuse("CA2".into(), c)]);
    }

    #[test]
    fn what_one_device_says_holds_for_all_of_that_identity() {
        type Said = fn(&'static str, ConnectionId) -> RingEvent<'static>;
        let cases: [(Said, CallStatus); 2] =
            [(RingEvent::Rejected, CallStatus::Busy), (RingEvent::HungUp, CallStatus::NoAnswer)];
        for (said, status) in cases {
            let [a, b, c] = connections();
            let (mut ringing, _) = Ringing::start([("CA1".into(), vec![a, b]), ("CA2".into(), vec![c])]);
            assert_eq!(
                ringing.on(said("CA1", a)),
                [
                    RingEffect::Forget("CA1".into(), a),
                    RingEffect::Cancel("CA1".into(), b),
                    over("CA1", status)
                ]
            );
            assert_eq!(ringing.on(said("CA1", b)), []);
            assert_eq!(
                ringing.on(said("CA2", c)),
                [RingEffect::Forget("CA2".into(), c), over("CA2", status), RingEffect::Finished(status)]
            );
        }
    }

    #[test]
    fn a_lost_socket_falls_through_when_it_was_the_last() {
        let [a, b, _] = connections();
        let (mut ringing, _) = Ringing::start([("CA1".into(), vec![a, b])]);
        assert_eq!(ringing.on(RingEvent::Lost(a)), [RingEffect::Forget("CA1".into(), a)]);
        assert_eq!(
            ringing.on(RingEvent::Lost(b)),
            [
                RingEffect::Forget("CA1".into(), b),
                over("CA1", CallStatus::NoAnswer),
                RingEffect::Finished(CallStatus::NoAnswer),
            ]
        );
        assert_eq!(ringing.on(RingEvent::TimedOut), []);
    }

    #[test]
    fn time_and_the_caller_end_everything() {
        for (event, status) in
            [(RingEvent::TimedOut, CallStatus::NoAnswer), (RingEvent::CallerGone, CallStatus::Canceled)]
        {
            let [a, b, _] = connections();
            let (mut ringing, _) = Ringing::start([("CA1".into(), vec![a]), ("CA2".into(), vec![b])]);
            assert_eq!(
                ringing.on(event),
                [
                    RingEffect::Cancel("CA1".into(), a),
                    RingEffect::Cancel("CA2".into(), b),
                    over("CA1", status),
                    over("CA2", status),
                    RingEffect::Finished(status),
                ]
            );
        }
    }

    fn over(sid: &str, status: CallStatus) -> RingEffect {
        RingEffect::Over(sid.into(), status)
    }

    fn connections() -> [ConnectionId; 3] {
        let devices = Devices::default();
        let (outbox, _inbox) = mpsc::unbounded_channel();
        [(); 3].map(|()| devices.connect(outbox.clone()))
    }
}
