//! Customers are erased, and what is told of it holds nothing of them.

use std::fmt;

use database::{Query, Transaction};
use domain::Millis;
use records::audit::{Action, Entry, Erased, Filter, Opaque};

use super::changes::{SEALED, opened};
use super::told::tells_who;
use super::{By, Customers, LOCK, import};
use crate::Trouble;

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

/// Of whom the directory has nothing any more.
struct Removed {
    name: Option<String>,
    numbers: u64,
    aliases: Vec<String>,
}

impl Customers {
    /// Erases these: the numbers, the name and the id, here and in the records of calls. The figures stay. What the database's
    /// files keep of it [`scrub`](database::Database::scrub) removes: once for all that were erased. Said again, it gives the
    /// receipt again.
    ///
    /// They are erased together, because to find somebody's calls all of them are looked at. `by` is asked when everybody else
    /// waits, which may take long: calls of before that are still in a journal are known by its time.
    ///
    /// # Errors
    /// The database cannot be written; nobody is erased then. In the place of a receipt: nobody has this id, or whether it was
    /// erased before cannot be read.
    pub async fn erase(
        &self,
        ids: &[String],
        by: impl FnOnce() -> By,
    ) -> Result<Vec<Result<Receipt, Trouble>>, Trouble> {
        let mut transaction = self.database.begin().await?;
        transaction.alone(LOCK).await?;
        let mut removed = Vec::with_capacity(ids.len());
        for id in ids {
            removed.push(self.remove(&mut *transaction, id).await?);
        }
        let whose = ids.iter().zip(&removed).map(|(id, removed)| (id.as_str(), &removed.aliases[..]));
        let calls = records::calls::erase(&mut *transaction, whose.collect()).await?;
        let reasons = self.audit.reasons(&mut *transaction).await?;
        let by = by();
        let mut receipts = Vec::with_capacity(ids.len());
        for ((id, removed), calls) in ids.iter().zip(removed).zip(calls) {
            receipts.push(self.receipt(id, removed, calls, &reasons, by.at));
        }
        let entry = |receipt: &Receipt| {
            Entry::erased(receipt.at, &by.actor, receipt.subject.clone(), &receipt.erased)
        };
        let entries: Vec<_> = receipts.iter().flatten().map(entry).collect();
        if entries.is_empty() {
            drop(transaction);
        } else {
            self.audit.append_all(&mut *transaction, entries).await?;
            transaction.commit().await?;
        }
        let mut told = Vec::with_capacity(ids.len());
        for (id, receipt) in ids.iter().zip(receipts) {
            told.push(match receipt {
                Some(receipt) => Ok(receipt),
                None => self.erased_before(id, &reasons).await,
            });
        }
        Ok(told)
    }

    async fn remove(&self, transaction: &mut dyn Transaction, id: &str) -> Result<Removed, Trouble> {
        let ring = self.keys.current();
        let sealed = transaction.run(Query::new(SEALED).with(id)).await?;
        let numbers = import::count(sealed.len());
        // One that does not open is erased all the same.
        let opened = sealed.into_iter().filter_map(|row| opened(&ring, row, id).ok());
        let aliases = opened.map(|number| self.aliases.alias(&number)).collect();
        transaction.run(Query::new("DELETE FROM numbers WHERE customer = $1").with(id)).await?;
        let customer = Query::new("DELETE FROM customers WHERE id = $1 RETURNING name").with(id);
        // Nor is one with a name that cannot be read kept for that.
        let name = transaction.run(customer).await?.pop().map(|mut row| row.text(0).unwrap_or_default());
        Ok(Removed { name, numbers, aliases })
    }

    /// `None` if there was nothing. Those whom the company's own API knows have calls here, and nothing else.
    fn receipt(
        &self,
        id: &str,
        removed: Removed,
        calls: u64,
        reasons: &[String],
        at: Millis,
    ) -> Option<Receipt> {
        let Removed { name, numbers, aliases } = removed;
        if name.is_none() && calls == 0 {
            return None;
        }
        let name = name.unwrap_or_default();
        let reasons = reasons.iter().filter(|reason| tells_who(reason, id, &name)).count();
        let mut aliases: Vec<_> = aliases.iter().map(|alias| self.audit.mark(alias)).collect();
        // Not in the order of the numbers' hashes.
        aliases.sort_unstable();
        Some(Receipt {
            subject: self.audit.opaque(id),
            at,
            erased: Erased { numbers, calls, aliases },
            reasons,
        })
    }

    async fn erased_before(&self, id: &str, reasons: &[String]) -> Result<Receipt, Trouble> {
        let subject = self.audit.opaque(id);
        let filter = Filter { action: Some(Action::Erased), subject: Some(subject.clone()) };
        let entry = self.audit.list(&filter, 1).await?.pop();
        let erased = entry.and_then(|entry| Some((entry.at, Erased::parse(&entry.detail)?)));
        let (at, erased) = erased.ok_or_else(|| Trouble::Nobody(id.to_owned()))?;
        // The name is gone, and cannot be looked for again.
        let reasons = reasons.iter().filter(|reason| tells_who(reason, id, "")).count();
        Ok(Receipt { subject, at, erased, reasons })
    }
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
