//! A journal that was cut or damaged gives back whatever is whole.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc;

use super::*;

#[test]
fn whatever_is_cut_off_what_is_whole_before_it_stays() {
    let (bytes, ends) = journal(&[1; 5]);
    for cut in 0..=bytes.len() {
        for rest in [&[][..], &[0; 300], &[255; 300]] {
            let torn = [&bytes[..cut], rest].concat();
            // What is written over with what was there is whole.
            let end = ends.iter().rfind(|end| torn.starts_with(&bytes[..**end])).copied().unwrap_or_default();
            assert!(end <= cut || rest.starts_with(&[0]), "cut at {cut}");
            let found = recovered(&torn);
            assert_eq!((found.end, found.gaps), (end as u64, vec![]), "cut at {cut}");
        }
    }
}

#[test]
fn a_byte_that_changes_costs_its_own_event_and_no_other() {
    let (bytes, ends) = journal(&[1; 5]);
    let file = tempfile::NamedTempFile::new().unwrap();
    for at in 0..bytes.len() {
        for flip in [1, 128, 255] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            fs::write(file.path(), &bytes).unwrap();
            let reader = Reader::new(File::open(file.path()).unwrap());
            let window = reader.read(0, bytes.len() as u64, 99).unwrap();
            let lost = ends.iter().position(|end| at < *end).unwrap();
            let events: Vec<_> = window.lying().map(|lying| Event::read(lying.payload).unwrap()).collect();
            let expected: Vec<_> =
                (0..5).filter(|call| *call != lost).map(|call| came(call as u64).into()).collect();
            assert_eq!(events, expected, "byte {at}");
            let gaps = reader.recover().unwrap().gaps.len();
            assert_eq!(gaps, usize::from(lost < 4), "byte {at}");
        }
    }
}

#[test]
fn a_journal_of_many_windows_is_read_whole() {
    let (mut bytes, ends) = journal(&[7; 9000]);
    let rest = vec![0xa5; 3 * (frame::HEAD + frame::LONGEST)];
    bytes.extend(rest);
    let found = recovered(&bytes);
    assert_eq!((found.end, found.gaps), (*ends.last().unwrap() as u64, vec![]));
    assert_eq!(found.generations.into_iter().collect::<Vec<_>>(), [7]);
}

#[test]
fn the_rest_of_an_older_generation_is_no_damage() {
    let (mut old, _) = journal(&[1; 5]);
    let (new, _) = journal(&[2]);
    old[..new.len()].copy_from_slice(&new);
    old.splice(new.len()..new.len() + 1, [0]);
    let found = recovered(&old);
    assert_eq!((found.gaps, found.generations.len(), found.end), (vec![], 2, old.len() as u64));
}

#[tokio::test]
async fn after_a_cut_it_goes_on_where_it_was_whole() {
    let (bytes, ends) = journal(&[1; 5]);
    let house = House::new();
    fs::write(house.journal(), &bytes[..ends[3] + 20]).unwrap();
    let ledger = house.open().await;
    ledger.keep(came(9)).await.unwrap();
    ledger.close(Duration::MAX).await.unwrap();
    let calls = [0, 1, 2, 3, 9].map(|call| sid(call).to_string());
    assert_eq!(house.trail().await.into_keys().collect::<Vec<_>>(), calls);
}

/// As a power failure may leave what was just being wiped.
#[tokio::test]
async fn what_is_damaged_is_told_unless_the_database_has_it() {
    let log = Log::of_all_threads();
    let (bytes, ends) = journal(&[7; 5]);
    let mut torn = bytes.clone();
    torn[ends[1] - 10..ends[2] - 10].fill(0);
    let told = async |had: &[u8]| {
        let house = House::new();
        fs::write(house.journal(), had).unwrap();
        let ledger = house.open().await;
        ledger.settled().await;
        drop(ledger);
        fs::write(house.journal(), &torn).unwrap();
        house.on(4096, |file| file).await.close(Duration::MAX).await.unwrap();
        assert_eq!(house.trail().await.len(), if had.is_empty() { 3 } else { 5 });
        log.lines(house.journal().to_str().unwrap()).len()
    };
    assert_eq!((told(&bytes).await, told(&[]).await), (0, 1));
}

#[tokio::test]
async fn what_nobody_waits_for_is_kept_too() {
    let house = House::new();
    let ledger = house.open().await;
    drop(ledger.keep(came(1)));
    ledger.keep(came(2)).await.unwrap();
    ledger.close(Duration::MAX).await.unwrap();
    assert_eq!(house.trail().await.len(), 2);
}

#[tokio::test]
async fn nothing_is_accepted_before_the_disk_says_so() {
    let house = House::new();
    let (asks, asked) = mpsc::channel();
    let (says, said) = mpsc::channel();
    let ledger = house.on(4096, |file| Slow { file, asks, said }).await;
    let mut keeping = Box::pin(ledger.keep(came(1)));
    let first =
        tokio::select! { biased; kept = &mut keeping => Some(kept), () = std::future::ready(()) => None };
    assert_eq!(first, None);
    assert_eq!(asked.recv(), Ok("write"));
    assert_eq!(asked.recv(), Ok("sync"));
    // Whoever answered early has done so before it asked the disk.
    let early =
        tokio::select! { biased; kept = &mut keeping => Some(kept), () = std::future::ready(()) => None };
    assert_eq!(early, None);
    says.send(()).unwrap();
    assert_eq!(keeping.await, Ok(()));
    drop(says);
    ledger.close(Duration::MAX).await.unwrap();
}

/// Says what it is asked, and waits at a sync until it may go on.
struct Slow {
    file: File,
    asks: mpsc::Sender<&'static str>,
    said: mpsc::Receiver<()>,
}

impl Disk for Slow {
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        // Room for it was made before by another.
        if thread::current().name() == Some("journal") {
            let _ = self.asks.send("write");
        }
        self.file.write(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        if thread::current().name() == Some("journal") {
            let _ = self.asks.send("sync");
            let _ = self.said.recv();
        }
        self.file.sync()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.cut(length)
    }
}

#[tokio::test]
async fn it_is_for_one_server_and_one_user() {
    let house = House::new();
    let ledger = house.open().await;
    let database = house.database().await;
    let other = Ledger::open(house.folder.path(), audit(&database)).unwrap_err();
    let folder = house.folder.path().to_str().unwrap();
    assert!(matches!(other, CannotOpen::Taken(_)) && other.to_string().contains(folder), "{other}");
    assert_eq!(fs::metadata(house.journal()).unwrap().permissions().mode() & 0o777, 0o600);
    ledger.close(Duration::MAX).await.unwrap();
    assert_eq!(ledger.keep(came(1)).await, Err(NotKept::Closed));
    ledger.close(Duration::MAX).await.unwrap();
    house.open().await.settled().await;
    let nowhere = Ledger::open(Path::new("/dev/null/folder"), audit(&database)).unwrap_err();
    assert!(nowhere.to_string().contains("/dev/null/folder/calls.journal"), "{nowhere}");
}

fn recovered(bytes: &[u8]) -> reader::Found {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Reader::new(File::open(file.path()).unwrap()).recover().unwrap()
}

/// Events of these generations, and where each ends.
fn journal(generations: &[u64]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let frames = generations.iter().enumerate().map(|(call, generation)| {
        frame::put(*generation, &came(call as u64).write(), &mut bytes);
        bytes.len()
    });
    let ends = frames.collect();
    (bytes, ends)
}
