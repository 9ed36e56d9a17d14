//! From the click to the first registration, and every way in which it fails.

use domain::shift::{Effect, Event, Failure, Intent, Line, Note, Off, Refusal, Shift, Step, Timer};

use crate::console::{A, Console, HOUR, delay, incoming, note};

#[test]
fn each_step_is_asked_for_when_the_one_before_is_done() {
    let mut console = Console::off();
    let effects = console.on(Event::Operator(Intent::StartShift));
    assert_eq!(effects.last(), Some(&Effect::UnlockAudio));
    assert!(delay(&effects, Timer::Unlock).is_some());
    assert_eq!(console.on(Event::AudioReady), [Effect::OpenMicrophone]);
    assert_eq!(console.on(Event::MicrophoneReady), [Effect::FetchToken]);
    let effects = console.on(Event::TokenReady { lifetime: HOUR });
    assert_eq!(effects.last(), Some(&Effect::CreateDevice));
    assert!(matches!(&console.shift, Shift::Starting(starting) if starting.step == Step::Register));

    let effects = console.on(Event::Registered);
    assert!(effects.contains(&note(Note::ShiftStarted)));
    assert!(console.duty().is_available());
}

#[test]
fn each_failure_ends_it_with_its_own_reason() {
    let answers = [Event::AudioReady, Event::MicrophoneReady, Event::TokenReady { lifetime: HOUR }];
    for (done, event, why) in [
        (0, Event::StepFailed(Failure::SdkMissing), Failure::SdkMissing),
        (0, Event::StepFailed(Failure::Unsupported), Failure::Unsupported),
        (0, Event::Timer(Timer::Unlock), Failure::AudioBlocked),
        (1, Event::StepFailed(Failure::MicrophoneRefused), Failure::MicrophoneRefused),
        (1, Event::StepFailed(Failure::MicrophoneMissing), Failure::MicrophoneMissing),
        (2, Event::MicrophoneLost(Failure::MicrophoneMissing), Failure::MicrophoneMissing),
        (2, Event::TokenRefused, Failure::TokenRefused),
        (2, Event::TokenUnreachable, Failure::ServerUnreachable),
        (3, Event::DeviceFailed { code: 20104 }, Failure::CloudRefused),
        (3, Event::DeviceFailed { code: 31202 }, Failure::CloudRefused),
        (3, Event::Timer(Timer::Register), Failure::CloudUnreachable),
    ] {
        let mut console = Console::off();
        console.on(Event::Operator(Intent::StartShift));
        for answer in &answers[..done] {
            console.on(answer.clone());
        }
        let effects = console.on(event);
        assert_eq!(effects, [Effect::Forget, Effect::DestroyDevice, note(Note::Failed(why))]);
        assert_eq!(console.shift, Shift::Off(Off { why: Some(why) }));
        console.on(Event::Operator(Intent::StartShift));
    }
}

#[test]
fn a_socket_that_fails_is_tried_again_by_the_sdk_without_filling_the_log() {
    let mut console = Console::off();
    for event in [
        Event::Operator(Intent::StartShift),
        Event::AudioReady,
        Event::MicrophoneReady,
        Event::TokenReady { lifetime: HOUR },
    ] {
        console.on(event);
    }
    assert_eq!(console.on(Event::DeviceFailed { code: 31005 }), []);
    assert_eq!(console.on(Event::DeviceFailed { code: 31000 }), []);
    assert_eq!(console.on(Event::DeviceFailed { code: 31206 }), [note(Note::DeviceError(31206))]);
    console.on(Event::Registered);
    assert_eq!(console.duty().line, Line::Up);
}

#[test]
fn an_operator_may_change_their_mind_at_every_step() {
    let events = [
        Event::Operator(Intent::StartShift),
        Event::AudioReady,
        Event::MicrophoneReady,
        Event::TokenReady { lifetime: HOUR },
    ];
    for done in 1..=events.len() {
        let mut console = Console::off();
        for event in &events[..done] {
            console.on(event.clone());
        }
        assert_eq!(console.refuses(Event::Operator(Intent::StartShift)), Refusal::NotNow);
        let effects = console.on(Event::Operator(Intent::EndShift));
        assert_eq!(effects, [Effect::Forget, Effect::DestroyDevice, note(Note::StartCancelled)]);
        assert_eq!(console.shift, Shift::default());
    }
}

#[test]
fn off_duty_nothing_means_anything_but_a_start() {
    let mut console = Console::off();
    for event in [
        Event::Operator(Intent::EndShift),
        Event::Operator(Intent::Accept(A)),
        Event::Registered,
        Event::TokenReady { lifetime: HOUR },
        Event::DeviceGone,
        Event::Woke,
        incoming(A),
        Event::Timer(Timer::TokenRetry),
    ] {
        console.refuses(event);
    }
}

#[test]
fn a_shift_ends_when_nobody_talks() {
    let mut console = Console::talking();
    assert_eq!(console.refuses(Event::Operator(Intent::EndShift)), Refusal::Busy);
    console.on(Event::Disconnected(A));
    let effects = console.on(Event::Operator(Intent::EndShift));
    assert_eq!(effects, [Effect::Forget, Effect::DestroyDevice, note(Note::ShiftEnded)]);
    for late in [Event::Rejected(A), Event::Unregistered { returns: true }, Event::Disconnected(A)] {
        console.refuses(late);
    }
}

#[test]
fn a_device_that_cannot_be_made_anew_ends_the_shift() {
    let mut console = Console::talking();
    console.on(Event::Stuck(A));
    console.on(Event::StepFailed(Failure::Unsupported));
    assert_eq!(console.shift, Shift::Off(Off { why: Some(Failure::Unsupported) }));
}
