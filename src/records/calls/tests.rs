use std::collections::BTreeMap;

use database::scratch::Server;
use database::{Database, Place};
use domain::{CallRef, Identity};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::Audit;
use crate::audit::{Action, Actor, Filter};
use crate::event::tests::events;
use crate::{CallEvent, Came, What};

#[test]
fn in_any_order_and_however_often_it_is_the_same_row_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    merges(&Place::Sqlite(folder.path().join("hitoku.db")), 96);
}

#[test]
fn in_any_order_and_however_often_it_is_the_same_row_in_postgresql() {
    let server = Server::start();
    merges(&server.database(), 48);
}

/// Lists of events, shuffled, repeated, and cut into batches: the table says what the merge in memory says.
fn merges(place: &Place, cases: u32) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(Database::open(place)).unwrap();
    let list = proptest::collection::vec(events(), 1..12);
    let orders = list.prop_flat_map(|list| {
        let twice: Vec<_> = list.iter().chain(&list).cloned().collect();
        (Just(list), Just(twice).prop_shuffle(), 1..6_usize)
    });
    let mut runner =
        TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() });
    let all_orders = runner.run(&orders, |(list, shuffled, batch)| {
        let mut expected = BTreeMap::new();
        for event in &list {
            let record = Record::from(event);
            let known: Option<Record> = expected.remove(&event.call_sid);
            expected.insert(event.call_sid, known.map_or(record.clone(), |known| known.merge(record)));
        }
        let found = runtime.block_on(async {
            empty(&database).await;
            for batch in shuffled.chunks(batch) {
                add(&database, batch).await;
            }
            latest(&database, 100).await.unwrap()
        });
        prop_assert_eq!(found.len(), expected.len());
        for call in found {
            prop_assert_eq!(&call, &call_of(call.call_sid, &expected[&call.call_sid]));
        }
        Ok(())
    });
    all_orders.unwrap();
    runtime.block_on(async {
        a_customer_is_erased_and_the_figures_stay(&database).await;
        a_repeated_webhook_that_finds_the_customer_says_who_it_was(&database).await;
        a_repeated_webhook_that_knows_nobody_any_more_changes_nothing(&database).await;
        what_was_answered_and_is_over_was_talked_in(&database).await;
        an_alias_is_erased_with_the_customer(&database).await;
        text_that_postgresql_does_not_take_holds_nothing_up(&database).await;
        old_calls_are_forgotten_and_the_trail_says_how_many(&database).await;
    });
}

async fn a_customer_is_erased_and_the_figures_stay(database: &Database) {
    empty(database).await;
    let came = came(5, "cust-1");
    let events = [came.clone(), CallEvent { at: 9, what: What::Ended(Outcome::Busy), ..came.clone() }];
    add(database, &events).await;
    let mut transaction = database.begin().await.unwrap();
    assert_eq!(erase(&mut *transaction, vec![("cust-2", &["Kamito-Renasu".to_owned()])]).await.unwrap(), [0]);
    assert_eq!(erase(&mut *transaction, vec![("cust-1", &[]), ("cust-1", &[])]).await.unwrap(), [1, 0]);
    transaction.commit().await.unwrap();
    add(database, &[came]).await;
    let [call] = &latest(database, 9).await.unwrap()[..] else { panic!("one call") };
    assert_eq!((call.customer.as_deref(), call.outcome, call.ended_at), (None, Outcome::Busy, Some(9)));
    assert_eq!(count(database).await.unwrap(), 1);
}

async fn a_repeated_webhook_that_finds_the_customer_says_who_it_was(database: &Database) {
    let found = came(7, "cust-1");
    let silent = Came {
        call_ref: CallRef("ref".to_owned()),
        customer: None,
        alias: None,
        operator: None,
        outcome: Outcome::NoDirectory,
    };
    let before = CallEvent { at: 5, what: What::Came(silent), ..found.clone() };
    for events in [[before.clone(), found.clone()], [found, before]] {
        empty(database).await;
        add(database, &events[..1]).await;
        add(database, &events[1..]).await;
        let [call] = &latest(database, 9).await.unwrap()[..] else { panic!("one call") };
        assert_eq!((call.customer.as_deref(), call.first_at), (Some("cust-1"), 5));
        assert!(call.operator.is_some());
    }
}

async fn a_repeated_webhook_that_knows_nobody_any_more_changes_nothing(database: &Database) {
    let dialled = came(5, "cust-1");
    let again = |outcome| {
        let call_ref = CallRef("ref".to_owned());
        let nobody = Came { call_ref, customer: None, alias: None, operator: None, outcome };
        CallEvent { at: 7, what: What::Came(nobody), ..dialled.clone() }
    };
    let rang = CallEvent { at: 6, what: What::Rang, ..dialled.clone() };
    for outcome in [Outcome::UnknownCaller, Outcome::NoDirectory, Outcome::Withheld] {
        for events in
            [[dialled.clone(), again(outcome), rang.clone()], [rang.clone(), again(outcome), dialled.clone()]]
        {
            empty(database).await;
            for event in events {
                add(database, &[event]).await;
            }
            let [call] = &latest(database, 9).await.unwrap()[..] else { panic!("one call") };
            assert_eq!((call.customer.as_deref(), call.outcome), (Some("cust-1"), Outcome::Ringing));
        }
    }
}

async fn what_was_answered_and_is_over_was_talked_in(database: &Database) {
    empty(database).await;
    let dialled = came(5, "cust-1");
    let then = |at, what| CallEvent { at, what, ..dialled.clone() };
    add(database, &[dialled.clone(), then(6, What::Answered)]).await;
    assert_eq!(latest(database, 9).await.unwrap()[0].outcome, Outcome::Ringing);
    add(database, &[then(9, What::Over)]).await;
    assert_eq!(latest(database, 9).await.unwrap()[0].outcome, Outcome::Completed);
}

async fn an_alias_is_erased_with_the_customer(database: &Database) {
    empty(database).await;
    let mut came = came(5, "");
    let What::Came(who) = &mut came.what else { panic!("somebody came") };
    (who.customer, who.alias) = (None, Some("Kamito-Renasu".to_owned()));
    add(database, std::slice::from_ref(&came)).await;
    let mut transaction = database.begin().await.unwrap();
    let aliases = ["Hoteka-Ruyoma".to_owned(), "Kamito-Renasu".to_owned()];
    // An id is no alias, though it is written like one.
    let whose = vec![("cust-1", &aliases[..1]), ("Kamito-Renasu", &[])];
    assert_eq!(erase(&mut *transaction, whose).await.unwrap(), [0, 0]);
    assert_eq!(erase(&mut *transaction, vec![("cust-2", &[]), ("cust-1", &aliases)]).await.unwrap(), [0, 1]);
    transaction.commit().await.unwrap();
    add(database, &[came]).await;
    let [call] = &latest(database, 9).await.unwrap()[..] else { panic!("one call") };
    assert_eq!((call.alias.as_deref(), call.outcome, call.first_at), (None, Outcome::Ringing, 5));
}

async fn text_that_postgresql_does_not_take_holds_nothing_up(database: &Database) {
    empty(database).await;
    add(database, &[came(u64::MAX, "a\0b")]).await;
    let call = latest(database, 1).await.unwrap().remove(0);
    assert_eq!((call.customer.as_deref(), call.first_at), (Some("ab"), i64::MAX.unsigned_abs()));
}

async fn old_calls_are_forgotten_and_the_trail_says_how_many(database: &Database) {
    const A_DAY: u64 = 24 * 60 * 60 * 1000;
    empty(database).await;
    let audit = Audit::new(database.clone(), Box::new([7; 32]).into());
    let mut transaction = database.begin().await.unwrap();
    audit.begin(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    // More than go at once; the last two came thirty days ago to the millisecond, and one later.
    let calls: Vec<CallEvent> = (0..12_000)
        .map(|at| CallEvent {
            call_sid: CallSid::parse(&format!("CA{at:032x}")).unwrap(),
            ..came(at, "cust-1")
        })
        .collect();
    add(database, &calls).await;
    let now = 11_998 + 30 * A_DAY;
    assert_eq!(older(database, 30, now).await.unwrap(), 11_998);
    let mut told = vec![];
    forget(&audit, 30, &Actor::Hitoku, now, |done| told.push(done)).await.unwrap();
    assert_eq!(told, [10_000, 11_998]);
    let left: Vec<Millis> = latest(database, 9).await.unwrap().iter().map(|call| call.first_at).collect();
    assert_eq!(left, [11_999, 11_998]);
    let filter = Filter { action: Some(Action::Forgotten), subject: None };
    let entries = audit.list(&filter, 9).await.unwrap();
    let details: Vec<&str> = entries.iter().map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details, ["calls=1998 days=30", "calls=10000 days=30"]);
    assert!(audit.verify().await.unwrap().is_sound());
    forget(&audit, 30, &Actor::Hitoku, now, |_| panic!("nothing is left")).await.unwrap();
}

fn came(at: Millis, customer: &str) -> CallEvent {
    let came = Came {
        call_ref: CallRef("ref".to_owned()),
        customer: Some(customer.to_owned()),
        alias: None,
        operator: Some(Identity::parse("op.1").unwrap()),
        outcome: Outcome::Ringing,
    };
    CallEvent { call_sid: CallSid::parse(&format!("CA{:032x}", 7)).unwrap(), at, what: What::Came(came) }
}

fn call_of(call_sid: CallSid, record: &Record) -> Call {
    let time = |at: Option<i64>| at.map(i64::unsigned_abs);
    let who = record.arrival.as_ref();
    let call = Call {
        call_sid,
        call_ref: who.map(|who| CallRef(who.call_ref.clone())),
        customer: who.and_then(|who| who.customer.clone()),
        alias: who.and_then(|who| who.alias.clone()),
        operator: who.and_then(|who| who.operator.as_deref()).map(|text| Identity::parse(text).unwrap()),
        first_at: record.first_at.unsigned_abs(),
        rang_at: time(record.rang_at),
        answered_at: time(record.answered_at),
        ended_at: time(record.ended_at),
        outcome: record.outcome,
    };
    Call { outcome: call.became(), ..call }
}

async fn add(database: &Database, events: &[CallEvent]) {
    let mut transaction = database.begin().await.unwrap();
    let events: Vec<Event> = events.iter().cloned().map(Event::Call).collect();
    write(&mut *transaction, &events).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn empty(database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    transaction.run(Query::new("DELETE FROM calls")).await.unwrap();
    transaction.commit().await.unwrap();
}
