//! A full disk, and one that breaks: said once, and what could not be kept is kept when it can be.

use std::io::ErrorKind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn what_a_full_disk_cannot_take_goes_to_the_database_at_once() {
    let house = House::new();
    let log = Log::of_all_threads();
    let full = Arc::new(AtomicBool::new(false));
    let ledger = house.on(0, |file| Fillable { file, full: full.clone() }).await;
    ledger.keep(came(1)).await.unwrap();
    full.store(true, Ordering::SeqCst);
    for call in 2..6 {
        let why = ledger.keep(came(call)).await.unwrap_err();
        assert!(why.to_string().contains("calls.journal is full; free some space"), "{why}");
    }
    ledger.settled().await;
    full.store(false, Ordering::SeqCst);
    ledger.keep(came(6)).await.unwrap();
    ledger.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 1..7);
    let said = log.lines(house.folder.path().to_str().unwrap());
    assert!(said.len() == 2 && said[0].contains("ERROR") && said[1].contains("INFO"), "{said:?}");
}

#[tokio::test]
async fn what_a_full_disk_cannot_take_goes_to_the_journal_when_the_database_is_away_too() {
    let house = House::new();
    let full = Arc::new(AtomicBool::new(false));
    let ledger = house.on(0, |file| Fillable { file, full: full.clone() }).await;
    let other = house.database().await;
    let locked = other.begin().await.unwrap();
    ledger.keep(came(1)).await.unwrap();
    full.store(true, Ordering::SeqCst);
    for call in 2..5 {
        assert!(matches!(ledger.keep(came(call)).await, Err(NotKept::Full(_))));
    }
    full.store(false, Ordering::SeqCst);
    ledger.keep(came(5)).await.unwrap();
    let reader = Reader::new(File::open(house.journal()).unwrap());
    let window = reader.read(0, house.journal().metadata().unwrap().len(), 99).unwrap();
    assert_eq!((window.lying().count(), ledger.0.held.count()), (5, 0));
    drop(locked);
    ledger.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 1..6);
}

#[tokio::test]
async fn what_failed_half_way_is_not_read_by_the_next_server() {
    let house = House::new();
    let full = Arc::new(AtomicBool::new(true));
    let ledger = house.on(0, |file| Fillable { file, full }).await;
    let other = house.database().await;
    let locked = other.begin().await.unwrap();
    // Half of what is tried again and again are whole events.
    for call in 0..6 {
        assert!(matches!(ledger.keep(came(call)).await, Err(NotKept::Full(_))));
    }
    drop(locked);
    ledger.settled().await;
    drop(ledger);
    house.on(0, |file| file).await.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..6);
}

#[tokio::test]
async fn memory_for_what_cannot_be_kept_has_an_end() {
    let house = House::new();
    let full = Arc::new(AtomicBool::new(true));
    let ledger = house.on(0, |file| Fillable { file, full }).await;
    let other = house.database().await;
    let _locked = other.begin().await.unwrap();
    let mut keeping = tokio::task::JoinSet::new();
    for call in 0..12_000 {
        let ledger = ledger.clone();
        keeping.spawn(async move { ledger.keep(came(call)).await });
    }
    assert!(keeping.join_all().await.iter().all(Result::is_err));
    assert_eq!(ledger.0.held.count(), 10_000);
    assert_eq!(ledger.close(Duration::ZERO).await, Err(Unsettled { lost: 10_000 }));
}

/// A limit of the system's own for the size of files stands for a full disk: the database cannot be written either.
#[tokio::test]
async fn a_journal_that_cannot_grow_is_cut_back_and_goes_on_later() {
    let house = House::new();
    drop(house.database().await);
    let script = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
    let mut child = Command::new("sh");
    child.args(["-c", script]).arg(std::env::current_exe().unwrap());
    child.args(["--exact", "ledger::tests::full::grows_until_it_cannot", "--nocapture"]);
    let output = child.env(GROWS_IN, house.folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let kept: u64 = text.lines().find_map(|line| line.strip_prefix("kept ")).unwrap().parse().unwrap();
    assert!((100..2000).contains(&kept), "{kept}");
    let ledger = house.open().await;
    ledger.keep(came(kept)).await.unwrap();
    ledger.close(Duration::MAX).await.unwrap();
    once_each(&house.trail().await, 0..kept + 1);
}

const GROWS_IN: &str = "HITOKU_GROWS_IN";

#[tokio::test]
async fn grows_until_it_cannot() {
    let Some(folder) = std::env::var_os(GROWS_IN) else { return };
    let folder = Path::new(&folder);
    let ledger = on(&Place::Sqlite(folder.join("hitoku.db")), folder, RESERVE, |file| file).await;
    for call in 0..5000 {
        match ledger.keep(came(call)).await {
            Ok(()) => {}
            Err(NotKept::Full(_)) => {
                println!("\nkept {call}");
                return;
            }
            Err(why) => panic!("{why}"),
        }
    }
}

/// Writes half when it is full.
pub(super) struct Fillable {
    pub(super) file: File,
    pub(super) full: Arc<AtomicBool>,
}

impl Disk for Fillable {
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        if !self.full.load(Ordering::SeqCst) {
            return self.file.write(bytes, at);
        }
        self.file.write(&bytes[..bytes.len() / 2], at)?;
        Err(ErrorKind::StorageFull.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.file.cut(length)
    }
}
