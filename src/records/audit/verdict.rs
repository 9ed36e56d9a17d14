//! Whether the trail is as it was written.
//!
//! It is read page by page, so that its length costs time and no memory, and whoever adds to it meanwhile is not held up.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use database::{Failure, Query, Row};

use super::chain::{self, Hash, Head, hex};
use super::{Action, Audit, Bound, HEAD};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How many entries there are.
    pub entries: u64,
    /// The last. To note it elsewhere is the one way to find out later that all was put back to an older state.
    pub head: Noted,
    /// What is wrong, the first hundred.
    pub faults: Vec<Fault>,
}

/// An entry that somebody noted: its place, and the beginning of its hash, as `123:89abcdef01234567`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noted {
    seq: i64,
    prefix: [u8; 8],
}

/// The text is nothing that was noted from a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was noted of a trail looks like 123:89abcdef01234567")]
pub struct NotNoted;

/// Something wrong with the trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// This entry is not as it was written, or another stands in its place.
    #[error("entry {0} was changed")]
    Changed(i64),
    /// These entries are gone. The one that follows them cannot be judged.
    #[error("entries {from} to {to} are missing")]
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The last entries are gone.
    #[error("entries {from} to {to}, the last, were cut off")]
    CutOff {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// This entry was put in by somebody else: no trail has reached so far, or begun so early.
    #[error("entry {0} was inserted")]
    Inserted(i64),
    /// So many were put in without a number that says their place.
    #[error("{0} entries without a place were inserted")]
    WithoutPlace(i64),
    /// So many were put in where others are.
    #[error("{0} entries were inserted at the places of others")]
    AtOthersPlace(i64),
    /// The row that binds the last entry was changed or removed: entries may have been cut off at the end, even all of them.
    #[error("the note of the last entry was changed or removed: entries may be missing at the end")]
    Head,
    /// This program found the end of the trail changed when it added this entry.
    #[error("before entry {0} the end of the trail was changed: entries may be missing there")]
    EndChanged(i64),
    /// The trail ends before an entry that somebody noted.
    #[error("the trail was put back to an older state: it does not reach {0}, which was noted")]
    PutBack(Noted),
    /// Another entry is where somebody noted one.
    #[error("the trail was written anew: it does not hold {0}, which was noted")]
    Rewritten(Noted),
}

const PAGE: i64 = 1000;
const MOST_FAULTS: usize = 100;

impl Verdict {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Audit {
    /// Reads the whole trail, and says what is wrong with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn verify(&self) -> Result<Verdict, Failure> {
        self.verify_from(&[]).await
    }

    /// The same, and that it still holds all that was noted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn verify_from(&self, noted: &[Noted]) -> Result<Verdict, Failure> {
        let mut reading = Reading::new(self.key.chain(), noted);
        loop {
            let page = Query::new(NEXT).with(reading.after).with(PAGE);
            let page = self.database.read(page).await?;
            if !page.is_empty() {
                page.into_iter().try_for_each(|row| reading.entry(row))?;
                continue;
            }
            // Read after the entries: whoever adds one moves both at once, so it is never behind them.
            let bound = self.head_in(self.database.read(Query::new(HEAD)).await?);
            let more = Query::new(NEXT).with(reading.after).with(1);
            if self.database.read(more).await?.is_empty() {
                let strange = match self.database.read(Query::new(STRANGE)).await?.pop() {
                    Some(mut row) => (row.int(0)?, row.int(1)?),
                    None => (0, 0),
                };
                return Ok(reading.end(&bound, strange));
            }
        }
    }
}

const NEXT: &str = "SELECT seq, at, actor, action, subject, detail, hash FROM audit \
                    WHERE seq > $1 AND CAST(seq AS BIGINT) = seq ORDER BY seq LIMIT $2";
/// How many are without a place, and how many at others' places: a database may have been told to allow that. SQLite takes text
/// or a fraction where a number should be; and what has the least of all numbers comes after nothing. Both walk along the key,
/// and remember nothing.
const STRANGE: &str = "SELECT \
     (SELECT COUNT(*) FROM audit WHERE seq IS NULL OR NOT CAST(seq AS BIGINT) = seq OR seq <= -9223372036854775807 - 1), \
     (SELECT CAST(COALESCE(SUM(of_one - 1), 0) AS BIGINT) FROM \
     (SELECT COUNT(*) AS of_one FROM audit WHERE seq IS NOT NULL GROUP BY seq HAVING COUNT(*) > 1) AS doubled)";

struct Reading<'a> {
    chain: chain::Chain,
    noted: &'a [Noted],
    after: i64,
    /// The last entry as it stands in the trail.
    last: Head,
    /// What its hash should be, if that is another.
    should: Option<Hash>,
    entries: u64,
    /// From where to where there are entries without a gap, the first hundred times and the last.
    there: Vec<RangeInclusive<i64>>,
    faults: Vec<Fault>,
}

impl<'a> Reading<'a> {
    fn new(chain: chain::Chain, noted: &'a [Noted]) -> Self {
        let (last, faults) = (Head::NONE, Vec::new());
        Self { chain, noted, after: i64::MIN, last, should: None, entries: 0, there: Vec::new(), faults }
    }

    fn entry(&mut self, mut row: Row) -> Result<(), Failure> {
        let seq = row.int(0)?;
        let hash = chain::hash(row.bytes(6).unwrap_or_default());
        // They are counted at the end: of some that lie on two pages, one is not read.
        if seq == self.after {
            return Ok(());
        }
        self.after = seq;
        self.entries += 1;
        if seq < 1 {
            self.fault(Fault::Inserted(seq));
            return Ok(());
        }
        let expected = self.last.seq + 1;
        match self.there.last_mut() {
            Some(last) if seq == expected || self.faults.len() >= MOST_FAULTS => *last = *last.start()..=seq,
            _ => self.there.push(seq..=seq),
        }
        if seq > expected {
            self.fault(Fault::Missing { from: expected, to: seq - 1 });
            self.should = None;
        }
        match written(&mut row) {
            Ok((at, texts)) => {
                if seq == expected {
                    self.check(seq, at, &texts, hash);
                }
                if texts[1] == Action::Changed.word() {
                    self.fault(Fault::EndChanged(seq));
                }
            }
            // Of another kind than what is written there.
            Err(_) => {
                self.should = None;
                self.fault(Fault::Changed(seq));
            }
        }
        self.last = Head { seq, hash };
        let there = Noted::from(self.last);
        let others = self.noted.iter().filter(|noted| noted.seq == seq && **noted != there);
        others.for_each(|noted| self.fault(Fault::Rewritten(*noted)));
        Ok(())
    }

    /// If only the hash of the one before was changed, it alone is to be named, and not this one too.
    fn check(&mut self, seq: i64, at: i64, texts: &[String; 4], hash: Hash) {
        let texts = texts.each_ref().map(String::as_str);
        let from = self.chain.next(&self.last.hash, seq, at, texts);
        let other = self.should.map(|should| self.chain.next(&should, seq, at, texts));
        if hash == from || other == Some(hash) {
            self.should = None;
        } else {
            self.should = Some(from);
            self.fault(Fault::Changed(seq));
        }
    }

    fn end(mut self, bound: &Bound, (without_place, at_others_place): (i64, i64)) -> Verdict {
        if without_place > 0 {
            self.fault(Fault::WithoutPlace(without_place));
        }
        if at_others_place > 0 {
            self.fault(Fault::AtOthersPlace(at_others_place));
        }
        match bound {
            Bound::None | Bound::Changed => self.fault(Fault::Head),
            Bound::Sound(head) if head.seq > self.last.seq => {
                self.fault(Fault::CutOff { from: self.last.seq + 1, to: head.seq });
            }
            Bound::Sound(head) if head.seq < self.last.seq => self.beyond(head.seq),
            Bound::Sound(head) if head.hash != self.last.hash => {
                let changed = Fault::Changed(head.seq);
                if !self.faults.contains(&changed) {
                    self.fault(changed);
                }
            }
            Bound::Sound(_) => {}
        }
        let last = self.last.seq;
        let beyond = self.noted.iter().filter(|noted| noted.seq > last);
        beyond.for_each(|noted| self.fault(Fault::PutBack(*noted)));
        Verdict { entries: self.entries, head: self.last.into(), faults: self.faults }
    }

    /// What stands after the last entry was never in the trail.
    fn beyond(&mut self, head: i64) {
        self.faults.retain(|fault| match fault {
            Fault::Changed(seq) => *seq <= head,
            Fault::Missing { from, .. } => *from <= head,
            _ => true,
        });
        let there = std::mem::take(&mut self.there);
        let beyond = there.into_iter().flat_map(|some| (*some.start()).max(head + 1)..=*some.end());
        beyond.take(MOST_FAULTS).for_each(|seq| self.fault(Fault::Inserted(seq)));
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }
}

/// What an entry says, besides its place and hash.
fn written(row: &mut Row) -> Result<(i64, [String; 4]), Failure> {
    Ok((row.int(1)?, [row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?]))
}

impl From<Head> for Noted {
    fn from(head: Head) -> Self {
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&head.hash[..8]);
        Self { seq: head.seq, prefix }
    }
}

impl fmt::Display for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex(&self.prefix))
    }
}

impl FromStr for Noted {
    type Err = NotNoted;

    fn from_str(text: &str) -> Result<Self, NotNoted> {
        let (seq, prefix) = text.trim().split_once(':').ok_or(NotNoted)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0).ok_or(NotNoted)?;
        if prefix.len() != 16 || !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotNoted);
        }
        let prefix = u64::from_str_radix(prefix, 16).map_err(|_| NotNoted)?.to_be_bytes();
        Ok(Self { seq, prefix })
    }
}
