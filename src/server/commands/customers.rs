//! The directory: who calls from which number, and who looks after them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use database::Deleted;
use directory::{Customers as Directory, Receipt, Sheet, Taken, Unfit, Written};
use domain::Identity;
use records::audit::Reason;

use super::left::{self, Left};
use super::progress::Progress;
use super::table::{printable, quoted, table, time};
use crate::{note, say};

/// The directory.
#[derive(Debug, Subcommand)]
pub(crate) enum Customers {
    /// Takes a CSV file: all of it, or nothing
    ///
    /// Headings: id,name,operator,numbers and, if wanted, group and note. Several numbers are separated by `;`. A customer
    /// with a known id is changed to what the file says; who is not in the file stays.
    Import {
        /// The file, in UTF-8; `-` is standard input, so that numbers need not lie in a file
        file: PathBuf,
    },
    /// Lists them, without numbers
    List {
        /// Only those whom this operator looks after
        #[arg(long, value_parser = Identity::parse)]
        operator: Option<Identity>,
        /// Those whose id comes after this one
        #[arg(long, default_value = "")]
        after: String,
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Shows one, without numbers
    Show {
        /// Their id
        id: String,
    },
    /// Adds one; the numbers are read from standard input, one a line
    Add(Add),
    /// Gives one to another operator
    Assign {
        /// Their id
        id: String,
        /// Who looks after them from now on
        #[arg(value_parser = Identity::parse)]
        operator: Identity,
    },
    /// Erases some: numbers, name and id, here and in the records of calls
    Erase {
        /// Their ids
        #[arg(required = true)]
        ids: Vec<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Prints the numbers of one; this is written in the audit trail, and allowed so often a day (REVEALS_PER_DAY)
    Reveal {
        /// Their id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

/// One customer.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// In the company's own terms
    #[arg(long)]
    id: String,
    /// What the operator sees
    #[arg(long)]
    name: String,
    /// Who looks after them
    #[arg(long)]
    operator: String,
    /// The group that they belong to
    #[arg(long, default_value = "")]
    group: String,
    /// For those who keep the directory; kept sealed
    #[arg(long, default_value = "")]
    note: String,
}

impl Customers {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import { file } => import(&file).await,
            Self::List { operator, after, limit } => list(operator.as_ref(), &after, limit).await,
            Self::Show { id } => show(&id).await,
            Self::Add(add) => add.run().await,
            Self::Assign { id, operator } => {
                let (settings, kept) = super::open().await?;
                kept.customers.assign(&id, &operator, settings.keeping.region, &super::by()).await?;
                say(&printable(&format!("{operator} looks after {id} now.")));
                Ok(())
            }
            Self::Erase { ids, yes } => erase(&ids, yes).await,
            Self::Reveal { id, reason } => reveal(&id, &reason).await,
        }
    }
}

/// So many bad rows are named on a terminal.
const MOST_NAMED: usize = 50;

async fn import(path: &Path) -> anyhow::Result<()> {
    let (settings, kept) = super::open().await?;
    if settings.company.is_some() {
        note("INTERNAL_API_BASE is set: for calls, that API is asked, and not these customers");
    }
    let (file, path) = if path.as_os_str() == "-" {
        // As it is: to open it by a name is not always allowed, though it may be read.
        (File::from(std::io::stdin().as_fd().try_clone_to_owned()?), Path::new("standard input"))
    } else {
        (File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?, path)
    };
    let metadata = file.metadata()?;
    ensure!(!metadata.is_dir(), "{} is a folder: name the file in it", path.display());
    let bytes = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut progress = Progress::new("bytes read");
    let read = Sheet::read(file, settings.keeping.region, |done| {
        progress.at(usize::try_from(done).unwrap_or(usize::MAX), bytes);
    });
    progress.end();
    let sheet = match read {
        Ok(sheet) => sheet,
        Err(unfit) => {
            if let Unfit::Rows { bad, .. } = &unfit {
                let most = if std::io::stderr().is_terminal() { MOST_NAMED } else { bad.len() };
                bad.iter().take(most).for_each(|row| note(&row.to_string()));
                if bad.len() > most {
                    note(&format!("… and {} more; `2> rows.txt` has them all", bad.len() - most));
                }
            }
            return Err(unfit).with_context(|| path.display().to_string());
        }
    };
    for shared in &sheet.shared {
        say(&format!("line {}: it has a number of line {} too, and keeps it", shared.later, shared.line));
    }
    let (mut progress, work) = (Progress::new("customers and numbers"), sheet.work());
    let done = kept.customers.import(&sheet, &super::by(), |done| progress.at(done, work)).await?;
    progress.end();
    done.taken.iter().for_each(tell);
    say(&format!("{} added, {} changed, {} as they were.", done.added, done.changed, done.unchanged));
    Ok(())
}

fn tell(taken: &Taken) {
    say(&printable(&format!("a number moved from {} to {}", taken.from, taken.to)));
}

async fn list(operator: Option<&Identity>, after: &str, limit: u32) -> anyhow::Result<()> {
    let (_, kept) = super::open().await?;
    let mut rows = vec![["id", "name", "operator", "group", "numbers"].map(str::to_owned).to_vec()];
    for customer in kept.customers.list(operator, after, limit).await? {
        let group = customer.team.unwrap_or_default();
        rows.push(vec![customer.id, customer.name, customer.operator, group, customer.numbers.to_string()]);
    }
    let listed = rows.len() - 1;
    let last = rows.last().and_then(|row| row.first()).cloned().unwrap_or_default();
    say(&table(&rows));
    if listed > 0 && listed == usize::try_from(limit)? {
        let operator = operator.map(|operator| format!(" --operator {operator}")).unwrap_or_default();
        say(&format!("(more: hitoku customers list{operator} --limit {limit} --after={})", quoted(&last)));
    }
    Ok(())
}

async fn show(id: &str) -> anyhow::Result<()> {
    let (_, kept) = super::open().await?;
    let customer = kept.customers.show(id).await?;
    let rows = [
        ("id", customer.id),
        ("name", customer.name),
        ("operator", customer.operator),
        ("group", customer.team.unwrap_or_default()),
        ("note", customer.note.unwrap_or_default()),
        ("numbers", customer.numbers.to_string()),
    ];
    say(&table(&rows.map(|(name, value)| vec![name.to_owned(), value])));
    Ok(())
}

impl Add {
    async fn run(self) -> anyhow::Result<()> {
        let (settings, kept) = super::open().await?;
        let typed = std::io::stdin().is_terminal();
        if typed {
            say("The numbers, one a line; an empty line ends them:");
        }
        let lines = std::io::stdin().lock().lines();
        let numbers: Vec<String> = lines
            .take_while(|line| !typed || line.as_ref().map_or(true, |line| !line.trim().is_empty()))
            .collect::<Result<_, _>>()
            .context("the numbers cannot be read: give them in UTF-8, one a line")?;
        let numbers = numbers.join("\n");
        let Self { id, name, operator, group, note } = &self;
        let written = Written { id, name, operator, team: group, note, numbers: &numbers };
        let done = kept.customers.add(written.read(settings.keeping.region)?, &super::by()).await?;
        done.taken.iter().for_each(tell);
        say(&printable(&format!("{id} added.")));
        Ok(())
    }
}

/// So many are erased in one transaction, for which whoever writes calls waits.
const TOGETHER: usize = 500;

async fn erase(ids: &[String], yes: bool) -> anyhow::Result<()> {
    let (settings, kept) = super::open().await?;
    if !yes {
        ask(ids)?;
    }
    let (folder, audit) = (&settings.keeping.folder, kept.customers.audit());
    // So that what a killed server has left there is found: of a customer, and of the stranger that they were before.
    let mut failures: Vec<_> = left::settle_killed(folder, &audit).await.err().into_iter().collect();
    // So that the receipt counts what a running server has only in its journal yet. Below it is looked for once more.
    let unread = left::from_journal(ids, &BTreeSet::new(), folder, &audit).await.err();
    let since = super::by().at;
    let (receipts, not_erased) = erase_all(ids, &kept.customers).await;
    failures.extend(not_erased);
    // A call that is still to come into the database is kept out by an entry that was made now, and by no other.
    let kept_out = receipts.len() == ids.len() && receipts.iter().all(|(_, receipt)| receipt.at >= since);
    let mut unwiped = unread.filter(|_| !kept_out);
    if !receipts.is_empty() {
        // Before anything is said, which may be the end of this program; and once, since the files are written anew.
        let left = Left::after(Deleted::Customers, &kept.database, &settings.keeping.place).await;
        let erased: Vec<String> = receipts.iter().map(|(id, _)| (*id).clone()).collect();
        let aliases = receipts.iter().flat_map(|(_, receipt)| &receipt.erased.aliases).collect();
        unwiped = left::from_journal(&erased, &aliases, folder, &audit).await.err().or(unwiped);
        for (id, receipt) in &receipts {
            // Beside the receipt, which is to be kept, and in which the id would be kept too.
            if ids.len() > 1 {
                note(&format!("{} is erased, with this receipt:", printable(id)));
            }
            say(&format!("Receipt of {}: {receipt}.", time(receipt.at)));
        }
        failures.extend(left.tell().err());
        if settings.keeping.place_given {
            say(
                "Journals of servers with other data folders may say who it was for a second or two, or, if one was killed, \
                 until it starts again.",
            );
        }
    }
    failures.extend(unwiped);
    let Some(last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|failure| note(&format!("{failure:#}")));
    Err(last)
}

/// The receipts of those who are erased, and why the others are not.
async fn erase_all<'a>(
    ids: &'a [String],
    customers: &Directory,
) -> (Vec<(&'a String, Receipt)>, Vec<anyhow::Error>) {
    let (mut receipts, mut failures) = (vec![], vec![]);
    let mut place = 1;
    for some in ids.chunks(TOGETHER) {
        let told = match customers.erase(some, super::by).await {
            Ok(told) => told,
            Err(trouble) if place == 1 => {
                failures.push(trouble.into());
                break;
            }
            Err(trouble) => {
                failures.push(anyhow::Error::from(trouble).context(format!("id {place} and those after it")));
                break;
            }
        };
        for (id, receipt) in some.iter().zip(told) {
            match receipt {
                Ok(receipt) => receipts.push((id, receipt)),
                Err(trouble) if ids.len() > 1 => {
                    failures.push(anyhow::Error::from(trouble).context(format!("id {place}")));
                }
                Err(trouble) => failures.push(trouble.into()),
            }
            place += 1;
        }
    }
    (receipts, failures)
}

fn ask(ids: &[String]) -> anyhow::Result<()> {
    let [id] = ids else { bail!("several are erased at once only with --yes; nothing was erased") };
    ensure!(std::io::stdin().is_terminal(), "nobody is here to ask whether that is meant: say --yes");
    print(&format!("Erase {} for good? Type the id again: ", printable(id)));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    ensure!(typed.trim() == id, "that is another id; nothing was erased");
    Ok(())
}

async fn reveal(id: &str, reason: &str) -> anyhow::Result<()> {
    let reason = Reason::parse(reason).context("--reason")?;
    let (settings, kept) = super::open().await?;
    let allowance = settings.keeping.reveals_per_day;
    for number in kept.customers.reveal(id, &reason, allowance, &super::by()).await? {
        #[expect(clippy::disallowed_methods, reason = "the one reverse path, after its audit entry")]
        say(number.expose());
    }
    Ok(())
}

fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
