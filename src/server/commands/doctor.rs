//! What is wrong, and how to mend it.

mod twilio;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use database::{Database, Failure, Place};
use directory::{Company, Customers, Guarded, PhoneNumber, Region, Silent};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use records::Ledger;
use server::clock::Clock;
use server::kept::Kept;
use server::settings::{BaseUrl, Cloud, Keeping, Settings, Source};
use tokio::time::Instant;

use super::audit;
use crate::say;

/// Something that was looked at.
#[derive(Debug)]
enum Finding {
    Good(String),
    /// It works, but.
    Mind(String),
    /// It does not work.
    Bad(String),
}

use Finding::{Bad, Good, Mind};

const LITTLE_SPACE: u64 = 200 << 20;
/// Callers notice.
const SLOW: Duration = Duration::from_secs(1);
/// Of those that are kept for films, so that nobody has it.
const NOBODYS: &str = "+447700900000";

/// Looks at everything, and fails if anything does not work.
pub(crate) async fn run() -> anyhow::Result<()> {
    let settings = match Settings::read(&Source::of_the_process()) {
        Ok(settings) => settings,
        Err(problems) => {
            problems.iter().for_each(|problem| tell(&Bad(format!("settings: {problem}"))));
            bail!("{}, and the rest cannot be checked before that is mended", found(problems.iter().len()));
        }
    };
    let mut findings = vec![Good("settings: each is what it should be".to_owned())];
    findings.push(folder(&settings.keeping.folder));
    findings.extend(journal(&Ledger::file_in(&settings.keeping.folder)));
    findings.extend(in_use(&settings.keeping.folder));
    findings.extend(kept(&settings.keeping).await);
    if let Some(base) = &settings.company {
        findings.push(company(base, settings.keeping.region).await);
    }
    match &settings.cloud {
        Cloud::Rehearsal { .. } => {
            findings.push(Good("Twilio: no account is configured, so calls are rehearsed".to_owned()));
        }
        Cloud::Twilio { account, public } => findings.extend(twilio::look(account, public).await),
    }
    findings.iter().for_each(tell);
    match findings.iter().filter(|finding| matches!(finding, Bad(_))).count() {
        0 => Ok(()),
        count => bail!(found(count)),
    }
}

fn found(problems: usize) -> String {
    match problems {
        1 => "1 problem found".to_owned(),
        count => format!("{count} problems found"),
    }
}

fn tell(finding: &Finding) {
    let (sign, text) = match finding {
        Good(text) => ("✓", text),
        Mind(text) => ("!", text),
        Bad(text) => ("✗", text),
    };
    say(&format!("{sign} {text}"));
}

fn folder(folder: &Path) -> Finding {
    let shown = folder.display();
    let metadata = match fs::metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return folder_to_be(folder),
        Err(error) => {
            return Bad(format!(
                "data folder: {shown} cannot be used ({error}); let the user who runs Hitoku into the folders above it, or set \
                 HITOKU_DATA to another"
            ));
        }
    };
    // Everybody's, as /tmp is: to close that would harm others.
    if !metadata.is_dir() || metadata.mode() & 0o1000 != 0 {
        return Bad(format!("data folder: {shown} is no folder of ours; set HITOKU_DATA to one of its own"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Bad(format!("data folder: others may write to {shown}; run `chmod 700 {shown}`"));
    }
    if let Err(error) = tried(folder) {
        if error.kind() == io::ErrorKind::StorageFull {
            return Bad(format!("data folder: the disk that holds {shown} is full; free some space"));
        }
        return Bad(format!(
            "data folder: {shown} cannot be written ({error}); it should be a folder of the user who runs Hitoku, on a disk that is \
             not mounted read-only"
        ));
    }
    let free = statvfs(folder).map(|disk| disk.blocks_available() * disk.fragment_size());
    match free {
        Ok(free) if free < LITTLE_SPACE => {
            Mind(format!("data folder: {shown} has {} MiB left; free some space", free >> 20))
        }
        _ => Good(format!("data folder: {shown}")),
    }
}

/// Whether a server has this folder, and not another one.
fn in_use(folder: &Path) -> Option<Finding> {
    (Ledger::is_in_use(folder) == Some(false)).then(|| {
        Mind(format!(
            "data folder: no server uses {} now; if one runs, it has another HITOKU_DATA (or systemd's STATE_DIRECTORY), and its \
             customers are not those that these commands see",
            folder.display()
        ))
    })
}

/// One that is not there yet; the first start makes it, and not we.
fn folder_to_be(folder: &Path) -> Finding {
    let shown = folder.display();
    // A relative one is in the folder where we are.
    let above = folder
        .ancestors()
        .skip(1)
        .map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    let Some(above) = above.clone().find(|above| above.exists()) else {
        return Bad(format!("data folder: {shown} has no folder above it"));
    };
    match access(above, AccessFlags::W_OK | AccessFlags::X_OK) {
        Ok(()) => Good(format!("data folder: {shown} is not there yet, and the first start makes it")),
        Err(error) => Bad(format!(
            "data folder: {shown} cannot be made in {} ({}); make it for the user who runs Hitoku",
            above.display(),
            error.desc()
        )),
    }
}

/// One that cannot be opened keeps the server from starting.
fn journal(file: &Path) -> Option<Finding> {
    let opened = OpenOptions::new().read(true).write(true).open(file);
    let error = opened.err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
    Some(Bad(format!(
        "journal: {} cannot be opened ({error}); it should be a file of the user who runs Hitoku",
        file.display()
    )))
}

/// Rights do not say it: a disk may be mounted read-only.
fn tried(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!("doctor-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let written = file.write_all(b"?").and_then(|()| file.sync_all());
    fs::remove_file(path).and(written)
}

/// What the first start makes is not made here, but for the tables in a PostgreSQL.
async fn kept(keeping: &Keeping) -> Vec<Finding> {
    let shown = &keeping.place;
    if let Some(lost) = Kept::lost(keeping) {
        return vec![Bad(format!("database: {lost}"))];
    }
    if let Place::Sqlite(file) = shown
        && !file.exists()
    {
        let with = if keeping.number_key.is_some() { "" } else { ", and its key" };
        return vec![Mind(format!("database: {shown} is not there yet; the first start makes it{with}"))];
    }
    let kept = match opened(keeping).await {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            return vec![Mind(format!("database: {shown}; it is new, and the first start begins to use it"))];
        }
        Err(error) => return vec![Bad(format!("database: {error:#}"))],
    };
    let mut findings = vec![];
    if let Place::Sqlite(file) = shown {
        findings.extend(rights("database", file));
    }
    findings.push(match kept.customers.count().await {
        Ok(0) => Mind(format!(
            "database: {}; nobody is in it yet: hitoku customers import FILE.csv",
            keeping.place
        )),
        Ok(count) => Good(format!("database: {}; {count} customers", keeping.place)),
        Err(error) => Bad(format!("database: {error}")),
    });
    match kept.database.damage().await {
        Ok(None) => {}
        Ok(Some(damage)) => findings.push(Bad(format!("database: {}", Failure::Damaged(damage)))),
        Err(error) => findings.push(Bad(format!("database: {error}"))),
    }
    findings.push(match writable(&kept).await {
        Ok(()) => Good("database: it can be written".to_owned()),
        Err(error) => Bad(format!("database: {error}")),
    });
    if let Ok(Some(theirs)) = kept.database.clock().await {
        let ours = i64::try_from(Clock::of_the_machine().now()).unwrap_or_default();
        findings.push(twilio::difference_from_database((theirs - ours) / 1000));
    }
    findings.push(keys(&kept).await);
    // We do not refuse one that is not our own, since some who run programs allow no other rights.
    findings.extend(keeping.number_key_file.as_deref().and_then(|file| rights("NUMBER_KEY_FILE", file)));
    findings.push(match audit::verdict(&kept.customers.audit(), &keeping.audit_head(), None).await {
        Ok(verdict) if verdict.is_sound() => Good(format!(
            "audit trail: {} entries, each as it was written; head {}",
            verdict.entries, verdict.head
        )),
        Ok(verdict) => Bad(format!(
            "audit trail: {}; `hitoku audit verify` names all of it, and a backup shows what was there",
            verdict.faults.first().map(ToString::to_string).unwrap_or_default()
        )),
        Err(error) => Bad(format!("audit trail: {error}")),
    });
    findings
}

/// `None` if nobody has kept anything in it.
async fn opened(keeping: &Keeping) -> anyhow::Result<Option<Kept>> {
    let database = Database::open(&keeping.place).await?;
    if Customers::are_new(&database).await? {
        return Ok(None);
    }
    Kept::open(keeping).await.map(Some)
}

/// Whether others than its owner may read or change it.
fn rights(name: &str, path: &Path) -> Option<Finding> {
    let others = fs::metadata(path).ok()?.mode() & 0o077;
    (others != 0).then(|| {
        let (path, may) = (path.display(), if others & 0o022 != 0 { "change" } else { "read" });
        Mind(format!("{name}: others than its owner may {may} {path}; run `chmod 600 {path}`"))
    })
}

async fn writable(kept: &Kept) -> Result<(), database::Failure> {
    let mut transaction = kept.database.begin().await?;
    // On disk for a moment: where there is no room for it, there is none for calls.
    for statement in [
        "INSERT INTO journals (name, written) VALUES ('doctor', 0)",
        "DELETE FROM journals WHERE name = 'doctor'",
    ] {
        transaction.run(database::Query::new(statement)).await?;
    }
    transaction.commit().await
}

async fn keys(kept: &Kept) -> Finding {
    let keys = kept.customers.keys();
    let names = keys.names().join(", ");
    match (keys.names().len(), keys.file()) {
        (1, Some(file)) => Good(format!(
            "keys: {names}, in {}; without that file nobody can read the numbers again: keep a copy, and not with the \
             database's",
            file.display()
        )),
        (1, None) => Good(format!("keys: {names}, given by NUMBER_KEY; keep a copy elsewhere")),
        (_, Some(_)) => Mind(format!("keys: {names}; a rotation has begun: run `hitoku keys rotate` again")),
        (_, None) => match kept.customers.are_rotated().await {
            Ok(true) => Mind(format!(
                "keys: {names}; everything is sealed with the first: keep only that one in NUMBER_KEY, and restart every server"
            )),
            Ok(false) => Mind(format!(
                "keys: {names}; not everything is sealed with the first: if that is the new one, run `hitoku keys rotate`, and keep \
                 both until it is done; otherwise put the new one before it"
            )),
            Err(trouble) => Bad(format!("keys: {trouble}")),
        },
    }
}

async fn company(base: &BaseUrl, region: Region) -> Finding {
    let began = Instant::now();
    let asked = ask(base, region).await;
    let took = began.elapsed();
    let (name, millis) = ("INTERNAL_API_BASE", took.as_millis());
    match asked {
        Ok(()) if base.is_overheard() => Mind(format!(
            "{name}: {base} answers, and each caller's number can be read on its way there; reach it by https"
        )),
        Ok(()) if took < SLOW => Good(format!(
            "{name}: {base} answers, in {millis} ms; call once with a number that it knows, since at a wrong path it may know nobody"
        )),
        Ok(()) => {
            Mind(format!("{name}: {base} answers in {millis} ms, and callers wait so long; make it faster"))
        }
        Err(error) => {
            let mend = match error {
                Silent::Refused(_) | Silent::Nonsense(_) => {
                    "`/resolve-caller` below it should answer with JSON, or with 404 for whom it does not know"
                }
                _ => "check the address, and the way from this machine to it",
            };
            Bad(format!("{name}: {base}: {error}; {mend}"))
        }
    }
}

/// As the server asks for a caller.
async fn ask(base: &BaseUrl, region: Region) -> Result<(), Silent> {
    let company = Company::new(base.url())?;
    let number = PhoneNumber::parse(NOBODYS).map_err(|_| Silent::Nonsense("that is no number"))?;
    Guarded::without_memory(company, region).look_up(&number).await.map(|_| ())
}
