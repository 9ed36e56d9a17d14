//! A journal that begins anew loses nothing and doubles nothing, wherever it is stopped.

use std::sync::mpsc;

use super::*;

#[tokio::test]
async fn it_begins_anew_and_stays_small() {
    let house = House::new();
    let mut call = 0;
    for reserve in [0, 1000, 4096] {
        for _ in 0..3 {
            let ledger = house.on(reserve, |file| file).await;
            for _ in 0..40 {
                ledger.keep(came(call)).await.unwrap();
                call += 1;
                if call % 3 == 0 {
                    ledger.settled().await;
                }
            }
            let small = house.journal().metadata().unwrap().len();
            assert!(small <= 4096 + 2000, "{small}");
            ledger.close(Duration::MAX).await.unwrap();
        }
    }
    let trail = house.trail().await;
    assert_eq!(trail.len() as u64, call);
    assert!(trail.values().all(|entries| entries.len() == 1));
    let query = database::Query::new("SELECT COUNT(*) FROM journals");
    let places = house.database().await.read(query).await.unwrap().remove(0).int(0).unwrap();
    assert!(places < 20, "{places} rows of journals, though most are overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_begins_anew_also_when_there_is_never_a_pause() {
    let house = House::new();
    let ledger = house.on(500, |file| file).await;
    let mut keeping = tokio::task::JoinSet::new();
    for lane in 0..4 {
        let ledger = ledger.clone();
        keeping.spawn(async move {
            for call in 0.. {
                ledger.keep(came(4 * call + lane)).await.unwrap();
                if ledger.0.journaled.borrow().era > 3 {
                    return call;
                }
            }
            unreachable!("calls do not end")
        });
    }
    assert!(keeping.join_all().await.iter().sum::<u64>() > 4 * 5);
    ledger.close(Duration::MAX).await.unwrap();
    assert!(house.trail().await.values().all(|entries| entries.len() == 1));
}

#[tokio::test]
async fn it_takes_room_for_many_events_at_once() {
    let house = House::new();
    let ledger = house.on(16 << 10, |file| file).await;
    let other = house.database().await;
    let _locked = other.begin().await.unwrap();
    let mut lengths = std::collections::BTreeSet::new();
    for call in 0..500 {
        ledger.keep(came(call)).await.unwrap();
        lengths.insert(house.journal().metadata().unwrap().len());
    }
    let end = ledger.0.journaled.borrow().end;
    assert!(end > 32 << 10, "{end}");
    assert!(lengths.len() < 100, "it has grown {} times", lengths.len());
}

#[tokio::test]
async fn it_can_be_stopped_at_any_step() {
    for step in 1..60 {
        let house = House::new();
        let (stops, stopped) = mpsc::channel();
        let ledger = house.on(500, |file| Stopping { file, left: step, stops }).await;
        let mut kept = Vec::new();
        let all = async {
            for call in 0..20 {
                ledger.keep(came(call)).await.unwrap();
                kept.push(call);
                ledger.settled().await;
                if call % 4 == 0 {
                    // Long enough to be wiped.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        let stopped = tokio::task::spawn_blocking(move || stopped.recv());
        tokio::select! { () = all => {}, _ = stopped => {} }
        drop(ledger);
        for _ in 0..2 {
            house.on(500, |file| file).await.close(Duration::MAX).await.unwrap();
            let trail = house.trail().await;
            assert!(kept.iter().all(|call| trail.contains_key(&sid(*call).to_string())), "step {step}");
            assert!(trail.values().all(|entries| entries.len() == 1), "step {step}: {trail:?}");
        }
    }
}

/// Stops its thread for good at this step, half-way.
struct Stopping {
    file: File,
    left: usize,
    stops: mpsc::Sender<()>,
}

impl Stopping {
    fn step(&mut self, half: impl FnOnce(&mut File)) {
        // Before the writer begins there is nothing to lose.
        if thread::current().name() != Some("journal") {
            return;
        }
        self.left -= 1;
        if self.left == 0 {
            half(&mut self.file);
            self.stops.send(()).unwrap();
            loop {
                thread::park();
            }
        }
    }
}

impl Disk for Stopping {
    fn write(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.step(|file| file.write(&bytes[..bytes.len() / 2], at).unwrap());
        self.file.write(bytes, at)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step(|_| ());
        self.file.sync()
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.step(|_| ());
        self.file.cut(length)
    }
}
