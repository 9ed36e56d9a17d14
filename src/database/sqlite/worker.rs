//! A thread that owns a connection and does one piece of work after another.

use std::convert::Infallible;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::setpriority_process;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::Failure;

type Work = Box<dyn FnOnce(&Connection) + Send>;

/// It ends when this is dropped, after what it was told before; and who drops it waits until its connection is closed, since
/// the last one that is writes the log back into the file and removes it. A disk that hangs is not waited for.
pub(crate) struct Worker {
    /// Always there, but while this is dropped.
    work: Option<UnboundedSender<Work>>,
    /// Nothing is ever sent: it ends with the thread.
    ended: Mutex<Receiver<Infallible>>,
}

impl Worker {
    /// The writer's thread runs one piece of work at a time, at low priority. What is written is in a journal already, or
    /// nobody waits for it on the telephone.
    pub(crate) fn writing(name: &str, connection: Connection) -> Result<Self, Failure> {
        Self::start(name, move |mut asked| {
            // Elsewhere that would be the whole program's.
            if cfg!(target_os = "linux") {
                let _as_urgent_as_others = setpriority_process(None, LESS_URGENT);
            }
            while let Some(work) = asked.blocking_recv() {
                work(&connection);
            }
        })
    }

    /// The reader's thread answers all that wait at once from the same state, so that it is looked for once. Each of them asked
    /// before, and so finds what was committed before it asked.
    pub(crate) fn reading(name: &str, connection: Connection) -> Result<Self, Failure> {
        Self::start(name, move |mut asked| {
            let mut together = Vec::new();
            while asked.blocking_recv_many(&mut together, MOST_AT_ONCE) > 0 {
                // Where that fails, each piece of work fails too, and says so to whoever waits for it.
                let shared = together.len() > 1 && run(&connection, "BEGIN").is_ok();
                together.drain(..).for_each(|work| work(&connection));
                if shared && run(&connection, "COMMIT").is_err() {
                    // Otherwise all that is read from now on would be of this moment.
                    let _ = run(&connection, "ROLLBACK");
                }
            }
        })
    }

    fn start(
        name: &str,
        run: impl FnOnce(UnboundedReceiver<Work>) + Send + 'static,
    ) -> Result<Self, Failure> {
        let (sender, receiver) = unbounded_channel();
        let (at_its_end, ended) = std::sync::mpsc::channel();
        let thread = move || {
            // Dropped last.
            let _at_its_end = at_its_end;
            run(receiver);
        };
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(thread)
            .map_err(|error| Failure::Unreachable(format!("no thread for it: {error}")))?;
        Ok(Self { work: Some(sender), ended: Mutex::new(ended) })
    }

    /// Has this done, and waits for its result. Work that nobody waits for any more when its turn comes is not done.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.tell(move |connection| {
            // After a disk that hung, those who still wait are not to wait for those who do not.
            if !answer.is_closed() {
                let _ = answer.send(work(connection));
            }
        });
        answered.await.unwrap_or_else(|_| Err(Failure::Unreachable("its thread has ended".to_owned())))
    }

    pub(crate) fn tell(&self, work: impl FnOnce(&Connection) + Send + 'static) {
        // If it cannot be delivered, its answer's channel is dropped, and whoever waits learns it there.
        if let Some(sender) = &self.work {
            let _ = sender.send(Box::new(work));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.work = None;
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(PATIENCE);
    }
}

/// For a disk that has much to do.
const PATIENCE: Duration = Duration::from_secs(2);
/// In a tenth of the time that others have, if all want all.
const LESS_URGENT: i32 = 10;

/// Prepared once: it is said as often as somebody asks.
fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.raw_execute().map(|_| ())
}

/// Together they hold one state, and as long as they do, the log cannot be written back into the file.
const MOST_AT_ONCE: usize = 256;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_is_not_done() {
        let worker = Worker::reading("test", Connection::open_in_memory().unwrap()).unwrap();
        let (hung, answers_again) = channel();
        let first = worker.ask(move |_| Ok(answers_again.recv().unwrap()));
        tokio::pin!(first);
        assert!(is_pending(&mut first).await);
        let done = Arc::new(AtomicBool::new(false));
        {
            let done = done.clone();
            let second = worker.ask(move |_| {
                done.store(true, Ordering::Relaxed);
                Ok(())
            });
            tokio::pin!(second);
            assert!(is_pending(&mut second).await);
        }
        let third = worker.ask(|_| Ok(3));
        hung.send(1).unwrap();
        assert_eq!((first.await.unwrap(), third.await.unwrap()), (1, 3));
        assert!(!done.load(Ordering::Relaxed));
    }

    /// Asked, and not yet answered.
    async fn is_pending<T>(asked: &mut (impl Future<Output = T> + Unpin)) -> bool {
        tokio::select! {
            biased;
            _ = asked => false,
            () = std::future::ready(()) => true,
        }
    }
}
