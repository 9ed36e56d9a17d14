//! What may not be there yet: a database that cannot be reached while this server starts keeps no caller from an answer.

use async_trait::async_trait;
use database::Failure;
use directory::{Customers, Directory, Found, PhoneNumber, Silent};
use tokio::sync::watch;

/// Something that is there, or will be. Clones share it.
#[derive(Clone, Debug)]
pub struct Late<T>(watch::Receiver<Option<T>>);

/// Brings it.
#[derive(Debug)]
pub struct Bringer<T>(watch::Sender<Option<T>>);

impl<T: Clone + Send + Sync + 'static> Late<T> {
    /// It is there.
    #[must_use]
    pub fn here(it: T) -> Self {
        Self(watch::channel(Some(it)).1)
    }

    /// It is to come.
    #[must_use]
    pub fn coming() -> (Bringer<T>, Self) {
        let (bringer, late) = watch::channel(None);
        (Bringer(bringer), Self(late))
    }

    /// It, if it is there.
    #[must_use]
    pub fn now(&self) -> Option<T> {
        self.0.borrow().clone()
    }

    /// Waits for it; `None` if nobody brings it any more.
    pub async fn wait(mut self) -> Option<T> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|it| it.clone())
    }

    /// What is made of it, as soon as it is there.
    #[must_use]
    pub fn map<U: Clone + Send + Sync + 'static>(
        self,
        make: impl FnOnce(T) -> U + Send + 'static,
    ) -> Late<U> {
        if let Some(it) = self.now() {
            return Late::here(make(it));
        }
        let (bringer, late) = Late::coming();
        tokio::spawn(async move {
            if let Some(it) = self.wait().await {
                bringer.bring(make(it));
            }
        });
        late
    }
}

#[async_trait]
impl Directory for Late<Customers> {
    async fn look_up(&self, number: &PhoneNumber) -> Result<Option<Found>, Silent> {
        let Some(customers) = self.now() else {
            let why = "it has not been reached since this server started".to_owned();
            return Err(Failure::Unreachable(why).into());
        };
        customers.look_up(number).await
    }
}

impl<T> Bringer<T> {
    /// Here it is.
    pub fn bring(self, it: T) {
        self.0.send_replace(Some(it));
    }
}
