//! What may not be there yet: a database that cannot be reached while this server starts keeps no caller from an answer.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use database::Failure;
use directory::{Directory, Entry, PhoneNumber, Silent};
use tokio::sync::watch;

/// Something that is there, or will be. Clones share it.
#[derive(Clone)]
pub struct Late<T> {
    here: Arc<OnceLock<T>>,
    /// Makes it of something else as soon as that is there.
    make: Arc<dyn Fn() -> Option<T> + Send + Sync>,
    making: Arc<Mutex<()>>,
    come: watch::Receiver<bool>,
}

/// Brings it.
#[derive(Debug)]
pub struct Bringer<T> {
    here: Arc<OnceLock<T>>,
    come: watch::Sender<bool>,
}

impl<T: Clone + Send + Sync + 'static> Late<T> {
    /// It is there.
    #[must_use]
    pub fn here(it: T) -> Self {
        let (bringer, late) = Self::coming();
        bringer.bring(it);
        late
    }

    /// It is to come.
    #[must_use]
    pub fn coming() -> (Bringer<T>, Self) {
        let here = Arc::new(OnceLock::new());
        let (told, come) = watch::channel(false);
        (
            Bringer { here: here.clone(), come: told },
            Self { here, make: Arc::new(|| None), making: Arc::default(), come },
        )
    }

    /// It, if it is there.
    #[must_use]
    pub fn now(&self) -> Option<T> {
        if let Some(it) = self.here.get() {
            return Some(it.clone());
        }
        let _one_at_a_time = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if self.here.get().is_none() {
            let _ = self.here.set((self.make)()?);
        }
        self.here.get().cloned()
    }

    /// Waits for it; `None` if nobody brings it any more.
    pub async fn wait(mut self) -> Option<T> {
        self.come.wait_for(|come| *come).await.ok()?;
        self.now()
    }

    /// What is made of it: there in the same moment.
    #[must_use]
    pub fn map<U: Clone + Send + Sync + 'static>(
        self,
        make: impl Fn(T) -> U + Send + Sync + 'static,
    ) -> Late<U> {
        let come = self.come.clone();
        let make = move || self.now().map(&make);
        Late { here: Arc::default(), make: Arc::new(make), making: Arc::default(), come }
    }
}

impl<T: fmt::Debug> fmt::Debug for Late<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Late").field(&self.here.get()).finish()
    }
}

#[async_trait]
impl<D: Directory + Clone> Directory for Late<D> {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        let Some(directory) = self.now() else {
            let why = "it has not been reached since this server started".to_owned();
            return Err(Failure::Unreachable(why).into());
        };
        directory.look_up(number).await
    }
}

impl<T> Bringer<T> {
    /// Here it is.
    pub fn bring(self, it: T) {
        // Nobody else brings it.
        let _ = self.here.set(it);
        self.come.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_made_of_it_is_there_in_the_same_moment() {
        let (bringer, late) = Late::coming();
        let twice = late.clone().map(|it: u32| it * 2);
        assert_eq!((late.now(), twice.now()), (None, None));
        let waiting = tokio::spawn(twice.clone().wait());
        bringer.bring(2);
        assert_eq!((late.now(), twice.now()), (Some(2), Some(4)));
        assert_eq!(waiting.await.unwrap(), Some(4));
        let (nobody, late) = Late::<u32>::coming();
        drop(nobody);
        assert_eq!(late.wait().await, None);
    }
}
