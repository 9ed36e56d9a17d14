//! Many customers at once: all of them, or none.
//!
//! What is there already is compared first, so that the same file a second time changes nothing, not a byte.

use std::collections::{HashMap, HashSet};

use database::{Query, Transaction, Value};
use records::audit::Entry;

use super::{ADD_NUMBERS, By, Customers, LOCK, delete_numbers, note_of, note_place, number_row};
use crate::key::{Hash, Key, KeyRing};
use crate::{Customer, Sheet, Trouble, secrets};

/// What an import has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Customers who were not there before.
    pub added: usize,
    /// Customers who were, and of whom something changed.
    pub changed: usize,
    /// Customers who were, and stayed as they were.
    pub unchanged: usize,
    /// Numbers that came from other customers.
    pub taken: Vec<Taken>,
}

/// A number that another customer had before: one who is not in this file, or whose row there does not keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whose it was.
    pub from: String,
    /// Whose it is.
    pub to: String,
}

/// So many at a time.
const CHUNK: usize = 1000;
const ADD_CUSTOMERS: &str = "INSERT INTO customers (id, name, operator, team, note_key, note) VALUES";
const OVER_CUSTOMERS: &str = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, operator = excluded.operator, \
                              team = excluded.team, note_key = excluded.note_key, note = excluded.note";
const OVER_NUMBERS: &str = "ON CONFLICT (hash) DO UPDATE SET customer = excluded.customer, \
                            key_id = excluded.key_id, sealed = excluded.sealed";

impl Customers {
    /// Takes all customers of a sheet: those with a known id are changed to what the sheet says, others are added; who is
    /// not in it stays. `each` is called with how much is done of [`Sheet::work`].
    ///
    /// # Errors
    /// Nothing has changed then.
    pub async fn import(&self, sheet: &Sheet, by: &By, each: impl FnMut(usize)) -> Result<Imported, Trouble> {
        let entry = |done: &Imported, numbers| {
            Entry::imported(by.at, &by.actor, count(done.added + done.changed), count(numbers))
        };
        self.take(sheet, Whom::All, entry, each).await
    }

    pub(super) async fn take(
        &self,
        sheet: &Sheet,
        whom: Whom,
        entry: impl FnOnce(&Imported, usize) -> Entry,
        mut each: impl FnMut(usize),
    ) -> Result<Imported, Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        // Only now: a rotation may have ended since, and what is sealed with a key that has ended is lost.
        let ring = self.keys.current();
        let key = secrets::sealing(&mut *transaction, &ring).await?;
        let mut import = Import {
            ring: &ring,
            key,
            transaction: &mut *transaction,
            done: Imported::default(),
            known_already: None,
            gone: HashMap::new(),
        };
        let (mut fresh, mut done) = (Vec::new(), 0);
        for customers in sheet.customers.chunks(CHUNK) {
            let new = import.customers(customers).await?;
            done += customers.iter().map(|customer| 1 + customer.numbers.len()).sum::<usize>() - new.len();
            fresh.extend(new);
            each(done);
        }
        if let (Whom::New, Some(known)) = (whom, import.known_already.take()) {
            return Err(Trouble::Known(known));
        }
        let numbers = fresh.len();
        import
            .numbers(fresh, |some| {
                done += some;
                each(done);
            })
            .await?;
        let done = import.done;
        if done.added + done.changed > 0 {
            self.audit.append(&mut *transaction, entry(&done, numbers)).await?;
            transaction.commit().await?;
        }
        Ok(done)
    }
}

/// Whom to take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Everybody, also those who are known.
    All,
    /// Only people who are not.
    New,
}

pub(super) fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

struct Import<'a> {
    ring: &'a KeyRing,
    /// The one of them that seals.
    key: &'a Key,
    transaction: &'a mut dyn Transaction,
    done: Imported,
    /// One of those who were there before.
    known_already: Option<String>,
    /// Whose numbers were that the sheet has taken from them.
    gone: HashMap<Vec<u8>, String>,
}

/// A number that a customer does not have yet.
struct Fresh<'a> {
    hash: Hash,
    customer: &'a Customer,
    number: usize,
}

impl Import<'_> {
    /// Adds and changes customers, removes numbers that they have no more, and tells which are new to them.
    async fn customers<'c>(&mut self, customers: &'c [Customer]) -> Result<Vec<Fresh<'c>>, Trouble> {
        let mut known = self.known(customers).await?;
        let mut numbers = self.numbers_of(customers).await?;
        let (mut rows, mut gone, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
        for customer in customers {
            let before = known.remove(&customer.id);
            if before.is_some() {
                self.known_already = Some(customer.id.clone());
            }
            let mut had = numbers.remove(&customer.id).unwrap_or_default();
            let already = fresh.len();
            for (at, number) in customer.numbers.iter().enumerate() {
                let hashes = self.ring.keys().iter().map(|key| key.hash(number));
                let found: Vec<Hash> = hashes.filter(|hash| had.remove(&hash[..])).collect();
                if found.is_empty() {
                    fresh.push(Fresh { hash: self.key.hash(number), customer, number: at });
                }
            }
            let same = before.as_ref().is_some_and(|before| before.same(customer));
            if !same {
                rows.push(row(self.key, customer));
            }
            match (before.is_some(), same && had.is_empty() && fresh.len() == already) {
                (false, _) => self.done.added += 1,
                (true, false) => self.done.changed += 1,
                (true, true) => self.done.unchanged += 1,
            }
            self.gone.extend(had.iter().map(|hash| (hash.clone(), customer.id.clone())));
            gone.extend(had);
        }
        self.transaction.insert(ADD_CUSTOMERS, OVER_CUSTOMERS, rows).await?;
        delete_numbers(self.transaction, &gone).await?;
        Ok(fresh)
    }

    /// Adds numbers, whoever had them before. In the order of their hashes, which is that of the table.
    async fn numbers(
        &mut self,
        mut fresh: Vec<Fresh<'_>>,
        mut each: impl FnMut(usize),
    ) -> Result<(), Trouble> {
        fresh.sort_unstable_by_key(|fresh| fresh.hash);
        let any = self.transaction.run(Query::new("SELECT 1 FROM numbers LIMIT 1")).await?;
        for some in fresh.chunks(CHUNK) {
            if !any.is_empty() || !self.gone.is_empty() {
                self.take(some).await?;
            }
            let row = |fresh: &Fresh<'_>| {
                let number = &fresh.customer.numbers[fresh.number];
                number_row(self.key, fresh.hash, number, &fresh.customer.id)
            };
            self.transaction.insert(ADD_NUMBERS, OVER_NUMBERS, some.iter().map(row).collect()).await?;
            each(some.len());
        }
        Ok(())
    }

    /// Takes numbers from whoever has them.
    async fn take(&mut self, fresh: &[Fresh<'_>]) -> Result<(), Trouble> {
        for key in self.ring.keys() {
            let of = |fresh: &Fresh<'_>| key.hash(&fresh.customer.numbers[fresh.number]).to_vec();
            let by_hash: HashMap<Vec<u8>, &str> =
                fresh.iter().map(|fresh| (of(fresh), fresh.customer.id.as_str())).collect();
            let places = Query::places(1, by_hash.len());
            let sql = format!("SELECT hash, customer FROM numbers WHERE hash IN ({places})");
            let from = by_hash.iter().filter_map(|(hash, to)| Some((self.gone.remove(hash)?, *to)));
            self.done.taken.extend(from.map(|(from, to)| Taken { from, to: to.to_owned() }));
            let mut taken = Vec::new();
            for mut row in self.transaction.run(Query::new(sql).with_all(by_hash.keys().cloned())).await? {
                let (hash, from) = (row.bytes(0)?, row.text(1)?);
                let to = by_hash.get(&hash).copied().unwrap_or_default().to_owned();
                self.done.taken.push(Taken { from, to });
                taken.push(hash);
            }
            delete_numbers(self.transaction, &taken).await?;
        }
        Ok(())
    }

    async fn known(&mut self, customers: &[Customer]) -> Result<HashMap<String, Before>, Trouble> {
        let mut known = HashMap::with_capacity(customers.len());
        for mut row in self
            .of("SELECT id, name, operator, team, note_key, note FROM customers WHERE id", customers)
            .await?
        {
            let id = row.text(0)?;
            let note =
                note_of(self.ring, &id, row.maybe_text(4)?.as_deref(), row.maybe_bytes(5)?.as_deref())?;
            let before =
                Before { name: row.text(1)?, operator: row.text(2)?, team: row.maybe_text(3)?, note };
            known.insert(id, before);
        }
        Ok(known)
    }

    async fn numbers_of(
        &mut self,
        customers: &[Customer],
    ) -> Result<HashMap<String, HashSet<Vec<u8>>>, Trouble> {
        let mut numbers: HashMap<String, HashSet<Vec<u8>>> = HashMap::new();
        for mut row in self.of("SELECT customer, hash FROM numbers WHERE customer", customers).await? {
            numbers.entry(row.text(0)?).or_default().insert(row.bytes(1)?);
        }
        Ok(numbers)
    }

    async fn of(&mut self, select: &str, customers: &[Customer]) -> Result<Vec<database::Row>, Trouble> {
        let sql = format!("{select} IN ({})", Query::places(1, customers.len()));
        let ids = customers.iter().map(|customer| customer.id.as_str());
        Ok(self.transaction.run(Query::new(sql).with_all(ids)).await?)
    }
}

struct Before {
    name: String,
    operator: String,
    team: Option<String>,
    note: Option<String>,
}

impl Before {
    fn same(&self, now: &Customer) -> bool {
        self.name == now.name
            && self.operator == now.operator.as_str()
            && self.team == now.team
            && self.note == now.note
    }
}

fn row(key: &Key, customer: &Customer) -> Vec<Value> {
    let note = customer.note.as_ref().map(|note| key.seal(note.as_bytes(), &note_place(&customer.id)));
    vec![
        customer.id.as_str().into(),
        customer.name.as_str().into(),
        customer.operator.as_str().into(),
        customer.team.clone().into(),
        note.as_ref().map(|_| key.id().to_owned()).into(),
        note.into(),
    ]
}
