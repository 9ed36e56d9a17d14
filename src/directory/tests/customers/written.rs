//! Numbers in every way in which people write them, found by what Twilio sends.

use proptest::prelude::*;

use super::*;

/// What Twilio sends for each of forty numbers, and how people write it: with and without the country's code, in full width,
/// with what belongs between digits in each country. Made by hand, and not by what reads them.
fn number(at: u16) -> (String, Vec<String>) {
    let last = format!("{:02}", at / 8 + 10);
    let (whole, ways): (_, &[&str]) = match at % 8 {
        0 => (
            "+8190123400",
            &["090-1234-00", "090123400", "+81 90-1234-00", "＋８１ (0)90 1234 00", "０９０ー１２３４ー００"],
        ),
        1 => ("+813123456", &["03-1234-56", "(03) 1234 56", "+81-3-1234-56", "\u{202d}03−1234−56"]),
        2 => ("+4477009001", &["+44 7700 9001", "(+44) 7700-9001", "010 44 7700 9001", "+44 (0)7700 9001"]),
        3 => ("+120255501", &["+1 (202) 555-01", "+1.202.555.01", "010-1-202-555-01"]),
        4 => ("+3906123456", &["+39 06 1234 56", "+39-06-123456", "010 39 06 1234 56"]),
        5 => ("+336123456", &["+33 6 12 34 56 ", "+33 (0)6 12 34 56 "]),
        6 => ("+8210123456", &["+82 10-1234-56", "+82 (0)10 1234 56", "\u{200e}+82 10 1234 56"]),
        _ => ("+86138001380", &["+86 138 0013 80", "010 86 138 0013 80"]),
    };
    let whole = format!("{whole}{last}");
    let ways = ways.iter().map(|way| format!("{way}{last}")).chain([whole.clone()]);
    (whole, ways.collect())
}

fn customer() -> impl Strategy<Value = (u8, u8, Vec<(u16, usize, usize)>)> {
    (0_u8..12, 0_u8..3, proptest::collection::vec((0_u16..40, 0_usize..6, 0_usize..5), 1..4))
}

/// What stands between numbers.
const BETWEEN: [&str; 5] = [";", " / ", "|", "；", "、"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Against a map: whatever files come in whatever order, each number is its newest customer's, however it was written, when
    /// Twilio says it.
    #[test]
    fn a_number_is_its_newest_customers(files in proptest::collection::vec(proptest::collection::vec(customer(), 1..8), 1..4)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let house = House::sqlite().await;
            let mut model: std::collections::BTreeMap<u16, (String, String)> = std::collections::BTreeMap::new();
            for file in files {
                let mut rows = file;
                rows.sort_by_key(|row| row.0);
                rows.dedup_by_key(|row| row.0);
                let mut text = "id,name,operator,numbers\n".to_owned();
                for (id, operator, numbers) in &rows {
                    let written = numbers.iter().fold(String::new(), |all, (at, way, between)| {
                        let ways = number(*at).1;
                        let before = if all.is_empty() { "" } else { BETWEEN[*between] };
                        all + before + &ways[way % ways.len()]
                    });
                    text += &format!("cm-{id},name {id},user{operator},{written}\n");
                    let id = format!("cm-{id}");
                    model.retain(|_, (holder, _)| *holder != id);
                }
                for (id, operator, numbers) in &rows {
                    let person = (format!("cm-{id}"), format!("user{operator}"));
                    model.extend(numbers.iter().map(|(at, ..)| (*at, person.clone())));
                }
                house.import(&text).await;
                let before = house.kept().await;
                let again = house.import(&text).await;
                assert_eq!((again.added, again.changed, house.kept().await == before), (0, 0, true));
            }
            for at in 0..40_u16 {
                let caller = PhoneNumber::parse(&number(at).0).unwrap();
                let found = house.customers.look_up(&caller).await.unwrap();
                let found = found.map(|found| (found.customer_id.unwrap(), found.operator.to_string()));
                assert_eq!(found, model.get(&at).cloned(), "{at}");
            }
        });
    }
}
