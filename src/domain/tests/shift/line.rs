//! The line goes down and comes up again: by the SDK itself, by asking it, or after sleep.

use domain::shift::{Effect, Event, Intent, Line, Note, Refusal, Timer};

use crate::console::{A, Console, HOUR, delay, incoming, note};

#[test]
fn the_sdk_registers_again_by_itself() {
    let mut console = Console::on_duty();
    let effects = console.on(Event::Unregistered { returns: true });
    assert_eq!(effects[0], note(Note::LineDown));
    assert!(delay(&effects, Timer::Register).is_some(), "{effects:?}");
    assert!(!console.duty().is_available());
    let since = console.now;
    assert_eq!(console.after(50).on(Event::Unregistered { returns: true }), []);
    assert_eq!(console.duty().line, Line::Down { since });
    assert_eq!(console.on(Event::Registered), [note(Note::LineUp)]);
    assert!(console.duty().is_available());
    assert_eq!(console.refuses(Event::Registered), Refusal::NotNow);
    assert_eq!(console.refuses(Event::Timer(Timer::Register)), Refusal::NotNow);
}

#[test]
fn an_sdk_that_does_not_come_back_is_replaced_again_and_again_and_never_during_a_call() {
    let mut console = Console::on_duty();
    let mut effects = console.on(Event::Unregistered { returns: true });
    for _ in 0..3 {
        let Some(wait) = delay(&effects, Timer::Register) else { panic!("given up") };
        effects = console.after(wait).on(Event::Timer(Timer::Register));
        assert!(effects.ends_with(&[Effect::DestroyDevice, Effect::CreateDevice]));
    }
    console.on(Event::Registered);
    assert!(console.duty().is_available());

    let mut console = Console::talking();
    console.on(Event::Unregistered { returns: true });
    let effects = console.on(Event::Timer(Timer::Register));
    assert!(delay(&effects, Timer::Register).is_some() && !effects.contains(&Effect::DestroyDevice));
}

#[test]
fn a_new_token_for_a_line_that_is_down_is_a_new_devices() {
    let mut console = Console::on_duty();
    console.on(Event::Unregistered { returns: true });
    console.on(Event::Woke);
    let effects = console.on(Event::TokenReady { lifetime: HOUR });
    assert!(effects.windows(2).any(|pair| pair == [Effect::DestroyDevice, Effect::CreateDevice]));
    assert!(!effects.contains(&Effect::UpdateToken));
}

#[test]
fn when_the_cloud_closed_the_stream_the_sdk_is_asked_later_and_ever_more_seldom() {
    let mut console = Console::on_duty();
    let effects = console.on(Event::Unregistered { returns: false });
    assert!(!effects.contains(&Effect::Register), "asked at once, the SDK would stop registering by itself");
    let first = delay(&effects, Timer::RegisterAgain);
    assert_eq!(console.on(Event::Timer(Timer::RegisterAgain))[0], Effect::Register);
    let effects = console.after(10_000).on(Event::Unregistered { returns: false });
    assert!(delay(&effects, Timer::RegisterAgain) > first);
    assert_eq!(delay(&effects, Timer::RegisterAgain), Some(5_000), "half of the time that it was away");
    let effects = console.after(10_000_000).on(Event::Unregistered { returns: false });
    assert_eq!(delay(&effects, Timer::RegisterAgain), Some(30_000));
}

#[test]
fn a_device_is_looked_after_for_as_long_as_the_line_is_down() {
    let mut console = Console::on_duty();
    let mut effects = console.on(Event::Unregistered { returns: true });
    for _ in 0..9 {
        let Some(wait) = delay(&effects, Timer::RegisterAgain) else { panic!("nobody looks any more") };
        effects = console.after(wait).on(Event::Timer(Timer::RegisterAgain));
        assert!(effects.contains(&Effect::Register));
    }
}

#[test]
fn a_line_that_is_up_again_is_not_asked_to_register() {
    let mut console = Console::on_duty();
    console.on(Event::Unregistered { returns: false });
    console.on(Event::Registered);
    console.refuses(Event::Timer(Timer::RegisterAgain));
}

#[test]
fn a_drop_of_the_socket_is_no_error_to_tell() {
    let mut console = Console::on_duty();
    assert_eq!(console.on(Event::DeviceFailed { code: 31005 }), []);
    assert_eq!(console.on(Event::DeviceFailed { code: 31009 }), []);
    assert_eq!(console.on(Event::DeviceFailed { code: 31400 }), [note(Note::DeviceError(31400))]);
}

#[test]
fn waking_with_the_line_down_asks_for_a_token_at_once() {
    let mut console = Console::on_duty();
    assert_eq!(console.refuses(Event::Woke), Refusal::NotNow);
    console.on(Event::Unregistered { returns: true });
    assert_eq!(console.on(Event::Woke), [Effect::FetchToken]);
    assert_eq!(console.refuses(Event::Woke), Refusal::NotNow);
}

#[test]
fn a_network_that_appears_to_be_gone_leaves_the_line_in_doubt_until_the_cloud_answers() {
    let mut console = Console::on_duty();
    assert_eq!(console.on(Event::PerhapsCutOff), [note(Note::LineDoubtful), Effect::ProveLine]);
    assert_eq!(console.duty().line, Line::Doubtful { since: console.now });
    assert!(!console.duty().is_available());
    assert_eq!(console.refuses(Event::PerhapsCutOff), Refusal::NotNow);
    assert_eq!(console.refuses(Event::Timer(Timer::RegisterAgain)), Refusal::NotNow);
    assert_eq!(console.on(Event::Registered), [note(Note::LineUp)]);
    assert!(console.duty().is_available());
}

#[test]
fn a_call_that_rings_proves_the_line() {
    let mut console = Console::on_duty();
    console.on(Event::PerhapsCutOff);
    assert!(console.on(incoming(A)).contains(&note(Note::LineUp)));
    assert_eq!(console.rings(), [A]);
    console.on(Event::Cancelled(A));
    assert!(console.duty().is_available());
}

#[test]
fn a_line_in_doubt_keeps_its_device_and_goes_down_like_any_other() {
    let mut console = Console::on_duty();
    console.on(Event::PerhapsCutOff);
    let effects = console.on(Event::TokenReady { lifetime: HOUR });
    assert!(effects.contains(&Effect::UpdateToken), "nobody knows that the device is lost: {effects:?}");
    assert_eq!(console.refuses(Event::Woke), Refusal::NotNow);
    let effects = console.on(Event::Unregistered { returns: true });
    assert_eq!(effects[0], note(Note::LineDown));
    assert_eq!(console.duty().line, Line::Down { since: console.now });
    assert_eq!(console.refuses(Event::PerhapsCutOff), Refusal::NotNow);
}

#[test]
fn what_rings_beside_a_doubt_is_not_lost_by_it() {
    let mut console = Console::ringing(&[A]);
    console.on(Event::PerhapsCutOff);
    console.on(Event::Operator(Intent::Accept(A)));
    assert_eq!(console.talk().call, A);
}

#[test]
fn a_call_that_came_over_a_line_that_was_down_is_not_lost_when_the_page_wakes() {
    let mut console = Console::on_duty();
    console.on(Event::Unregistered { returns: true });
    console.on(incoming(A));
    assert_eq!(console.on(Event::Unregistered { returns: true }), []);
    console.on(Event::Woke);
    console.on(Event::TokenReady { lifetime: HOUR });
    assert_eq!(console.rings(), [A]);
    // The cloud ends everything when it closes the stream.
    console.on(Event::Unregistered { returns: false });
    assert_eq!(console.rings(), []);
}
