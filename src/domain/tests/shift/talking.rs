//! The call that was accepted, and every way in which it goes on and ends.

use domain::shift::{
    Effect, Event, Failure, How, Intent, Line, Note, Off, Phase, Refusal, Shift, Side, Timer,
};

use crate::console::{A, B, Console, WITHDRAWN, call_ref, delay, incoming, note};

#[track_caller]
fn ended(console: &Console) -> (How, Option<u64>) {
    let Some(last) = &console.duty().last else { panic!("nothing has ended") };
    (last.how, last.lasted)
}

#[test]
fn accepting_is_not_yet_sound() {
    let mut console = Console::ringing(&[A]);
    let effects = console.on(Event::Operator(Intent::Accept(A)));
    assert_eq!(effects.first(), Some(&Effect::Accept(A)));
    assert!(delay(&effects, Timer::Audio(A)).is_some());
    assert_eq!(console.talk().phase, Phase::Connecting { slow: false });
    console.on(Event::Accepted(A));
    assert_eq!(console.talk().phase, Phase::Connecting { slow: false });

    assert_eq!(console.after(300).on(Event::AudioFlows(A)), [note(Note::Connected)]);
    assert_eq!(console.talk().phase, Phase::Talking);
    assert_eq!(console.talk().audio_since, Some(console.now));
    assert_eq!(console.refuses(Event::AudioFlows(A)), Refusal::NotNow);
    assert_eq!(console.refuses(Event::Timer(Timer::Audio(A))), Refusal::NotNow);
}

#[test]
fn sound_that_stays_away_is_said_once() {
    let mut console = Console::connecting();
    assert_eq!(console.on(Event::Timer(Timer::Audio(A))), [note(Note::NoAudio)]);
    assert_eq!(console.talk().phase, Phase::Connecting { slow: true });
    console.refuses(Event::Timer(Timer::Audio(A)));
    console.on(Event::AudioFlows(A));
    assert_eq!(console.talk().phase, Phase::Talking);
}

#[test]
fn the_other_tabs_hear_of_it_when_the_sdk_has_accepted() {
    let mut console = Console::ringing(&[A]);
    let effects = console.on(Event::Operator(Intent::Accept(A)));
    assert!(!effects.contains(&Effect::TellOtherTabs(call_ref(A))));
    assert_eq!(console.on(Event::Accepted(A)), [Effect::TellOtherTabs(call_ref(A))]);
}

#[test]
fn the_caller_hangs_up() {
    let mut console = Console::talking();
    assert_eq!(console.after(65_000).on(Event::Disconnected(A)), [note(Note::Ended(How::CallerHungUp))]);
    assert_eq!(ended(&console), (How::CallerHungUp, Some(65_000)));
    assert!(console.duty().is_available());
}

#[test]
fn a_call_that_may_go_on_no_longer_was_not_hung_up_by_the_caller() {
    let mut console = Console::talking();
    console.after(3_599_000).on(Event::Disconnected(A));
    assert_eq!(ended(&console).0, How::TimeUp);
    let mut console = Console::talking();
    console.after(3_500_000).on(Event::Disconnected(A));
    assert_eq!(ended(&console).0, How::CallerHungUp);
}

#[test]
fn the_operator_hangs_up() {
    let mut console = Console::talking();
    let effects = console.on(Event::Operator(Intent::HangUp));
    assert_eq!(effects[0], Effect::HangUp(A));
    assert_eq!(console.talk().phase, Phase::HangingUp);
    for late in [Event::Operator(Intent::HangUp), Event::Reconnecting(A), Event::AudioFlows(A)] {
        assert_eq!(console.refuses(late), Refusal::NotNow);
    }
    console.after(1_000).on(Event::Disconnected(A));
    assert_eq!(ended(&console), (How::HungUp, Some(1_000)));
    console.refuses(Event::Timer(Timer::HangUp(A)));
    console.refuses(Event::Operator(Intent::HangUp));
}

#[test]
fn a_hang_up_that_the_sdk_does_not_confirm_ends_with_a_new_device() {
    let mut console = Console::talking();
    console.on(Event::Operator(Intent::HangUp));
    let effects = console.on(Event::Timer(Timer::HangUp(A)));
    assert!(effects.ends_with(&[Effect::DestroyDevice, Effect::CreateDevice]));
    assert_eq!(ended(&console).0, How::HungUp);
}

#[test]
fn a_dead_call_ends_with_a_new_device_that_takes_the_next_one() {
    let mut console = Console::talking();
    console.on(Event::Unregistered { returns: true });
    let effects = console.on(Event::Stuck(A));
    assert!(effects.ends_with(&[Effect::DestroyDevice, Effect::CreateDevice]));
    assert_eq!(ended(&console).0, How::Lost);
    assert!(!console.duty().is_available());
    console.refuses(Event::Stuck(A));

    console.on(Event::Registered);
    assert!(console.duty().is_available());
    console.on(incoming(B));
    assert_eq!(console.rings(), [B]);
}

#[test]
fn a_new_device_leaves_what_rings_to_the_other_consoles() {
    for event in [Event::Stuck(A), Event::Timer(Timer::HangUp(A))] {
        let mut console = Console::talking();
        console.on(incoming(B));
        console.on(Event::Operator(Intent::HangUp));
        let effects = console.on(event);
        let place = |wanted| effects.iter().position(|effect| *effect == wanted);
        assert!(place(Effect::LeaveLine) < place(Effect::DestroyDevice), "{effects:?}");
        assert!(effects.contains(&Effect::LeaveLine));
        assert_eq!(console.rings(), []);
    }
}

#[test]
fn a_page_that_comes_back_to_a_destroyed_device_makes_a_new_one() {
    for mut console in [Console::on_duty(), Console::ringing(&[A]), Console::talking()] {
        let effects = console.on(Event::DeviceGone);
        assert!(effects.ends_with(&[Effect::DestroyDevice, Effect::CreateDevice]));
        assert_eq!(console.duty().talk, None);
        assert_eq!(console.rings(), []);
        console.on(Event::Registered);
        assert!(console.duty().is_available());
    }
}

#[test]
fn a_microphone_that_fails_at_accept_ends_the_shift_in_both_orders() {
    for (code, why) in [(31401, Failure::MicrophoneRefused), (31402, Failure::MicrophoneBusy)] {
        for error_first in [true, false] {
            let mut console = Console::ringing(&[A]);
            console.on(Event::Operator(Intent::Accept(A)));
            let error = Event::CallFailed { call: A, code };
            let effects = if error_first {
                let effects = console.on(error);
                console.refuses(Event::Disconnected(A));
                effects
            } else {
                console.on(Event::Disconnected(A));
                console.on(error)
            };
            assert_eq!(effects, [Effect::Forget, Effect::DestroyDevice, note(Note::Failed(why))]);
            assert_eq!(console.shift, Shift::Off(Off { why: Some(why) }));
        }
    }
}

#[test]
fn an_error_explains_the_end_in_both_orders() {
    for error_first in [true, false] {
        let mut console = Console::talking();
        let error = Event::CallFailed { call: A, code: 53405 };
        let end = Event::Disconnected(A);
        let events = if error_first { [error, end] } else { [end, error] };
        for event in events {
            console.on(event);
        }
        assert_eq!(ended(&console).0, How::Failed(53405));
        console.refuses(Event::CallFailed { call: A, code: 31000 });
    }
}

#[test]
fn an_error_that_the_call_survives_does_not_explain_its_end() {
    let mut console = Console::talking();
    console.on(Event::CallFailed { call: A, code: 31000 });
    console.after(10_000).on(Event::Disconnected(A));
    assert_eq!(ended(&console).0, How::CallerHungUp);
}

#[test]
fn a_voice_that_goes_missing_is_told_until_it_is_back() {
    let mut console = Console::talking();
    for side in [Side::Operator, Side::Caller] {
        let silent = |on| Event::Silent { call: A, side, on };
        let missing = |console: &Console| match side {
            Side::Operator => console.talk().unheard,
            Side::Caller => console.talk().unhearing,
        };
        assert_eq!(console.on(silent(true))[0], note(Note::Silent(side)));
        assert!(missing(&console));
        console.refuses(silent(true));
        assert_eq!(console.on(silent(false)), []);
        assert!(!missing(&console));
    }
    console.refuses(Event::Silent { call: B, side: Side::Caller, on: true });
}

#[test]
fn for_the_operators_missing_voice_the_microphone_is_opened_anew() {
    let silent = |side, on| Event::Silent { call: A, side, on };
    let renews = |effects: &[Effect]| effects.contains(&Effect::RenewMicrophone);
    let mut console = Console::talking();
    assert_eq!(console.on(silent(Side::Caller, true)), [note(Note::Silent(Side::Caller))]);
    // Each time that the voice was heard before.
    for _ in 0..2 {
        assert!(renews(&console.on(silent(Side::Operator, true))));
        assert_eq!(console.on(silent(Side::Operator, false)), []);
    }
    // The other's voice says nothing of it.
    assert!(renews(&console.on(silent(Side::Operator, true))));
    console.on(silent(Side::Caller, false));
    console.on(silent(Side::Caller, true));
    assert!(!renews(&console.on(silent(Side::Caller, false))));
    console.on(silent(Side::Operator, false));
    // Who is muted need not be heard; but then.
    console.on(Event::Muted(A, true));
    assert!(!renews(&console.on(silent(Side::Operator, true))));
    assert!(renews(&console.on(Event::Muted(A, false))));
    // That did not help, and would not again, until there is one.
    console.on(Event::Muted(A, true));
    assert!(!renews(&console.on(Event::Muted(A, false))));
    for why in [Failure::MicrophoneRefused, Failure::MicrophoneMissing] {
        console.on(Event::MicrophoneLost(why));
        assert!(renews(&console.on(Event::MicrophoneBack(why))));
    }
    console.on(Event::MicrophoneLost(Failure::MicrophoneMissing));
    console.on(Event::Muted(A, true));
    assert!(!renews(&console.on(Event::MicrophoneBack(Failure::MicrophoneMissing))));
    assert!(renews(&console.on(Event::Muted(A, false))));
}

#[test]
fn of_two_tabs_that_accept_at_once_the_one_that_is_cancelled_knows_why() {
    let mut console = Console::connecting();
    console.on(Event::AnsweredElsewhere(call_ref(A)));
    console.on(Event::Cancelled(A));
    assert_eq!(ended(&console).0, How::AnsweredElsewhere);
}

#[test]
fn a_microphone_that_is_lost_ends_the_shift_but_not_a_call() {
    for why in [Failure::MicrophoneRefused, Failure::MicrophoneMissing] {
        let over = Shift::Off(Off { why: Some(why) });
        let mut console = Console::on_duty();
        console.on(Event::MicrophoneLost(why));
        assert_eq!(console.shift, over);

        // The browser says it once.
        for end in [Event::Disconnected(A), Event::Cancelled(A), Event::Stuck(A)] {
            let mut console = Console::talking();
            assert_eq!(console.on(Event::MicrophoneLost(why)), []);
            console.refuses(Event::MicrophoneLost(why));
            assert_eq!(console.talk().phase, Phase::Talking);
            assert!(console.on(end).ends_with(&[Effect::DestroyDevice, note(Note::Failed(why))]));
            assert_eq!(console.shift, over);
        }
    }
}

#[test]
fn a_microphone_that_is_back_before_the_call_ends_was_not_lost() {
    let mut console = Console::talking();
    console.on(Event::MicrophoneLost(Failure::MicrophoneMissing));
    console.refuses(Event::MicrophoneBack(Failure::MicrophoneRefused));
    console.on(Event::MicrophoneBack(Failure::MicrophoneMissing));
    console.refuses(Event::MicrophoneBack(Failure::MicrophoneMissing));
    console.on(Event::Disconnected(A));
    assert!(console.duty().is_available());
}

#[test]
fn a_microphone_that_is_lost_during_a_call_leaves_what_rings_beside_it_to_others() {
    let mut console = Console::talking();
    console.on(incoming(B));
    console.on(WITHDRAWN);
    assert!(console.on(Event::Disconnected(A)).contains(&Effect::LeaveLine));
}

#[test]
fn a_cancellation_that_crosses_our_answer_ends_the_call() {
    let mut console = Console::connecting();
    console.on(Event::Cancelled(A));
    assert_eq!(ended(&console), (How::GaveUp, None));
    console.on(Event::AnsweredElsewhere(call_ref(A)));
    assert_eq!(ended(&console).0, How::AnsweredElsewhere);

    let mut console = Console::talking();
    console.on(Event::Cancelled(A));
    assert_eq!(ended(&console), (How::CallerHungUp, Some(0)));

    let mut console = Console::connecting();
    console.on(Event::Operator(Intent::HangUp));
    console.on(Event::Cancelled(A));
    assert_eq!(ended(&console).0, How::HungUp);
}

#[test]
fn a_second_call_while_busy_is_shown_and_accepting_it_hangs_up_the_first() {
    let mut console = Console::talking();
    assert!(console.on(incoming(B)).contains(&Effect::CallWaits));
    assert_eq!(console.talk().call, A);
    assert_eq!(console.rings(), [B]);

    let effects = console.on(Event::Operator(Intent::Accept(B)));
    let place = |wanted| effects.iter().position(|effect| *effect == wanted);
    assert!(place(Effect::HangUp(A)).is_some_and(|hung_up| Some(hung_up) < place(Effect::Accept(B))));
    assert!(effects.contains(&note(Note::Ended(How::HungUp))));
    assert_eq!(console.talk().call, B);
    assert_eq!(console.refuses(Event::Disconnected(A)), Refusal::UnknownCall);
    assert_eq!(console.talk().call, B);
}

#[test]
fn one_that_rings_on_beside_a_call_that_was_just_accepted_is_heard() {
    let mut console = Console::ringing(&[A]);
    console.on(incoming(B));
    assert!(console.on(Event::Operator(Intent::Accept(A))).contains(&Effect::CallWaits));
    let mut console = Console::ringing(&[A]);
    assert!(!console.on(Event::Operator(Intent::Accept(A))).contains(&Effect::CallWaits));
}

#[test]
fn a_call_that_is_mended_goes_on_where_it_was() {
    let mut console = Console::talking();
    assert_eq!(console.on(Event::Reconnecting(A)), [note(Note::Reconnecting)]);
    console.refuses(Event::Reconnecting(A));
    assert_eq!(console.on(Event::Reconnected(A)), [note(Note::Reconnected)]);
    assert_eq!(console.talk().phase, Phase::Talking);
    console.refuses(Event::Reconnected(A));

    let mut console = Console::connecting();
    console.on(Event::Reconnecting(A));
    assert_eq!(console.refuses(Event::Timer(Timer::Audio(A))), Refusal::NotNow);
    let effects = console.on(Event::Reconnected(A));
    assert!(delay(&effects, Timer::Audio(A)).is_some(), "else it would wait for sound for ever");
    assert_eq!(console.talk().phase, Phase::Connecting { slow: false });
}

#[test]
fn sound_that_arrives_while_signalling_is_mended_counts() {
    let mut console = Console::connecting();
    console.on(Event::Reconnecting(A));
    console.on(Event::AudioFlows(A));
    assert_eq!(console.talk().phase, Phase::Reconnecting);
    console.on(Event::Reconnected(A));
    assert_eq!(console.talk().phase, Phase::Talking);
}

#[test]
fn a_call_that_ends_while_it_is_mended_is_lost() {
    let mut console = Console::talking();
    console.on(Event::Reconnecting(A));
    console.after(100).on(Event::Disconnected(A));
    assert_eq!(ended(&console), (How::Lost, Some(100)));
}

#[test]
fn a_call_goes_on_without_the_line() {
    let mut console = Console::talking();
    console.refuses(Event::TransportClosed(A));
    console.on(Event::Reconnecting(A));
    console.on(Event::Unregistered { returns: true });
    assert_eq!(console.talk().phase, Phase::Reconnecting);
    console.on(Event::Reconnected(A));
    console.on(Event::Registered);
    assert_eq!((console.talk().phase, console.duty().line), (Phase::Talking, Line::Up));
}

#[test]
fn muted_is_what_the_sdk_says() {
    let mut console = Console::talking();
    assert_eq!(console.on(Event::Operator(Intent::ToggleMute)), [Effect::Mute(A, true)]);
    assert!(!console.talk().muted);
    assert_eq!(console.on(Event::Muted(A, true)), [note(Note::Muted)]);
    assert!(console.talk().muted);
    console.refuses(Event::Muted(A, true));
    assert_eq!(console.on(Event::Operator(Intent::ToggleMute)), [Effect::Mute(A, false)]);
    assert_eq!(console.on(Event::Muted(A, false)), [note(Note::Unmuted)]);
}
