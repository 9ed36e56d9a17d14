//! The token is renewed in time, once, whoever asks; and seldom while it cannot be had.

use domain::shift::{Effect, Event, Note, Renewal, Timer};

use crate::console::{A, Console, HOUR, delay, note};

const READY: Event = Event::TokenReady { lifetime: HOUR };

fn asks(effects: &[Effect]) -> bool {
    effects.contains(&Effect::FetchToken)
}

#[test]
fn it_is_renewed_by_the_sdks_word_once() {
    let mut console = Console::on_duty();
    console.after(HOUR - 60_000);
    assert_eq!(console.on(Event::TokenWillExpire), [Effect::FetchToken]);
    for again in
        [Event::TokenWillExpire, Event::Woke, Event::Timer(Timer::TokenAge), Event::Timer(Timer::TokenRetry)]
    {
        console.refuses(again);
    }
    console.refuses(Event::DeviceFailed { code: 20104 });
    let effects = console.on(READY);
    assert_eq!(effects[0], Effect::UpdateToken);
    assert!(effects.contains(&note(Note::TokenRenewed)));
    console.refuses(Event::TokenWillExpire);
}

#[test]
fn a_stale_word_of_the_sdk_means_nothing() {
    let mut console = Console::on_duty();
    console.after(HOUR / 2 - 1).refuses(Event::TokenWillExpire);
    assert!(asks(&console.after(1).on(Event::TokenWillExpire)));
}

#[test]
fn it_is_renewed_even_if_the_sdk_says_nothing() {
    let mut console = Console::on_duty();
    console.after(HOUR / 4 * 3);
    assert!(asks(&console.on(Event::Timer(Timer::TokenAge))));
    let effects = console.on(READY);
    assert_eq!(delay(&effects, Timer::TokenAge), Some(HOUR / 4 * 3));
}

#[test]
fn during_a_call_it_waits_while_it_can() {
    let mut console = Console::talking();
    console.after(HOUR / 4 * 3);
    console.refuses(Event::Woke);
    let effects = console.on(Event::Timer(Timer::TokenAge));
    assert!(!asks(&effects));
    let Some(rest) = delay(&effects, Timer::TokenAge) else { panic!("it is never looked at again") };
    assert!(asks(&console.after(rest).on(Event::Timer(Timer::TokenAge))));
    assert!(console.now - console.duty().token.since < HOUR);
}

#[test]
fn after_sleep_it_is_renewed_at_once() {
    let mut console = Console::on_duty();
    assert!(asks(&console.after(3 * HOUR).on(Event::Woke)));
}

#[test]
fn while_the_server_is_away_it_is_asked_for_ever_more_seldom() {
    let mut console = Console::on_duty();
    console.after(HOUR).on(Event::TokenWillExpire);
    let mut last = 0;
    for failure in 0..12 {
        let event = if failure % 2 == 0 { Event::TokenUnreachable } else { Event::TokenRefused };
        let effects = console.on(event);
        assert_eq!(effects.contains(&note(Note::TokenDelayed)), failure == 0, "said once");
        let Some(wait) = delay(&effects, Timer::TokenRetry) else { panic!("given up after {failure}") };
        assert!(wait >= last.min(30_000) && wait < 40_000, "{wait} after {last}");
        last = wait;
        assert!(asks(&console.after(wait).on(Event::Timer(Timer::TokenRetry))));
    }
    console.on(READY);
    assert_eq!(console.duty().token.renewal, Renewal::Idle);
}

#[test]
fn waking_does_not_wait_for_the_next_attempt() {
    let mut console = Console::on_duty();
    console.after(HOUR).on(Event::TokenWillExpire);
    console.on(Event::TokenUnreachable);
    assert!(asks(&console.on(Event::Woke)));
    console.refuses(Event::Timer(Timer::TokenRetry));
}

#[test]
fn a_token_that_the_cloud_calls_dead_is_replaced_at_once_when_it_is_old() {
    let mut console = Console::on_duty();
    assert!(asks(&console.after(HOUR).on(Event::DeviceFailed { code: 20104 })));
}

#[test]
fn a_cloud_that_refuses_every_fresh_token_is_not_asked_without_pause() {
    let mut console = Console::on_duty();
    let mut last = 0;
    for _ in 0..8 {
        let effects = console.on(Event::DeviceFailed { code: 20101 });
        assert!(!asks(&effects));
        let Some(wait) = delay(&effects, Timer::TokenRetry) else { panic!("given up") };
        assert!(wait >= last.min(30_000), "{wait} after {last}");
        last = wait;
        console.on(Event::Unregistered { returns: true });
        let again = console.on(Event::DeviceFailed { code: 20101 });
        assert_eq!(again, [Effect::DestroyDevice], "it would knock at the cloud without pause");
        assert!(!console.on(Event::Timer(Timer::Register)).contains(&Effect::CreateDevice));
        assert!(asks(&console.after(wait).on(Event::Timer(Timer::TokenRetry))));
        assert!(console.on(READY).contains(&Effect::CreateDevice));
    }
    assert!(last >= 30_000);

    console.on(Event::Registered);
    console.after(HOUR).on(Event::TokenWillExpire);
    console.on(READY);
    let effects = console.on(Event::DeviceFailed { code: 20101 });
    assert!(delay(&effects, Timer::TokenRetry) < Some(2_000), "a token was good in between");
}

#[test]
fn a_call_goes_on_while_the_cloud_refuses_the_token() {
    let mut console = Console::talking();
    let effects = console.on(Event::DeviceFailed { code: 20101 });
    assert!(!effects.contains(&Effect::DestroyDevice));
    console.on(Event::Timer(Timer::TokenRetry));
    assert_eq!(console.on(READY)[0], Effect::UpdateToken);
    assert_eq!(console.talk().call, A);
}

#[test]
fn a_token_without_a_life_is_not_renewed_without_pause() {
    let mut console = Console::on_duty();
    console.after(HOUR).on(Event::TokenWillExpire);
    let effects = console.on(Event::TokenReady { lifetime: 0 });
    assert!(delay(&effects, Timer::TokenAge) >= Some(4_000));
    console.refuses(Event::TokenWillExpire);
}

#[test]
fn a_clock_that_is_set_back_makes_no_token_young_again() {
    let mut console = Console::on_duty();
    console.now -= 3_600_000;
    assert!(console.on(Event::TokenWillExpire).contains(&Effect::FetchToken));
}
