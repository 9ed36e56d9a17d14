//! A disk that hangs: who came first waits for it, whoever comes when too many wait is turned away at once, and nothing that was
//! accepted is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test]
async fn too_many_do_not_wait_for_a_disk_that_hangs() {
    let house = House::new();
    let hangs = Arc::new(AtomicBool::new(false));
    let ledger = house.on(0, |file| Hanging { file, hangs: hangs.clone() }).await;
    hangs.store(true, Ordering::SeqCst);
    let mut keeping = tokio::task::JoinSet::new();
    // As many as may wait, and as many as the writer may have taken already.
    for call in 0..2 * MOST_WAITING as u64 {
        let ledger = ledger.clone();
        keeping.spawn(async move { (call, ledger.keep(came(call)).await) });
    }
    let (_, first) = keeping.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(NotKept::Stuck(_))), "nobody is told that it is kept: {first:?}");
    hangs.store(false, Ordering::SeqCst);
    let mut kept = Vec::new();
    for (call, done) in keeping.join_all().await {
        match done {
            Ok(()) => kept.push(sid(call).to_string()),
            Err(why) => assert!(why.to_string().contains("does not answer"), "{why}"),
        }
    }
    ledger.close(Duration::MAX).await.unwrap();
    kept.sort();
    assert!(kept.len() >= MOST_WAITING);
    assert_eq!(house.trail().await.into_keys().collect::<Vec<_>>(), kept);
}

struct Hanging {
    file: File,
    hangs: Arc<AtomicBool>,
}

impl Disk for Hanging {
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file.write(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        while self.hangs.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
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
