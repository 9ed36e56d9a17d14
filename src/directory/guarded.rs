//! A directory, guarded: nobody waits for it longer than two seconds, whoever called a moment ago is remembered, if that is
//! wanted, and while it is dead nobody waits for it at all.
//!
//! After a few failures with no good answer between them it rests: callers get their courteous sentence at once. Every few seconds the latest caller's
//! question is asked in the background, also when nobody calls any more; when that is answered, the directory is asked by
//! everybody again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, Timeout, sleep, timeout};

use crate::{Directory, Entry, Found, PhoneNumber, Region, Silent};

type Answer = Result<Option<Entry>, Silent>;

/// A directory with a deadline, a breaker and maybe a short memory before it. Clones share them.
#[derive(Clone)]
pub struct Guarded {
    directory: Arc<dyn Directory>,
    /// Whose numbers are written without a country code.
    region: Region,
    remembered: Option<Arc<Cache<PhoneNumber, (Instant, Found)>>>,
    breaker: Arc<Mutex<Breaker>>,
}

#[derive(Default)]
struct Breaker {
    /// Since it last answered as it should.
    failures: u32,
    /// While it is asked in the background: the latest caller.
    caller: Option<PhoneNumber>,
}

/// Twilio waits longer, but a caller hears nothing meanwhile.
const DEADLINE: Duration = Duration::from_secs(2);
/// A gateway before a dead directory takes longer to say so.
const SOON: Duration = Duration::from_millis(500);
/// Long enough for a caller who tries again, short enough for an operator's change to be felt.
const REMEMBERED: Duration = Duration::from_secs(30);
const MOST: usize = 10_000;
/// So many failures with no good answer between them, and it rests.
const FAILURES: u32 = 3;
const REST: Duration = Duration::from_secs(5);

impl Guarded {
    /// Guards this one. Numbers without a country code are of this region.
    #[must_use]
    pub fn new(directory: impl Directory, region: Region) -> Self {
        Self { remembered: Some(Arc::new(Cache::new(MOST))), ..Self::without_memory(directory, region) }
    }

    /// Guards one whose changes are felt at once: who was erased must not be remembered.
    #[must_use]
    pub fn without_memory(directory: impl Directory, region: Region) -> Self {
        Self { directory: Arc::new(directory), region, remembered: None, breaker: Arc::default() }
    }

    /// The customer with this number; `None` when nobody has it. It takes no longer than two seconds.
    ///
    /// # Errors
    /// The directory could not answer in time, or rests, or there is nobody to dial without telling the number.
    pub async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent> {
        if let Some(found) = self.remembered(number) {
            return Ok(Some(found));
        }
        if locked(&self.breaker).rests() {
            self.ask_in_the_background(number);
            return Err(Silent::Resting);
        }
        let since = Instant::now();
        let answer = self.judge(number, since, self.asked(number).await);
        if locked(&self.breaker).rests() {
            self.ask_in_the_background(number);
        }
        answer
    }

    fn asked<'a>(&'a self, number: &'a PhoneNumber) -> Timeout<impl Future<Output = Answer> + Send + 'a> {
        timeout(DEADLINE, self.directory.look_up(number))
    }

    fn remembered(&self, number: &PhoneNumber) -> Option<Found> {
        let (since, found) = self.remembered.as_ref()?.get(number)?;
        (since.elapsed() < REMEMBERED).then_some(found)
    }

    /// Goes on until there is an answer. A caller whom it cannot bear is not to keep it from others: the latest one's is asked.
    fn ask_in_the_background(&self, number: &PhoneNumber) {
        if locked(&self.breaker).caller.replace(number.clone()).is_some() {
            return;
        }
        let again = self.clone();
        tokio::spawn(async move {
            loop {
                sleep(REST).await;
                let (asking, caller) = (again.clone(), locked(&again.breaker).caller.clone());
                // In a task of its own: it may panic.
                let asked = async move {
                    if let Some(caller) = caller {
                        let since = Instant::now();
                        let _ = asking.judge(&caller, since, asking.asked(&caller).await);
                    }
                };
                let _ = tokio::spawn(asked).await;
                let mut breaker = locked(&again.breaker);
                if !breaker.rests() {
                    breaker.caller = None;
                    tracing::info!("the directory answers again");
                    return;
                }
            }
        });
    }

    /// What comes of an answer to a question that was asked then.
    fn judge(
        &self,
        number: &PhoneNumber,
        since: Instant,
        answer: Result<Answer, Elapsed>,
    ) -> Result<Option<Found>, Silent> {
        let entry = answer.unwrap_or(Err(Silent::Late));
        let answer =
            entry.and_then(|entry| entry.map(|entry| entry.without(number, self.region)).transpose());
        let mut breaker = locked(&self.breaker);
        match &answer {
            Ok(found) => {
                breaker.failures = 0;
                if let (Some(found), Some(remembered)) = (found, &self.remembered) {
                    remembered.insert(number.clone(), (Instant::now(), found.clone()));
                }
            }
            // It answers at once, if not as it should: asking costs nobody time, and a caller whom it cannot bear is not to keep it
            // from others. But it does not make good that it has hung before: one of several behind a balancer may be dead.
            Err(Silent::Nonsense(_) | Silent::Refused(_)) if since.elapsed() < SOON => {
                if breaker.rests() {
                    breaker.failures = 0;
                }
            }
            Err(silent) => {
                breaker.failures += 1;
                if breaker.failures == FAILURES {
                    tracing::error!(error = %silent, failures = FAILURES, "the directory failed so often that it is given a rest");
                }
            }
        }
        answer
    }
}

impl Breaker {
    /// Nobody who waits asks it.
    fn rests(&self) -> bool {
        self.failures >= FAILURES
    }
}

fn locked(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use async_trait::async_trait;
    use domain::Identity;

    use super::*;

    #[derive(Clone, Default)]
    struct Other {
        dead: Arc<AtomicBool>,
        refuses: Arc<AtomicBool>,
        slow: Arc<AtomicBool>,
        asked: Arc<AtomicU32>,
        hangs: Arc<AtomicBool>,
        panics: Arc<AtomicBool>,
    }

    #[async_trait]
    impl Directory for Other {
        async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            assert!(!self.panics.load(Ordering::Relaxed));
            if self.hangs.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if self.dead.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return Err(Silent::Late);
            }
            if self.refuses.load(Ordering::Relaxed) {
                if self.slow.load(Ordering::Relaxed) {
                    tokio::time::sleep(SOON).await;
                }
                return Err(Silent::Refused(500));
            }
            let known = *number == caller(1);
            let operator = Identity::parse("user001").unwrap();
            Ok(known.then_some(Entry { operator, customer_name: None, customer_id: None }))
        }
    }

    fn caller(digit: u8) -> PhoneNumber {
        PhoneNumber::parse(&format!("+44770090010{digit}")).unwrap()
    }

    async fn until_it_rests(other: &Other, guarded: &Guarded) {
        other.dead.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Late)));
        }
    }

    impl Other {
        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_found_is_remembered_for_a_while_and_nobody_is_not() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        for _ in 0..3 {
            assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
            assert!(guarded.look_up(&caller(2)).await.unwrap().is_none());
        }
        assert_eq!(other.asked(), 1 + 3, "a stranger may have become a customer");
        tokio::time::advance(REMEMBERED).await;
        guarded.look_up(&caller(1)).await.unwrap();
        assert_eq!(other.asked(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_two_seconds() {
        let other = Other::default();
        other.hangs.store(true, Ordering::Relaxed);
        let since = Instant::now();
        assert!(matches!(Guarded::new(other, Region::JAPAN).look_up(&caller(1)).await, Err(Silent::Late)));
        assert_eq!(since.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn without_memory_everybody_asks_but_while_it_is_dead() {
        let other = Other::default();
        let guarded = Guarded::without_memory(other.clone(), Region::JAPAN);
        for _ in 0..3 {
            assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
        }
        assert_eq!(other.asked(), 3);
        other.dead.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            assert!(matches!(guarded.look_up(&caller(1)).await, Err(Silent::Late)));
        }
        assert!(matches!(guarded.look_up(&caller(1)).await, Err(Silent::Resting)));
        assert_eq!(other.asked(), 3 + FAILURES);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_refuses_a_caller_is_asked_for_the_next() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        other.refuses.store(true, Ordering::Relaxed);
        for _ in 0..2 * FAILURES {
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Refused(500))));
        }
        other.slow.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Refused(500))));
        }
        assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Resting)), "a gateway's refusal");
        tokio::time::sleep(REST).await;
        other.refuses.store(false, Ordering::Relaxed);
        let _asked_in_the_background = guarded.look_up(&caller(1)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_and_refuses_in_turn_is_given_a_rest_too() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        other.refuses.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            other.hangs.store(false, Ordering::Relaxed);
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Refused(500))));
            other.hangs.store(true, Ordering::Relaxed);
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Late)));
        }
        assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Resting)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_one_costs_the_first_callers_time_and_the_others_none() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        guarded.look_up(&caller(1)).await.unwrap();
        until_it_rests(&other, &guarded).await;
        let since = Instant::now();
        for _ in 0..100 {
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Resting)));
        }
        assert!(
            guarded.look_up(&caller(1)).await.unwrap().is_some(),
            "a caller of a moment ago is put through"
        );
        assert_eq!((since.elapsed(), other.asked()), (Duration::ZERO, 1 + FAILURES));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_again_in_the_background_and_when_it_answers_by_everybody() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        until_it_rests(&other, &guarded).await;
        tokio::time::sleep(REST).await;
        let since = Instant::now();
        assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Resting)));
        assert!(matches!(guarded.look_up(&caller(1)).await, Err(Silent::Resting)));
        assert_eq!(since.elapsed(), Duration::ZERO, "nobody waits for the question in the background");
        tokio::time::sleep(REST).await;
        assert_eq!(other.asked(), FAILURES + 1);
        other.dead.store(false, Ordering::Relaxed);
        tokio::time::sleep(REST).await;
        assert_eq!(other.asked(), FAILURES + 2, "though nobody has called meanwhile");
        assert!(guarded.look_up(&caller(2)).await.unwrap().is_none());
        assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
        assert_eq!(other.asked(), FAILURES + 3, "the caller of the background is remembered");
        tokio::time::sleep(REST * 4).await;
        assert_eq!(other.asked(), FAILURES + 3, "nobody asks in the background any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_in_the_background_does_not_end_the_asking() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone(), Region::JAPAN);
        until_it_rests(&other, &guarded).await;
        other.dead.store(false, Ordering::Relaxed);
        other.panics.store(true, Ordering::Relaxed);
        tokio::time::sleep(REST * 2).await;
        assert!(matches!(guarded.look_up(&caller(1)).await, Err(Silent::Resting)));
        other.panics.store(false, Ordering::Relaxed);
        tokio::time::sleep(REST).await;
        assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
    }
}
