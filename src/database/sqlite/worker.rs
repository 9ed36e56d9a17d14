//! Threads that each own a connection and do one piece of work after another.

use crossbeam_channel::Sender;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::Failure;

type Work = Box<dyn FnOnce(&Connection) + Send>;

/// They end when this is dropped, after what they were told before.
pub(crate) struct Workers(Sender<Work>);

impl Workers {
    pub(crate) fn start(name: &str, connections: Vec<Connection>) -> Result<Self, Failure> {
        let (sender, receiver) = crossbeam_channel::unbounded::<Work>();
        for connection in connections {
            let receiver = receiver.clone();
            let work = move || {
                while let Ok(work) = receiver.recv() {
                    work(&connection);
                }
            };
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(|error| Failure::Unreachable(format!("no thread for it: {error}")))?;
        }
        Ok(Self(sender))
    }

    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.tell(move |connection| {
            // Nobody waits for it any more: it came too late.
            let _ = answer.send(work(connection));
        });
        answered.await.unwrap_or_else(|_| Err(Failure::Unreachable("its thread has ended".to_owned())))
    }

    pub(crate) fn tell(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        // If it cannot be delivered, its answer's channel is dropped, and whoever waits learns it there.
        let _ = self.0.send(Box::new(work));
    }
}
