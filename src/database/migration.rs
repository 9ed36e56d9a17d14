//! The tables, and how older ones become today's: each change is made once, in order, in a transaction of its own.

use crate::engine::Engine;
use crate::{Failure, Query};

/// Every change so far. One that has been released never changes: another follows it.
const CHANGES: [(&str, &str); 3] = [
    ("0001_directory", include_str!("migrations/0001_directory.sql")),
    ("0002_records", include_str!("migrations/0002_records.sql")),
    ("0003_rotation", include_str!("migrations/0003_rotation.sql")),
];

pub(crate) async fn run(engine: &dyn Engine) -> Result<(), Failure> {
    if made(engine).await.is_ok_and(|made| made.len() == CHANGES.len() && newer(&made).is_none()) {
        return Ok(());
    }
    let mut transaction = engine.begin().await?;
    transaction.alone("migration").await?;
    transaction.run(Query::new("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")).await?;
    let made = names(transaction.run(Query::new(MADE)).await?)?;
    if let Some(name) = newer(&made) {
        return Err(Failure::Newer(name.to_owned()));
    }
    for (name, definition) in CHANGES.into_iter().filter(|(name, _)| !made.iter().any(|made| made == name)) {
        for statement in statements(definition) {
            transaction.run(Query::new(engine.definition(&statement))).await?;
        }
        transaction.run(Query::new("INSERT INTO migrations (name) VALUES ($1)").with(name)).await?;
    }
    transaction.commit().await
}

const MADE: &str = "SELECT name FROM migrations ORDER BY name";

async fn made(engine: &dyn Engine) -> Result<Vec<String>, Failure> {
    names(engine.read(Query::new(MADE)).await?)
}

fn names(rows: Vec<crate::Row>) -> Result<Vec<String>, Failure> {
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

fn newer(made: &[String]) -> Option<&str> {
    made.iter().map(String::as_str).find(|made| !CHANGES.iter().any(|(name, _)| name == made))
}

/// Without comments, which may hold a semicolon.
fn statements(definition: &str) -> Vec<String> {
    let lines = definition.lines().filter(|line| !line.trim_start().starts_with("--"));
    let whole = lines.collect::<Vec<_>>().join("\n");
    whole.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
