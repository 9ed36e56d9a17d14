//! The file of an index: buckets of one length, in the order of the hashes, each sealed.
//!
//! It has no name in its folder, and is gone with the process. Its key is nowhere but in this process: what a disk still has of
//! it, of whoever may have been erased since, says nothing.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use database::{Row, at_once};
use domain::Identity;

use crate::Entry;
use crate::key::{Hash, random};

/// All records, to be found.
pub(super) struct File {
    file: fs::File,
    key: LessSafeKey,
    buckets: u64,
}

/// A file that is being written.
pub(super) struct Draft {
    file: BufWriter<fs::File>,
    key: LessSafeKey,
    buckets: u64,
    /// So many are written, and sealed.
    sealed: u64,
    /// What the next one has.
    open: Vec<u8>,
}

/// What a call needs to know of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) hash: Hash,
    /// See [`Entry`], as the others.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) operator: String,
}

/// What a caller costs is one read of so many bytes.
const BUCKET: usize = 512;
const ROOM: usize = BUCKET - MAX_TAG_LEN;
/// Before a record are its hash and the lengths of operator, id and name, each in a byte.
const HEAD: usize = 3 + size_of::<Hash>();
/// Hashes are as even as chance. Half full, few buckets have more than their room; what has none is in the database.
const SPARE_FACTOR: u64 = 2;
/// The disk keeps so many times as much: calls need it more.
const FREE_FACTOR: u64 = 4;

impl File {
    /// Nobody too if what is there cannot be read at once.
    pub(super) fn find(&self, hash: &Hash) -> Option<Entry> {
        let bucket = bucket_of(hash, self.buckets);
        let mut bytes = at_once::read::<BUCKET>(&self.file, bucket * BUCKET as u64)?;
        let mut bucket = &*self.key.open_in_place(nonce(bucket), Aad::empty(), &mut bytes).ok()?;
        while let Some((record, rest)) = Parts::read(bucket) {
            if record.hash == hash {
                return record.entry();
            }
            bucket = rest;
        }
        None
    }
}

impl Draft {
    /// Of records of which these are the first, or all of them.
    pub(super) fn new(folder: &Path, first: &[Record], are_all: bool) -> io::Result<Self> {
        let buckets = bytes_of_all(first, are_all).saturating_mul(SPARE_FACTOR) / ROOM as u64 + 1;
        let disk = rustix::fs::statvfs(folder)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) / FREE_FACTOR < buckets.saturating_mul(BUCKET as u64) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = tempfile::tempfile_in(folder)?;
        at_once::prepare(&file)?;
        // Where that cannot be told of a file system, nobody would ever be found.
        file.write_all_at(&[0; BUCKET], 0)?;
        at_once::read::<BUCKET>(&file, 0).ok_or(io::ErrorKind::Unsupported)?;
        let key = UnboundKey::new(&AES_256_GCM, &random()).map_err(io::Error::other)?;
        Ok(Self {
            file: BufWriter::new(file),
            key: LessSafeKey::new(key),
            buckets,
            sealed: 0,
            open: Vec::with_capacity(BUCKET),
        })
    }

    /// Adds records. All come in the order of their hashes.
    pub(super) fn add(&mut self, records: &[Record]) -> io::Result<()> {
        for record in records {
            let bucket = bucket_of(&record.hash, self.buckets);
            while self.sealed < bucket {
                self.seal()?;
            }
            record.write(&mut self.open);
        }
        Ok(())
    }

    /// When all have been added.
    pub(super) fn finish(mut self) -> io::Result<File> {
        while self.sealed < self.buckets {
            self.seal()?;
        }
        let file = self.file.into_inner()?;
        Ok(File { file, key: self.key, buckets: self.buckets })
    }

    fn seal(&mut self) -> io::Result<()> {
        self.open.resize(ROOM, 0);
        let sealed = self.key.seal_in_place_append_tag(nonce(self.sealed), Aad::empty(), &mut self.open);
        sealed.map_err(io::Error::other)?;
        self.file.write_all(&self.open)?;
        self.open.clear();
        self.sealed += 1;
        Ok(())
    }
}

impl Record {
    /// Of the columns hash, id, name and operator; `None` if they are not what they should be.
    pub(super) fn of(mut row: Row) -> Option<Self> {
        let hash = Hash::try_from(row.bytes(0).ok()?).ok()?;
        Some(Self { hash, id: row.text(1).ok()?, name: row.text(2).ok()?, operator: row.text(3).ok()? })
    }

    fn length(&self) -> usize {
        HEAD + self.operator.len() + self.id.len() + self.name.len()
    }

    /// If there is room.
    fn write(&self, bucket: &mut Vec<u8>) {
        let texts = [&self.operator, &self.id, &self.name];
        let lengths = texts.map(|text| u8::try_from(text.len()));
        if let [Ok(operator @ 1..), Ok(id), Ok(name)] = lengths
            && bucket.len() + self.length() <= ROOM
        {
            bucket.extend([operator, id, name]);
            bucket.extend(self.hash);
            texts.iter().for_each(|text| bucket.extend(text.bytes()));
        }
    }
}

/// A record in its bucket.
struct Parts<'a> {
    hash: &'a [u8],
    operator: &'a [u8],
    id: &'a [u8],
    name: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The first, and what follows it. Where there is none any more an operator would have no name.
    fn read(bucket: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (lengths, rest) = bucket.split_at_checked(3)?;
        let [operator, id, name] = *lengths else { return None };
        let (hash, rest) = rest.split_at_checked(size_of::<Hash>())?;
        let (operator, rest) = rest.split_at_checked(operator.into())?;
        let (id, rest) = rest.split_at_checked(id.into())?;
        let (name, rest) = rest.split_at_checked(name.into())?;
        (!operator.is_empty()).then_some((Self { hash, operator, id, name }, rest))
    }

    fn entry(&self) -> Option<Entry> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        Some(Entry {
            operator: Identity::parse(text(self.operator)?).ok()?,
            customer_name: Some(text(self.name)?.to_owned()),
            customer_id: Some(text(self.id)?.to_owned()),
        })
    }
}

/// In the order of the hashes.
fn bucket_of(hash: &Hash, buckets: u64) -> u64 {
    ((u128::from(top(hash)) * u128::from(buckets)) >> 64) as u64
}

fn top(hash: &Hash) -> u64 {
    let mut top = [0; 8];
    top.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(top)
}

/// How long all are together, told from the first ones: these reach as far into all possible hashes as they are many.
fn bytes_of_all(first: &[Record], are_all: bool) -> u64 {
    let bytes: usize = first.iter().map(Record::length).sum();
    match first.last() {
        Some(last) if !are_all => {
            let all = (bytes as u128) << 64;
            u64::try_from(all / (u128::from(top(&last.hash)) + 1)).unwrap_or(u64::MAX)
        }
        _ => bytes as u64,
    }
}

/// Each bucket is sealed once with the file's key.
fn nonce(bucket: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(&bucket.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::super::tests::folder;
    use super::*;

    fn hash(at: u64) -> Hash {
        // Any odd factor spreads them.
        let top = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (u128::from(top) << 64 | u128::from(at)).to_be_bytes()
    }

    fn record(at: u64, name: String) -> Record {
        Record { hash: hash(at), id: format!("cm-{at}"), name, operator: "user001".to_owned() }
    }

    fn made(mut records: Vec<Record>) -> (File, Vec<Record>) {
        records.sort_by_key(|record| record.hash);
        let folder = folder();
        let first = &records[..records.len().min(200)];
        let mut draft = Draft::new(folder.path(), first, first.len() == records.len()).unwrap();
        records.chunks(77).for_each(|some| draft.add(some).unwrap());
        let file = draft.finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it has no name");
        (file, records)
    }

    fn finds(file: &File, record: &Record) -> bool {
        let Some(entry) = file.find(&record.hash) else { return false };
        assert_eq!(entry.operator.as_str(), record.operator);
        assert_eq!(
            (entry.customer_id.as_ref(), entry.customer_name.as_ref()),
            (Some(&record.id), Some(&record.name))
        );
        true
    }

    #[test]
    fn almost_all_are_found_as_they_were_written_and_nobody_else() {
        for count in [0, 1, 5, 199, 200, 201, 20_000] {
            let (file, records) = made((0..count).map(|at| record(at, format!("お客様 {at}"))).collect());
            let found = records.iter().filter(|record| finds(&file, record)).count();
            assert!(found * 100 >= records.len() * 97, "{found} of {count}");
            assert!((count..2 * count).all(|at| file.find(&hash(at)).is_none()));
            let bytes = file.file.metadata().unwrap().len();
            assert!(bytes <= 512 + count * 200, "{bytes} bytes for {count}");
        }
    }

    #[test]
    fn who_does_not_fit_is_left_to_the_database() {
        let long = record(1, "x".repeat(256));
        let full = (2..20)
            .map(|at| Record { hash: (u128::MAX - at).to_be_bytes(), ..record(at as u64, "y".repeat(100)) });
        let (file, records) = made(full.chain([long.clone(), record(1 << 40, "fits".to_owned())]).collect());
        assert!(!finds(&file, &long));
        let found = records.iter().filter(|record| finds(&file, record)).count();
        assert!((2..10).contains(&found), "{found}");
    }

    #[test]
    fn what_the_disk_has_says_nothing_and_what_it_changes_is_nobody() {
        let (file, records) = made((0..100).map(|at| record(at, "CANARY 越井 琢巳".to_owned())).collect());
        let mut all = Vec::new();
        for bucket in 0..file.buckets {
            let at = bucket * BUCKET as u64;
            all.extend(at_once::read::<BUCKET>(&file.file, at).unwrap());
        }
        for shown in [&b"CANARY"[..], b"user001", b"cm-1", &records[0].hash[..8]] {
            assert!(!all.windows(shown.len()).any(|bytes| bytes == shown), "{shown:?}");
        }
        // Buckets that change places do not open.
        let at = |bucket: u64| bucket as usize * BUCKET;
        let (first, last) = (all[..BUCKET].to_vec(), all[at(file.buckets - 1)..].to_vec());
        let write = |bytes: &[u8], at: usize| {
            file.file.write_all_at(bytes, at as u64).unwrap();
        };
        write(&last, 0);
        write(&first, at(file.buckets - 1));
        let of = |bucket: u64| {
            records.iter().filter(move |record| bucket_of(&record.hash, file.buckets) == bucket)
        };
        assert!(of(0).count() > 0 && of(0).all(|record| !finds(&file, record)));
        assert!(of(1).any(|record| finds(&file, record)));
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_left_alone() {
        let folder = folder();
        let first = [Record { hash: [0; 16], ..record(1, "a".repeat(100)) }];
        // As if all others came after it in the same distance.
        let Err(error) = Draft::new(folder.path(), &first, false) else { panic!("so many have no room") };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
