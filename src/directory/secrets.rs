//! Keys of our own that outlive `NUMBER_KEY`: kept in the database, sealed with it.
//!
//! Aliases and the audit trail must not change when the key of the numbers does.

use database::{Database, Query, Transaction};
use records::Audit;
use secrecy::SecretBox;

use crate::key::{Key, KeyRing, random};
use crate::trouble::Trouble;

/// What the keys are for.
const ALIAS: &str = "alias";
const AUDIT: &str = "audit";

pub(crate) type Secret = [u8; 32];

/// Both secrets; fresh ones if there is neither yet.
pub(crate) struct Secrets {
    pub(crate) alias: Secret,
    pub(crate) audit: Secret,
}

pub(crate) async fn open(database: &Database, ring: &KeyRing) -> Result<Secrets, Trouble> {
    if none(database).await? {
        make(database, ring).await?;
    }
    let secret = async |name| find(database, ring, name).await?.ok_or(Trouble::NoSecret(name));
    let secrets = Secrets { alias: secret(ALIAS).await?, audit: secret(AUDIT).await? };
    fit(database, ring).await.map(|()| secrets)
}

/// Whether the ring holds every key with which something may be sealed. To whoever lacks one, some customers are strangers.
pub(crate) async fn fit(database: &Database, ring: &KeyRing) -> Result<(), Trouble> {
    let needed = "SELECT key_id FROM secrets UNION SELECT key_id FROM old_keys ORDER BY key_id";
    for mut row in database.read(Query::new(needed)).await? {
        let needed = row.text(0)?;
        if ring.named(&needed).is_none() {
            return Err(wrong_key(ring, &needed));
        }
    }
    Ok(())
}

/// Both, and the beginning of the audit trail: one without a beginning is known to have lost it.
async fn make(database: &Database, ring: &KeyRing) -> Result<(), Trouble> {
    let mut transaction = database.begin().await?;
    transaction.alone("secrets").await?;
    // Another server may have been first.
    if !transaction.run(Query::new(ANY)).await?.is_empty() {
        return Ok(());
    }
    let first = ring.first();
    let (alias, audit) = (random(), random());
    let row = |name: &str, secret: &Secret| {
        vec![name.into(), first.id().into(), first.seal(secret, name.as_bytes()).into()]
    };
    let rows = vec![row(ALIAS, &alias), row(AUDIT, &audit)];
    transaction.insert("INSERT INTO secrets (name, key_id, sealed) VALUES", "", rows).await?;
    Audit::new(database.clone(), SecretBox::new(Box::new(audit))).begin(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

const ANY: &str = "SELECT name FROM secrets LIMIT 1";

/// What nobody writes before there are secrets.
const WRITTEN: [&str; 6] = ["audit_head", "audit", "customers", "numbers", "calls", "journals"];

/// Whether nothing has been kept in this database yet.
///
/// # Errors
/// Something has, and the secrets are gone: fresh ones would begin another audit trail, and hide that there was one.
pub(crate) async fn none(database: &Database) -> Result<bool, Trouble> {
    if !database.read(Query::new(ANY)).await?.is_empty() {
        return Ok(false);
    }
    for table in WRITTEN {
        let any = Query::new(format!("SELECT 'any' FROM {table} LIMIT 1"));
        if !database.read(any).await?.is_empty() {
            // Whoever makes them and writes the first has done so since.
            return if database.read(Query::new(ANY)).await?.is_empty() {
                Err(Trouble::NoSecret(AUDIT))
            } else {
                Ok(false)
            };
        }
    }
    Ok(true)
}

/// The key that seals in this database now. It is the one that the secrets are sealed with, whichever comes first in the ring:
/// a program with `old,new` that has not heard that a rotation is over would seal with a key that nobody has soon. Whoever does
/// not hold it must seal nothing.
pub(crate) async fn sealing<'r>(
    transaction: &mut dyn Transaction,
    ring: &'r KeyRing,
) -> Result<&'r Key, Trouble> {
    let with = Query::new("SELECT key_id FROM secrets WHERE name = $1").with(AUDIT);
    let mut with = transaction.run(with).await?.pop().ok_or(Trouble::NoSecret(AUDIT))?;
    let needed = with.text(0)?;
    ring.named(&needed).ok_or_else(|| wrong_key(ring, &needed))
}

/// The keys with which something may be sealed besides the secrets' own.
pub(crate) async fn old_keys(database: &Database) -> Result<Vec<String>, Trouble> {
    let rows = database.read(Query::new("SELECT key_id FROM old_keys ORDER BY key_id")).await?;
    Ok(rows.into_iter().map(|mut row| row.text(0)).collect::<Result<_, _>>()?)
}

/// Whether everything is sealed with the ring's first key.
pub(crate) async fn rotated(database: &Database, ring: &KeyRing) -> Result<bool, Trouble> {
    let others = Query::new("SELECT name FROM secrets WHERE key_id <> $1").with(ring.first().id());
    Ok(database.read(others).await?.is_empty() && old_keys(database).await?.is_empty())
}

/// Nothing is sealed with the ring's other keys any more.
pub(crate) async fn leave(transaction: &mut dyn Transaction, ring: &KeyRing) -> Result<(), Trouble> {
    for key in &ring.keys()[1..] {
        transaction.run(Query::new("DELETE FROM old_keys WHERE key_id = $1").with(key.id())).await?;
    }
    Ok(())
}

/// Seals all of them with the ring's first key, and notes that the rest is still sealed with the others.
pub(crate) async fn reseal(transaction: &mut dyn Transaction, ring: &KeyRing) -> Result<(), Trouble> {
    let first = ring.first();
    for key in &ring.keys()[1..] {
        let old = Query::new("INSERT INTO old_keys (key_id) VALUES ($1) ON CONFLICT (key_id) DO NOTHING");
        transaction.run(old.with(key.id())).await?;
    }
    let others = Query::new("SELECT name, key_id, sealed FROM secrets WHERE key_id <> $1").with(first.id());
    for mut row in transaction.run(others).await? {
        let name = row.text(0)?;
        let secret = opened(ring, &row.text(1)?, &row.bytes(2)?, &name)?;
        let update = Query::new("UPDATE secrets SET key_id = $1, sealed = $2 WHERE name = $3");
        let sealed = first.seal(&secret, name.as_bytes());
        transaction.run(update.with(first.id()).with(sealed).with(name)).await?;
    }
    Ok(())
}

async fn find(database: &Database, ring: &KeyRing, name: &str) -> Result<Option<Secret>, Trouble> {
    let query = Query::new("SELECT key_id, sealed FROM secrets WHERE name = $1").with(name);
    let Some(mut row) = database.read(query).await?.pop() else { return Ok(None) };
    opened(ring, &row.text(0)?, &row.bytes(1)?, name).map(Some)
}

fn opened(ring: &KeyRing, key_id: &str, sealed: &[u8], name: &str) -> Result<Secret, Trouble> {
    let key = ring.named(key_id).ok_or_else(|| wrong_key(ring, key_id))?;
    let secret = key.open(sealed, name.as_bytes()).and_then(|secret| Secret::try_from(secret).ok());
    let key = key_id.to_owned();
    secret.ok_or_else(|| Trouble::Forged { what: format!("the secret `{name}`"), key })
}

pub(crate) fn wrong_key(ring: &KeyRing, needed: &str) -> Trouble {
    let given = ring.keys().iter().map(|key| key.id().to_owned()).collect();
    Trouble::WrongKey { needed: needed.to_owned(), given }
}
