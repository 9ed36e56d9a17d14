//! One customer: added, given to another operator, or a number revealed.

use database::{Query, Row};
use domain::Identity;
use records::audit::{Action, Entry, Reason};

use super::import::Whom;
use super::told::tells_who;
use super::{By, Customers, LOCK, number_of};
use crate::customer::may_look_after;
use crate::found::tells;
use crate::key::KeyRing;
use crate::{Customer, PhoneNumber, Region, Sheet, Trouble, secrets};

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

pub(super) const SEALED: &str = "SELECT hash, key_id, sealed FROM numbers WHERE customer = $1 ORDER BY hash";

/// A number of this customer, of a row of [`SEALED`].
pub(super) fn opened(ring: &KeyRing, mut row: Row, customer: &str) -> Result<PhoneNumber, Trouble> {
    number_of(ring, customer, &row.bytes(0)?, &row.text(1)?, &row.bytes(2)?)
}
