//! One customer: added, given to another operator, erased, or a number revealed.

use std::fmt;

use database::{Query, Row};
use domain::{Identity, Millis};
use records::audit::{Action, Entry, Erased, Filter, Opaque, Reason};

use super::import::Whom;
use super::told::tells_who;
use super::{By, Customers, LOCK, import, number_of};
use crate::customer::may_look_after;
use crate::found::tells;
use crate::key::KeyRing;
use crate::{Customer, PhoneNumber, Region, Sheet, Trouble, secrets};

/// What an erasure has removed; without what it removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The customer, as the audit trail calls them.
    pub subject: Opaque,
    /// When it was: earlier than now if it is said again.
    pub at: Millis,
    /// So many numbers are gone, and so many calls do not say any more whose they were, nor what the caller was called before
    /// they were a customer.
    pub erased: Erased,
    /// So many reasons of reveals, of this customer or others, hold the id, the name or a part of it, and stay: an entry of the
    /// audit trail cannot be changed. Said again, those that hold the id.
    pub reasons: usize,
}

/// The allowance of reveals is for so long, in milliseconds.
const A_DAY: u64 = 24 * 60 * 60 * 1000;

impl Customers {
    /// Adds one who is not there yet.
    ///
    /// # Errors
    /// Somebody has this id already; or as [`import`](Self::import).
    pub async fn add(&self, customer: Customer, by: &By) -> Result<super::Imported, Trouble> {
        let entry = Entry::added(by.at, &by.actor, self.audit.opaque(&customer.id), &customer.operator);
        self.take(&Sheet::of(customer), Whom::New, |_, _| entry, |_| {}).await
    }

    /// Gives one to another operator, whose identity may be no number of this region and none of the customer's.
    ///
    /// # Errors
    /// It is one, nobody has this id, or the database cannot be written.
    pub async fn assign(
        &self,
        id: &str,
        operator: &Identity,
        region: Region,
        by: &By,
    ) -> Result<(), Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        let ring = self.keys.current();
        let sealed = transaction.run(Query::new(SEALED).with(id)).await?;
        let numbers = sealed.into_iter().map(|row| opened(&ring, row, id)).collect::<Result<Vec<_>, _>>()?;
        may_look_after(operator, &numbers, region)?;
        let update = Query::new("UPDATE customers SET operator = $1 WHERE id = $2 RETURNING id");
        if transaction.run(update.with(operator.as_str()).with(id)).await?.is_empty() {
            return Err(Trouble::Nobody(id.to_owned()));
        }
        let subject = self.audit.opaque(id);
        let entry = Entry::assigned(by.at, &by.actor, subject, operator);
        self.audit.append(&mut *transaction, entry).await?;
        Ok(transaction.commit().await?)
    }

    /// Erases one: the numbers, the name and the id, here and in the records of calls. The figures stay. What the database's files
    /// keep of it [`scrub`](database::Database::scrub) removes: once for all that were erased. Said again, it gives its receipt again.
    ///
    /// `by` is asked when everybody else waits, which may take long: calls of before that are still in a journal are known by its
    /// time.
    ///
    /// # Errors
    /// Nobody has this id, or the database cannot be written; nothing is erased then.
    pub async fn erase(&self, id: &str, by: impl FnOnce() -> By) -> Result<Receipt, Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        let ring = self.keys.current();
        let sealed = transaction.run(Query::new(SEALED).with(id)).await?;
        let numbers = import::count(sealed.len());
        // One that does not open is erased all the same.
        let opened = sealed.into_iter().filter_map(|row| opened(&ring, row, id).ok());
        let aliases: Vec<String> = opened.map(|number| self.aliases.alias(&number)).collect();
        transaction.run(Query::new("DELETE FROM numbers WHERE customer = $1").with(id)).await?;
        let customer = Query::new("DELETE FROM customers WHERE id = $1 RETURNING name").with(id);
        let name = transaction.run(customer).await?.pop().map(|mut row| row.text(0)).transpose()?;
        let calls = records::calls::erase(&mut *transaction, id, &aliases).await?;
        let by = by();
        // Those whom the company's own API knows have calls here, and nothing else.
        if name.is_none() && calls == 0 {
            let reasons = self.audit.reasons(&mut *transaction).await?;
            drop(transaction);
            return self.erased_before(id, &reasons).await?.ok_or_else(|| Trouble::Nobody(id.to_owned()));
        }
        let reasons = self.audit.reasons(&mut *transaction).await?;
        let name = name.unwrap_or_default();
        let reasons = reasons.iter().filter(|reason| tells_who(reason, id, &name)).count();
        let subject = self.audit.opaque(id);
        let mut aliases: Vec<_> = aliases.iter().map(|alias| self.audit.mark(alias)).collect();
        // Not in the order of the numbers' hashes.
        aliases.sort_unstable();
        let erased = Erased { numbers, calls, aliases };
        let entry = Entry::erased(by.at, &by.actor, subject.clone(), &erased);
        self.audit.append(&mut *transaction, entry).await?;
        transaction.commit().await?;
        Ok(Receipt { subject, at: by.at, erased, reasons })
    }

    async fn erased_before(&self, id: &str, reasons: &[String]) -> Result<Option<Receipt>, Trouble> {
        let subject = self.audit.opaque(id);
        let filter = Filter { action: Some(Action::Erased), subject: Some(subject.clone()) };
        let Some(entry) = self.audit.list(&filter, 1).await?.pop() else { return Ok(None) };
        let Some(erased) = Erased::parse(&entry.detail) else { return Ok(None) };
        // The name is gone, and cannot be looked for again.
        let reasons = reasons.iter().filter(|reason| tells_who(reason, id, "")).count();
        Ok(Some(Receipt { subject, at: entry.at, erased, reasons }))
    }

    /// The numbers of one: the only way back. The audit entry is on disk before any of them is told.
    ///
    /// # Errors
    /// Nobody has this id or they have no number, the reason says who it is or holds one of the numbers, the day's allowance
    /// is used up, or the entry cannot be written.
    pub async fn reveal(
        &self,
        id: &str,
        reason: &Reason,
        allowance: u64,
        by: &By,
    ) -> Result<Vec<PhoneNumber>, Trouble> {
        let mut transaction = self.database.begin().await?;
        // Two at once must not both be the last that is allowed.
        transaction.alone(LOCK).await?;
        let name = Query::new("SELECT name FROM customers WHERE id = $1").with(id);
        let mut named = transaction.run(name).await?.pop().ok_or_else(|| Trouble::Nobody(id.to_owned()))?;
        if tells_who(reason.as_str(), id, &named.text(0)?) {
            return Err(Trouble::Named);
        }
        let sealed = transaction.run(Query::new(SEALED).with(id)).await?;
        // No rotation can end now, so the keys of these are there.
        let ring = self.keys.current();
        secrets::sealing(&mut *transaction, &ring).await?;
        if sealed.is_empty() {
            return Err(Trouble::NoNumber(id.to_owned()));
        }
        let since = by.at.saturating_sub(A_DAY);
        let used = self.audit.count(&mut *transaction, Action::Revealed, since).await?;
        if used >= allowance {
            return Err(Trouble::Allowance { used, allowed: allowance });
        }
        let numbers = sealed.into_iter().map(|row| opened(&ring, row, id)).collect::<Result<Vec<_>, _>>()?;
        // With words between its digits it may be a reason, and nobody else's number is known here.
        if numbers.iter().any(|number| tells(reason.as_str(), number)) {
            return Err(Trouble::Numbered);
        }
        let entry = Entry::revealed(by.at, &by.actor, self.audit.opaque(id), reason, (used + 1, allowance));
        self.audit.append(&mut *transaction, entry).await?;
        transaction.commit().await?;
        Ok(numbers)
    }
}

const SEALED: &str = "SELECT hash, key_id, sealed FROM numbers WHERE customer = $1 ORDER BY hash";

/// A number of this customer, of a row of [`SEALED`].
fn opened(ring: &KeyRing, mut row: Row, customer: &str) -> Result<PhoneNumber, Trouble> {
    number_of(ring, customer, &row.bytes(0)?, &row.text(1)?, &row.bytes(2)?)
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, erased: Erased { numbers, calls, .. }, reasons, .. } = self;
        write!(
            f,
            "customer {subject}: {numbers} numbers and the name erased, {calls} calls kept without them"
        )?;
        if *reasons > 0 {
            write!(
                f,
                "; but {reasons} of the audit trail's reasons for reveals may name them (`hitoku audit list --action \
                 revealed`), and what is in the trail stays"
            )?;
        }
        Ok(())
    }
}
