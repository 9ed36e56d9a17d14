//! Calls that ring, and how they end before anybody talks.

use domain::shift::{Effect, Event, Failure, How, Intent, Line, Note, Refusal, Timer};

use crate::console::{A, B, Console, WITHDRAWN, call_ref, card, delay, incoming, note};

#[test]
fn a_call_rings_with_its_card() {
    let mut console = Console::on_duty();
    assert!(console.on(incoming(A)).contains(&note(Note::Ringing)));
    let duty = console.duty();
    assert_eq!(duty.rings[0].card, card(A));
    assert_eq!(duty.rings[0].since, console.now);
    assert!(!duty.is_available());
    assert_eq!(console.refuses(incoming(A)), Refusal::NotNow);
}

#[test]
fn a_call_that_ends_while_it_rings_says_how() {
    for (event, how) in [
        (Event::Cancelled(A), How::GaveUp),
        (Event::Rejected(A), How::Rejected),
        (Event::TransportClosed(A), How::RingLost),
    ] {
        let mut console = Console::ringing(&[A]);
        assert_eq!(console.after(7).on(event), [note(Note::Ended(how))]);
        let duty = console.duty();
        assert!(duty.is_available());
        let last = duty.last.as_ref().map(|last| (last.call, last.how, last.lasted, last.at));
        assert_eq!(last, Some((A, how, None, console.now)));
    }
}

#[test]
fn rejecting_ends_it_at_once() {
    let mut console = Console::ringing(&[A]);
    let effects = console.on(Event::Operator(Intent::Reject(A)));
    assert_eq!(effects, [Effect::Reject(A), note(Note::Ended(How::Rejected))]);
    assert_eq!(console.refuses(Event::Rejected(A)), Refusal::UnknownCall);
    assert!(console.duty().is_available());
}

#[test]
fn a_call_that_is_over_cannot_be_accepted_and_is_not_heard_any_more() {
    let mut console = Console::ringing(&[A]);
    console.on(Event::Cancelled(A));
    for late in [
        Event::Operator(Intent::Accept(A)),
        Event::Operator(Intent::Reject(A)),
        Event::Cancelled(A),
        Event::TransportClosed(A),
        Event::Accepted(A),
        Event::AudioFlows(A),
        Event::Reconnecting(A),
        Event::Reconnected(A),
        Event::Muted(A, true),
        Event::Disconnected(A),
        Event::Stuck(A),
    ] {
        assert_eq!(console.refuses(late), Refusal::UnknownCall);
    }
}

#[test]
fn a_second_call_rings_beside_the_first() {
    let mut console = Console::ringing(&[A, B]);
    assert_eq!(console.rings(), [A, B]);
    console.on(Event::Operator(Intent::Reject(A)));
    assert_eq!(console.rings(), [B]);
    console.on(Event::Operator(Intent::Accept(B)));
    assert_eq!(console.talk().call, B);
}

#[test]
fn accepting_one_leaves_the_other_ringing() {
    let mut console = Console::ringing(&[A, B]);
    console.on(Event::Operator(Intent::Accept(B)));
    assert_eq!(console.rings(), [A]);
    console.on(Event::Cancelled(A));
    assert_eq!(console.talk().call, B);
}

#[test]
fn what_rang_beside_a_talk_sounds_again_when_the_talk_ends() {
    for end in [Event::Disconnected(A), Event::Cancelled(A)] {
        let mut console = Console::ringing(&[A, B]);
        console.on(Event::Operator(Intent::Accept(A)));
        assert!(console.on(end).contains(&Effect::RingOn));
    }
    let mut console = Console::talking();
    let effects = console.on(Event::Disconnected(console.talk().call));
    assert!(!effects.contains(&Effect::RingOn), "nothing rings: {effects:?}");
}

#[test]
fn a_ring_whose_cancellation_was_lost_ends_by_itself() {
    let mut console = Console::on_duty();
    let effects = console.on(incoming(A));
    assert!(delay(&effects, Timer::Ring(A)).is_some_and(|delay| delay > 60_000));
    console.on(Event::Timer(Timer::Ring(A)));
    assert_eq!(console.rings(), []);
    console.refuses(Event::Timer(Timer::Ring(A)));
}

#[test]
fn what_rang_is_lost_with_the_line_even_if_the_sdk_does_not_say_so() {
    let mut console = Console::ringing(&[A, B]);
    let effects = console.on(Event::Unregistered { returns: true });
    let lost = note(Note::Ended(How::RingLost));
    assert_eq!(effects.iter().filter(|effect| **effect == lost).count(), 2);
    assert_eq!(console.rings(), []);
    assert_eq!(console.duty().line, Line::Down { since: console.now });
}

#[test]
fn a_call_accepted_in_another_tab_was_not_given_up() {
    for word_first in [true, false] {
        let mut console = Console::ringing(&[A]);
        let (word, cancel) = (Event::AnsweredElsewhere(call_ref(A)), Event::Cancelled(A));
        let effects = if word_first {
            assert_eq!(console.on(word), []);
            assert!(console.duty().rings[0].taken);
            console.on(cancel)
        } else {
            console.on(cancel);
            console.on(word)
        };
        assert_eq!(effects, [note(Note::Ended(How::AnsweredElsewhere))]);
        assert_eq!(console.duty().last.as_ref().map(|last| last.how), Some(How::AnsweredElsewhere));
        assert!(console.duty().is_available());
    }
}

#[test]
fn another_tabs_word_of_a_call_that_is_not_here_means_nothing() {
    let mut console = Console::talking();
    assert_eq!(console.refuses(Event::AnsweredElsewhere(call_ref(B))), Refusal::UnknownCall);
    assert_eq!(console.refuses(Event::AnsweredElsewhere(call_ref(A))), Refusal::UnknownCall);
}

#[test]
fn the_last_call_is_shown_until_the_next_one_rings() {
    let mut console = Console::ringing(&[A]);
    console.on(Event::Cancelled(A));
    assert!(console.duty().last.is_some());
    console.on(incoming(B));
    assert!(console.duty().last.is_none());
}

#[test]
fn a_call_that_cannot_be_answered_here_is_left_to_ring_elsewhere() {
    let mut console = Console::ringing(&[A]);
    let effects = console.on(WITHDRAWN);
    let failed = note(Note::Failed(Failure::MicrophoneRefused));
    assert_eq!(effects, [Effect::LeaveLine, Effect::Forget, Effect::DestroyDevice, failed]);
    // A call that is just being accepted has said its own goodbye, and the one beside it has not.
    let mut console = Console::ringing(&[A, B]);
    console.on(Event::Operator(Intent::Accept(A)));
    let effects = console.on(Event::CallFailed { call: A, code: 31401 });
    assert_eq!(effects[0], Effect::LeaveLine);
    // A shift that ends in the moment in which a call comes in.
    let effects = Console::ringing(&[A]).on(Event::Operator(Intent::EndShift));
    assert_eq!(effects[0], Effect::LeaveLine);
    let mut console = Console::on_duty();
    assert!(!console.on(WITHDRAWN).contains(&Effect::LeaveLine));
}
