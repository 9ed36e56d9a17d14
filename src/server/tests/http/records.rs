//! What is kept of a call, from the webhooks that Twilio sends: once, late, twice, or in whatever order.

use std::fs;
use std::time::Duration;

use database::{Database, Place};
use directory::{By, Customers, Keys, Region, Sheet};
use domain::{CallRef, Identity};
use proptest::prelude::*;
use records::audit::Actor;
use records::calls::Call;
use records::{CallSid, Outcome, calls};
use tempfile::TempDir;

use crate::house::{House, Wanted};
use crate::numbers::holds_a_number;

const SID: &str = "CA0123456789abcdef0123456789abcdef";
const LEG: &str = "CAfedcba9876543210fedcba9876543210";
const KOSHII: &str = "+447700900101";
const STRANGER: &str = "+447700900199";
/// As Twilio says of some who withhold theirs.
const SPELT_ANONYMOUS: &str = "+266696687";
/// The standing clock of the house, in milliseconds.
const NOW: u64 = 1_800_000_000_000;

type Webhook = (&'static str, &'static [(&'static str, &'static str)]);

/// All of a call that was answered.
const ANSWERED: [Webhook; 5] = [
    ("/incoming", &[("CallSid", SID), ("From", KOSHII)]),
    ("/status", &leg("ringing", "Fri, 15 Jan 2027 08:00:01 +0000")),
    ("/status", &leg("in-progress", "Fri, 15 Jan 2027 08:00:05 +0000")),
    ("/status", &leg("completed", "Fri, 15 Jan 2027 08:03:00 +0000")),
    ("/dialed", &[("CallSid", SID), ("DialCallStatus", "completed")]),
];

const fn leg(status: &'static str, at: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("CallSid", LEG),
        ("ParentCallSid", SID),
        ("CallStatus", status),
        ("Timestamp", at),
        ("From", "client:x"),
    ]
}

async fn told(house: &House, webhooks: &[Webhook]) -> Vec<Call> {
    for (path, fields) in webhooks {
        house.webhook(path, fields).await;
    }
    house.ledger.settled().await;
    calls::latest(&house.kept.database, 100).await.unwrap()
}

#[tokio::test]
async fn a_call_is_one_record_without_a_number_or_a_name() {
    let house = House::new();
    let kept = told(&house, &ANSWERED).await;
    let answer = house.webhook("/incoming", ANSWERED[0].1).await.body;
    let call_ref = answer.split("callerId=\"client:").nth(1).unwrap().split('"').next().unwrap();
    let [call] = &kept[..] else { panic!("one record: {kept:?}") };
    assert_eq!(call.call_sid, CallSid::parse(SID).unwrap());
    assert_eq!(call.call_ref, Some(CallRef(call_ref.to_owned())));
    assert_eq!((call.customer.as_deref(), call.alias.as_deref()), (Some("cm-koshii"), None));
    assert_eq!(call.operator.as_ref().map(Identity::as_str), Some("user001"));
    assert_eq!((call.rang_at, call.answered_at), (Some(NOW + 1000), Some(NOW + 5000)));
    assert_eq!((call.first_at, call.outcome), (NOW, Outcome::Completed));
    let entries = house.kept.customers.audit().list(&Default::default(), 100).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.subject == SID).count(), ANSWERED.len());
    assert!(house.kept.customers.audit().verify().await.unwrap().is_sound());
}

#[tokio::test]
async fn who_is_unknown_keeps_an_alias_and_who_withholds_the_number_gets_none() {
    let house = House::new();
    let sids = ["a", "b", "c", "d"].map(|digit| format!("CA{}", digit.repeat(32)));
    for (sid, from) in sids.iter().zip([STRANGER, STRANGER, "anonymous", SPELT_ANONYMOUS]) {
        house.webhook("/incoming", &[("CallSid", sid), ("From", from)]).await;
    }
    let mut kept = told(&house, &[]).await;
    kept.sort_by_key(|call| call.call_sid);
    let [one, again, withheld, spelt] = &kept[..] else { panic!("four calls: {kept:?}") };
    assert!(one.alias.is_some() && one.alias == again.alias, "{one:?} {again:?}");
    assert_eq!((one.outcome, withheld.outcome), (Outcome::UnknownCaller, Outcome::Withheld));
    assert_eq!((&withheld.alias, &one.customer), (&None, &None));
    assert_eq!((&spelt.alias, spelt.outcome), (&None, Outcome::Withheld));
}

#[tokio::test]
async fn whoever_takes_unknown_callers_sees_the_alias() {
    let operator = Identity::parse("desk.1").unwrap();
    let house = House::built(Wanted { unknown_callers: Some(operator.clone()), ..Wanted::default() });
    let answer = house.webhook("/incoming", &[("CallSid", SID), ("From", STRANGER)]).await.body;
    let [call] = &told(&house, &[]).await[..] else { panic!("one call") };
    let alias = call.alias.as_deref().unwrap();
    assert!(answer.contains("<Identity>desk_2E1</Identity>"), "{answer}");
    assert!(answer.contains(&format!(r#"<Parameter name="callerAlias" value="{alias}"/>"#)), "{answer}");
    assert!(!answer.contains("customerName") && !answer.contains("7700"));
    assert_eq!((&call.operator, call.outcome), (&Some(operator), Outcome::Ringing));
    for from in ["anonymous", SPELT_ANONYMOUS] {
        let withheld = house.webhook("/incoming", &[("From", from)]).await;
        assert!(withheld.sentence().contains("電話番号を通知して"));
    }
}

#[tokio::test]
async fn a_database_that_is_locked_holds_no_caller_up_and_misses_nothing() {
    let house = House::new();
    let other = house.kept.database.begin().await.unwrap();
    let answered = house.webhook("/incoming", ANSWERED[0].1);
    let answer = tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap();
    assert!(answer.body.contains("<Dial"), "{}", answer.body);
    assert!(calls::latest(&house.kept.database, 9).await.unwrap().is_empty(), "it is locked");
    drop(other);
    assert_eq!(told(&house, &[]).await.len(), 1);
}

/// A directory of our own in front of the webhooks.
async fn own(text: &str) -> (House, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&Place::Sqlite(folder.path().join("hitoku.db"))).await.unwrap();
    let keys = Keys::made_in_file(&folder.path().join("number.key")).unwrap();
    let customers = Customers::open(database, keys).await.unwrap();
    let sheet = Sheet::read(text.as_bytes(), Region::JAPAN, |_| {}).unwrap();
    customers.import(&sheet, &By { actor: Actor::Hitoku, at: NOW }, |_| {}).await.unwrap();
    (House::with(customers), folder)
}

#[tokio::test]
async fn an_imported_customer_is_put_through_and_no_file_or_log_holds_the_number() {
    let text = "id,name,operator,numbers\ncm-koshii,越井 琢巳,user001,+44 7700-900-101\n";
    let (house, folder) = own(text).await;
    let answer = house.webhook("/incoming", &[("CallSid", SID), ("From", KOSHII)]).await.body;
    assert!(answer.contains("<Identity>user001</Identity>") && answer.contains("越井 琢巳"), "{answer}");
    house.webhook("/incoming", &[("CallSid", LEG), ("From", STRANGER)]).await.sentence();
    assert_eq!(told(&house, &[]).await.len(), 2);
    for folder in [folder.path(), &house.folder()] {
        for file in fs::read_dir(folder).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!holds_a_number(&String::from_utf8_lossy(&bytes)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn repeated_late_and_disordered_webhooks_leave_the_same_record(
        order in Just((0..ANSWERED.len()).collect::<Vec<_>>()).prop_shuffle(),
        again in proptest::collection::vec(0..ANSWERED.len(), 0..5),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let expected = told(&House::new(), &ANSWERED).await;
            let disordered: Vec<Webhook> = order.iter().chain(&again).map(|at| ANSWERED[*at]).collect();
            assert_eq!(told(&House::new(), &disordered).await, expected);
        });
    }
}
