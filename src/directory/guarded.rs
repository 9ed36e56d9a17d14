//! A directory, guarded: nobody waits for it longer than two seconds, whoever called a moment ago is remembered, if that is
//! wanted, and while it is dead nobody waits for it at all.
//!
//! After a few failures in a row it rests: callers get their courteous sentence at once. Now and then one caller's question
//! is asked in the background; when that is answered, the directory is asked by everybody again.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::time::{Instant, timeout};

use crate::{Directory, Found, PhoneNumber, Silent};

/// A directory with a deadline, a breaker and maybe a short memory before it. Clones share them.
#[derive(Clone)]
pub struct Guarded {
    directory: Arc<dyn Directory>,
    remembered: Option<Arc<Cache<PhoneNumber, (Instant, Found)>>>,
    breaker: Arc<Mutex<Breaker>>,
}

#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    /// While it rests: when it may be asked again, in the background.
    again_at: Option<Instant>,
}

/// Twilio waits longer, but a caller hears nothing meanwhile.
const DEADLINE: Duration = Duration::from_secs(2);
/// A gateway before a dead directory takes longer to say so.
const SOON: Duration = Duration::from_millis(500);
/// Long enough for a caller who tries again, short enough for an operator's change to be felt.
const REMEMBERED: Duration = Duration::from_secs(30);
const MOST: usize = 10_000;
/// So many failures in a row, and it rests.
const FAILURES: u32 = 3;
const REST: Duration = Duration::from_secs(5);

impl Guarded {
    /// Guards this one.
    #[must_use]
    pub fn new(directory: impl Directory) -> Self {
        Self { remembered: Some(Arc::new(Cache::new(MOST))), ..Self::without_memory(directory) }
    }

    /// Guards one whose changes are felt at once: who was erased must not be remembered.
    #[must_use]
    pub fn without_memory(directory: impl Directory) -> Self {
        Self { directory: Arc::new(directory), remembered: None, breaker: Arc::default() }
    }

    /// The customer with this number; `None` when nobody has it. It takes no longer than two seconds.
    ///
    /// # Errors
    /// The directory could not answer in time, or rests.
    pub async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent> {
        if let Some(found) = self.remembered(number) {
            return Ok(Some(found));
        }
        if self.awake(number) { self.ask(number).await } else { Err(Silent::Resting) }
    }

    fn remembered(&self, number: &PhoneNumber) -> Option<Found> {
        let (since, found) = self.remembered.as_ref()?.get(number)?;
        (since.elapsed() < REMEMBERED).then_some(found)
    }

    /// Whether it may be asked by a caller who waits; `false` while it rests.
    fn awake(&self, number: &PhoneNumber) -> bool {
        let mut breaker = locked(&self.breaker);
        let Some(again_at) = breaker.again_at else { return true };
        if Instant::now() >= again_at {
            // The next one is asked only after this one's answer.
            breaker.again_at = Some(Instant::now() + REST);
            let (again, number) = (self.clone(), number.clone());
            tokio::spawn(async move {
                if again.ask(&number).await.is_ok() {
                    tracing::info!("the directory answers again");
                }
            });
        }
        false
    }

    async fn ask(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent> {
        let since = Instant::now();
        let answer = timeout(DEADLINE, self.directory.look_up(number)).await.unwrap_or(Err(Silent::Late));
        let mut breaker = locked(&self.breaker);
        match &answer {
            Ok(found) => {
                *breaker = Breaker::default();
                if let (Some(found), Some(remembered)) = (found, &self.remembered) {
                    remembered.insert(number.clone(), (Instant::now(), found.clone()));
                }
            }
            // It answers at once, if not as it should: asking costs nobody time, and a caller whom it cannot bear is not to keep it
            // from others.
            Err(Silent::Nonsense(_) | Silent::Refused(_)) if since.elapsed() < SOON => {
                *breaker = Breaker::default();
            }
            Err(silent) => {
                breaker.failures += 1;
                if breaker.failures == FAILURES {
                    tracing::error!(error = %silent, failures = FAILURES, "the directory failed so often that it is given a rest");
                }
                if breaker.failures >= FAILURES {
                    breaker.again_at = Some(Instant::now() + REST);
                }
            }
        }
        answer
    }
}

fn locked(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("breaker", &self.breaker).finish_non_exhaustive()
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
    }

    #[async_trait]
    impl Directory for Other {
        async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent> {
            self.asked.fetch_add(1, Ordering::Relaxed);
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
            Ok(known.then_some(Found { operator, customer_name: None, customer_id: None }))
        }
    }

    fn caller(digit: u8) -> PhoneNumber {
        PhoneNumber::parse(&format!("+44770090010{digit}")).unwrap()
    }

    impl Other {
        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_found_is_remembered_for_a_while_and_nobody_is_not() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone());
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
        assert!(matches!(Guarded::new(other).look_up(&caller(1)).await, Err(Silent::Late)));
        assert_eq!(since.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn without_memory_everybody_asks_but_while_it_is_dead() {
        let other = Other::default();
        let guarded = Guarded::without_memory(other.clone());
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
        let guarded = Guarded::new(other.clone());
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
    async fn a_dead_one_costs_the_first_callers_time_and_the_others_none() {
        let other = Other::default();
        let guarded = Guarded::new(other.clone());
        guarded.look_up(&caller(1)).await.unwrap();
        other.dead.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Late)));
        }
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
        let guarded = Guarded::new(other.clone());
        other.dead.store(true, Ordering::Relaxed);
        for _ in 0..FAILURES {
            let _late = guarded.look_up(&caller(2)).await;
        }
        let rested = || async {
            tokio::time::sleep(REST).await;
            let since = Instant::now();
            assert!(matches!(guarded.look_up(&caller(1)).await, Err(Silent::Resting)));
            assert!(matches!(guarded.look_up(&caller(2)).await, Err(Silent::Resting)));
            assert_eq!(since.elapsed(), Duration::ZERO, "nobody waits for the question in the background");
            tokio::time::sleep(Duration::from_secs(3)).await;
        };
        rested().await;
        assert_eq!(other.asked(), FAILURES + 1);
        other.dead.store(false, Ordering::Relaxed);
        rested().await;
        assert_eq!(other.asked(), FAILURES + 2);
        assert!(guarded.look_up(&caller(2)).await.unwrap().is_none());
        assert!(guarded.look_up(&caller(1)).await.unwrap().is_some());
        assert_eq!(other.asked(), FAILURES + 3, "the caller of the background is remembered");
    }
}
