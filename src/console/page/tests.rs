//! What must, and must not, be drawn in each state.

use std::collections::BTreeSet;
use std::path::Path;

use domain::shift::*;

use super::attention::{intent_of, is_for_another, is_stray};
use super::states::{self, FAILURES, HOWS, State};
use super::words::{self, Text};
use crate::language::Language;

#[test]
fn a_console_says_available_exactly_when_it_would_ring() {
    each(|name, shift, text, language| {
        let available = matches!(shift, Shift::On(duty) if duty.is_available());
        assert_eq!(text.contains(words::AVAILABLE.of(language)), available, "{name}: {text}");
    });
}

#[test]
fn a_line_in_doubt_is_called_neither_up_nor_down() {
    for language in Language::ALL {
        let text = text(&page("doubtful", language));
        for said in [words::LINE_DOUBTFUL, words::DOUBTFUL_SAYS] {
            assert!(text.contains(said.of(language)), "{text}");
        }
        assert!(!stage(&text, language).contains(words::LINE_DOWN.of(language)), "{text}");
        let talk = super::tests::text(&page("talking-doubtful", language));
        assert!(!talk.contains(words::DOWN_IN_CALL.of(language)), "the call itself says how it is: {talk}");
    }
}

#[test]
fn a_call_is_connected_only_while_audio_flows_both_ways() {
    each(|name, shift, text, language| {
        let both_are_heard = |talk: &Talk| talk.phase == Phase::Talking && !talk.unheard && !talk.unhearing;
        let talking = matches!(shift, Shift::On(duty) if duty.talk.as_ref().is_some_and(both_are_heard));
        let stage = stage(text, language);
        assert_eq!(stage.contains(words::CONNECTED.of(language)), talking, "{name}: {stage}");
    });
}

#[test]
fn who_calls_is_drawn_at_once_and_a_number_never() {
    let named = page("ringing", Language::Ja);
    assert!(named.contains("<bdi translate=\"no\">越井 琢巳</bdi>"), "{named}");
    assert!(named.contains("cm-koshii"));
    assert!(page("ringing-symbols", Language::En).contains("O'Neil &amp; Sons &lt;K&gt;"));
    for language in Language::ALL {
        let unknown = page("ringing-unknown", language);
        assert!(unknown.contains(words::UNKNOWN.of(language)) && unknown.contains("Kamito-Renasu"));
        assert!(!unknown.contains(words::CUSTOMER_ID.of(language)));
        let nameless = page("ringing-nameless", language);
        assert!(nameless.contains(words::NO_NAME.of(language)) && nameless.contains("cm-1"));
        assert!(!nameless.contains(words::UNKNOWN.of(language)));
    }
}

#[test]
fn each_ring_can_be_accepted_and_rejected_and_only_one_has_the_keys() {
    let two = page("ringing-two", Language::En);
    assert_eq!(two.matches("role=\"alertdialog\"").count(), 1, "the other one never has the focus");
    for (class, key) in [("button--accept", "A"), ("button--reject", "R")] {
        assert_eq!(two.matches(class).count(), 2);
        assert_eq!(two.matches(&format!("aria-keyshortcuts=\"{key}\"")).count(), 1);
    }
    assert_eq!(two.matches("data-rest").count(), 1);
    let taken = text(&page("ringing-taken", Language::En));
    assert!(taken.contains(words::TAKEN_SAYS.of(Language::En)));
    assert!(!taken.contains(words::ACCEPT.of(Language::En)));
}

#[test]
fn a_second_ring_leaves_the_call_in_progress_where_it_is() {
    let html = page("talking-second", Language::En);
    let text = text(&html);
    for seen in ["越井 琢巳", "01:05", "佐藤 美咲", "End &amp; accept", "Reject", "Mute"] {
        assert!(text.contains(seen), "{seen}: {text}");
    }
    assert!(!html.contains("aria-keyshortcuts=\"A\""), "one key must not end a call by accepting another");
}

#[test]
fn a_page_has_one_first_heading() {
    for (name, shift, event_log) in states::all() {
        let headings = states::html(&shift, &event_log, Language::En).matches("<h1").count();
        assert!(headings == 1 || name == "ringing-taken" && headings == 0, "{name}: {headings}");
    }
}

#[test]
fn a_ring_is_announced_once() {
    let spoken = |name| {
        let html = page(name, Language::En);
        html.split_once("aria-live=\"assertive\">").unwrap().1.to_owned()
    };
    assert!(!text(&spoken("ringing")).contains("越井"), "it is read out with the focus that it takes");
    for second in ["talking-second", "ringing-two"] {
        assert!(text(&spoken(second)).contains("Another call: "), "{second}");
    }
}

#[test]
fn a_running_time_is_drawn_only_of_audio() {
    assert!(text(&page("talking", Language::Ja)).contains("01:05"));
    assert!(text(&page("talking-hours", Language::Ja)).contains("1:02:03"));
    for silent in ["connecting", "connecting-slow", "reconnecting-early"] {
        assert!(!page(silent, Language::Ja).contains("class=\"clock\""), "{silent}");
    }
}

#[test]
fn every_failure_says_what_to_do_and_how_to_go_on() {
    for failure in FAILURES {
        for language in Language::ALL {
            let text = text(&page(&format!("failed-{failure:?}"), language));
            let advice = words::advice(failure);
            for said in advice.steps.into_iter().chain([advice.title, words::WHAT_TO_DO]) {
                assert!(text.contains(said.of(language)), "{failure:?}: {text}");
            }
            let goes_on =
                [words::TRY_AGAIN, words::RELOAD].iter().any(|word| text.contains(word.of(language)));
            assert!(goes_on, "{failure:?}: {text}");
        }
    }
}

#[test]
fn an_end_tells_how_and_how_long() {
    for how in HOWS {
        let text = text(&page(&format!("ended-{how:?}"), Language::En));
        assert!(text.contains(words::how(how).of(Language::En)), "{text}");
        assert_eq!(
            text.contains("03:12"),
            matches!(how, How::HungUp | How::CallerHungUp | How::Failed(_)),
            "{text}"
        );
        assert_eq!(text.contains("1:00:00"), how == How::TimeUp, "{text}");
    }
    assert!(text(&page("ended-Failed(31005)", Language::En)).contains("31005"));
}

#[test]
fn a_shift_that_never_began_is_not_called_over() {
    assert!(page("over", Language::Ja).contains(words::OVER_TITLE.of(Language::Ja)));
    assert!(page("given-up", Language::Ja).contains(words::OFF_TITLE.of(Language::Ja)));
}

#[test]
fn the_event_log_holds_no_person() {
    each(|name, _, text, language| {
        let (_, event_log) = text.split_once(words::EVENT_LOG_SAYS.of(language)).unwrap();
        let (event_log, _) = event_log.split_once(words::PROMISE.of(language)).unwrap();
        for person in ["越井", "cm-", "佐藤", "María"] {
            assert!(!event_log.contains(person), "{name}: {event_log}");
        }
    });
}

#[test]
fn keys_mean_what_their_buttons_say_and_nothing_else() {
    let of = |name: &str, key: &str| intent_of(key, &state(name).1);
    assert_eq!(of("ringing", "a"), Some(Intent::Accept(CallId(1))));
    assert_eq!(of("ringing-two", "R"), Some(Intent::Reject(CallId(1))));
    assert_eq!(of("talking", "m"), Some(Intent::ToggleMute));
    assert_eq!(of("talking", "h"), Some(Intent::HangUp));
    assert_eq!(of("talking-second", "r"), Some(Intent::Reject(CallId(2))));
    assert_eq!(of("talking-second", "a"), None);
    assert_eq!(of("ringing-taken", "a"), None);
    for (name, shift, _) in states::all() {
        for key in ["Escape", "Enter", " ", "x", "Tab"] {
            assert_eq!(intent_of(key, &shift), None, "{name} {key}");
        }
    }
}

#[test]
fn a_key_that_was_meant_for_a_call_that_is_gone_answers_no_other() {
    for intent in [Intent::Accept(CallId(2)), Intent::Reject(CallId(2))] {
        assert!(is_for_another(&intent, true, f64::INFINITY), "the page has not drawn it yet");
        assert!(is_for_another(&intent, false, 0.0) && is_for_another(&intent, false, 499.0));
        assert!(!is_for_another(&intent, false, 500.0) && !is_for_another(&intent, false, f64::INFINITY));
    }
    assert!(!is_for_another(&Intent::HangUp, true, 0.0));
}

#[test]
fn a_key_on_its_way_when_the_focus_moves_presses_nothing() {
    for key in ["Enter", " "] {
        assert!(is_stray(key, false, 0.0) && is_stray(key, false, 499.0));
        assert!(is_stray(key, true, 10_000.0), "held down since before");
        assert!(!is_stray(key, false, 500.0));
        assert!(!is_stray(key, false, f64::INFINITY), "the focus was never moved");
    }
    for key in ["a", "Tab", "Escape"] {
        assert!(!is_stray(key, true, 0.0));
    }
}

#[test]
fn no_style_or_script_stands_in_the_page() {
    for (name, shift, event_log) in states::all() {
        let html = states::html(&shift, &event_log, Language::Ja);
        for forbidden in ["style=", "<script", "<style", "onclick", "javascript:"] {
            assert!(!html.contains(forbidden), "{name}: {forbidden}");
        }
    }
}

#[test]
fn every_text_is_in_its_own_language() {
    let texts: Vec<(&str, &str)> = include_str!("words.rs")
        .split("text(")
        .filter_map(|text| {
            let (ja, rest) = text.trim_start().strip_prefix('"')?.split_once('"')?;
            Some((ja, rest.split('"').nth(1)?))
        })
        .collect();
    assert!(texts.len() > 100, "{texts:?}");
    for (ja, en) in texts {
        assert!(!ja.is_ascii(), "{ja}");
        assert!(!en.is_empty() && (en.is_ascii() || en == words::TITLE.of(Language::En)), "{en}");
    }
}

/// With `GALLERY=target/gallery` every state is written there too, as a document of its own with the real style, to be looked at.
#[test]
fn the_style_names_no_class_that_nothing_has() {
    // These are of documents that are no state of the page: see `shell`.
    let mut drawn = String::from("broken broken-note broken-note--shown refused rehearsal ");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let gallery = std::env::var_os("GALLERY").map(|folder| root.join(folder));
    for language in Language::ALL {
        for (name, shift, event_log) in states::all() {
            let body = states::html(&shift, &event_log, language);
            for class in body.split("class=\"").skip(1) {
                drawn += class.split('"').next().unwrap();
                drawn += " ";
            }
            if let Some(folder) = &gallery {
                write(folder, &root, &name, language, &body);
            }
        }
    }
    let drawn: BTreeSet<&str> = drawn.split_whitespace().collect();
    for file in std::fs::read_dir(root.join("style")).unwrap() {
        let style = std::fs::read_to_string(file.unwrap().path()).unwrap();
        // A class follows a dot that follows no digit; a dot in a comment or a file's name follows a letter.
        for (at, _) in style.match_indices('.') {
            let before = style[..at].chars().next_back().unwrap_or(' ');
            let class: String = style[at + 1..]
                .chars()
                .take_while(|sign| sign.is_ascii_alphanumeric() || "-_".contains(*sign))
                .collect();
            let is_class =
                class.starts_with(|sign: char| sign.is_ascii_lowercase()) && " \n(,+>".contains(before);
            assert!(
                !is_class || drawn.contains(class.as_str()),
                ".{class} is in the style, and nothing has it"
            );
        }
    }
}

fn write(folder: &Path, root: &Path, name: &str, language: Language, body: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let (tag, style) = (language.tag(), root.join("style/main.css"));
    let document = format!(
        "<!DOCTYPE html><html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{name}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"file://{}\"></head><body>{body}</body></html>",
        style.display()
    );
    std::fs::write(folder.join(format!("{name}.{tag}.html")), document).unwrap();
}

fn each(check: impl Fn(&str, &Shift, &str, Language)) {
    for language in Language::ALL {
        for (name, shift, event_log) in states::all() {
            check(&name, &shift, &text(&states::html(&shift, &event_log, language)), language);
        }
    }
}

fn state(name: &str) -> State {
    states::all().into_iter().find(|(state, ..)| state == name).unwrap()
}

fn page(name: &str, language: Language) -> String {
    let (_, shift, event_log) = state(name);
    states::html(&shift, &event_log, language)
}

/// What is read before the event log.
fn stage(text: &str, language: Language) -> &str {
    let log: Text = words::EVENT_LOG_SAYS;
    text.split_once(log.of(language)).unwrap().0
}

/// The words of a page, without its elements.
fn text(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
        text.push(' ');
    }
    text
}
