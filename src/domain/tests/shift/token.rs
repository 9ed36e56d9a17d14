//! The token is renewed in time, once, whoever asks; and seldom while it cannot be had.

use domain::shift::{Effect, Event, Intent, Note, Refusal, Renewal, Timer};

use crate::console::{A, Console, HOUR, delay, note};

const READY: Event = Event::TokenReady { lifetime: HOUR };
const REFUSED: Event = Event::DeviceFailed { code: 20104 };

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
fn the_consoles_of_a_company_do_not_all_come_back_at_once() {
    let wait_after = |millis| {
        let mut console = Console::on_duty();
        console.after(HOUR + millis).on(Event::TokenWillExpire);
        delay(&console.on(Event::TokenUnreachable), Timer::TokenRetry)
    };
    let waits: Vec<_> = (0..250).map(wait_after).collect();
    let different: std::collections::BTreeSet<_> = waits.iter().flatten().collect();
    assert_eq!(different, (1_000..1_250).collect::<Vec<_>>().iter().collect());
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
        assert!(effects.contains(&Effect::DestroyDevice), "it would knock at the cloud without pause");
        assert!(!console.duty().is_available());
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
fn a_console_whose_registration_the_cloud_refuses_is_not_available_until_it_is_registered_anew() {
    let mut console = Console::on_duty();
    let effects = console.after(HOUR / 4 * 3).on(REFUSED);
    assert!(asks(&effects) && effects.contains(&note(Note::LineDown)), "{effects:?}");
    assert!(!console.duty().is_available());
    console.refuses(REFUSED);
    // The SDK takes itself for registered, and would give the cloud the new token and not register.
    let effects = console.on(READY);
    assert!(effects.windows(2).any(|pair| pair == [Effect::DestroyDevice, Effect::CreateDevice]));
    assert!(!effects.contains(&Effect::UpdateToken) && !console.duty().is_available());
    console.on(Event::Registered);
    assert!(console.duty().is_available());
}

#[test]
fn what_rings_and_who_talks_while_the_cloud_refuses_the_token_goes_on_and_the_line_is_proved_after() {
    for (mut console, end) in
        [(Console::talking(), Event::Disconnected(A)), (Console::ringing(&[A]), Event::Cancelled(A))]
    {
        let effects = console.on(REFUSED);
        assert!(!effects.contains(&Effect::DestroyDevice));
        console.on(Event::Timer(Timer::TokenRetry));
        assert_eq!(console.on(READY)[0], Effect::UpdateToken);
        assert_eq!(console.on(Event::TokenTaken), [Effect::ProveLine]);
        console.on(end);
        assert!(!console.duty().is_available());
        console.on(Event::Registered);
        assert!(console.duty().is_available());
        assert_eq!(console.refuses(Event::TokenTaken), Refusal::NotNow);
    }
}

#[test]
fn with_the_token_over_nobody_is_available_until_there_is_another() {
    let mut console = Console::off();
    let mut effects = vec![];
    for event in [
        Event::Operator(Intent::StartShift),
        Event::AudioReady,
        Event::MicrophoneReady,
        READY,
        Event::Registered,
    ] {
        effects = console.on(event);
    }
    for _ in 0..2 {
        let Some(end) = delay(&effects, Timer::TokenEnd) else { panic!("it never ends: {effects:?}") };
        assert!((HOUR - 5_000..HOUR).contains(&end), "{end}");
        console.after(HOUR / 4 * 3).on(Event::TokenWillExpire);
        console.on(Event::TokenUnreachable);
        console.after(end - HOUR / 4 * 3).on(Event::Timer(Timer::TokenEnd));
        assert!(!console.duty().is_available());
        let late = console.on(Event::Timer(Timer::Register));
        assert!(!late.contains(&Effect::CreateDevice), "its token would be refused: {late:?}");
        console.after(30_000).on(Event::Timer(Timer::TokenRetry));
        effects = console.on(READY);
        assert!(effects.contains(&Effect::CreateDevice));
        console.on(Event::Registered);
        assert!(console.duty().is_available());
    }
}

#[test]
fn a_token_that_ends_during_a_call_does_not_end_the_call() {
    let mut console = Console::talking();
    console.after(HOUR).on(Event::Timer(Timer::TokenEnd));
    assert_eq!(console.talk().call, A);
    console.on(Event::Disconnected(A));
    assert!(!console.duty().is_available());
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
