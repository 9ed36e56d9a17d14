//! Takes connections in, answers what is asked on them, and ends those on which nobody asks or nobody reads.
//!
//! Not by `axum::serve`, which lets one that says nothing stay for ever: as many as this process may have files, and no caller
//! would be answered any more.

use std::io::ErrorKind;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
#[cfg(target_os = "linux")]
use nix::sys::socket::sockopt::TcpUserTimeout;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// For a request's head, from the moment that the one before it was answered. Longer than proxies keep their own connections to
/// us (nginx one minute, Caddy two, Google's balancer ten), so that none of them asks on one that is just being closed.
const HEAD_WITHIN: Duration = Duration::from_secs(11 * 60);
/// Far more than any head has that is meant for us; so much memory each connection may take before it has asked anything.
const LARGEST_HEAD: usize = 64 * 1024;
/// For some of an answer to be taken in, whatever the way: Linux looks after it.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// When no connection can be taken in.
const AGAIN: Duration = Duration::from_millis(100);

/// Answers until `told` to end, and then what is under way.
pub(crate) async fn serve(listener: TcpListener, app: Router, told: impl Future<Output = ()>) {
    serve_who_reads_within(READ_WITHIN, listener, app, told).await;
}

async fn serve_who_reads_within(
    read_within: Duration,
    listener: TcpListener,
    app: Router,
    told: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(LARGEST_HEAD);
    let service = TowerToHyperService::new(app);
    let under_way = GracefulShutdown::new();
    let mut told = pin!(told);
    let mut failing = false;
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            () = &mut told => break,
        };
        let stream = match taken {
            Ok((stream, _)) => stream,
            // Whoever it was has gone again, and the next one is taken in.
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) =>
            {
                continue;
            }
            Err(error) => {
                // There may be none left to take in, until others end.
                if !std::mem::replace(&mut failing, true) {
                    tracing::error!(%error, "no connection can be taken in: callers are not answered");
                }
                sleep(AGAIN).await;
                continue;
            }
        };
        if std::mem::take(&mut failing) {
            tracing::info!("connections are taken in again");
        }
        end_if_nobody_reads(&stream, read_within);
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    under_way.shutdown().await;
}

fn end_if_nobody_reads(stream: &TcpStream, within: Duration) {
    #[cfg(target_os = "linux")]
    {
        let within = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = nix::sys::socket::setsockopt(stream, TcpUserTimeout, &within) {
            tracing::debug!(%error, "a connection may stay as long as it likes");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, within);
}

/// As many files as this process may have at all: each connection is one, and the usual limit is for other programs.
pub(crate) fn allow_many() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    async fn house() -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let slow = get(async || {
            sleep(Duration::from_secs(3)).await;
            "late"
        });
        let (end, told) = oneshot::channel();
        let serving = serve(listener, Router::new().route("/", slow), async {
            let _ = told.await;
        });
        (addr, end, tokio::spawn(serving))
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        all
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nobody_asks_is_ended() {
        let (addr, _end, _) = house().await;
        for asked in ["", "GET / HTTP/1.1\r\nhost: a\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"] {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let since = Instant::now();
            stream.write_all(asked.as_bytes()).await.unwrap();
            let answer = rest(stream).await;
            assert_eq!(answer.ends_with("late"), asked.ends_with("\r\n\r\n"), "{answer}");
            assert!(since.elapsed() >= HEAD_WITHIN, "{asked:?}");
        }
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_connection_on_which_nobody_reads_is_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let more_than_fits = get(async || vec![b'a'; 64 << 20]);
        let (end, told) = oneshot::channel();
        let app = Router::new().route("/", more_than_fits);
        let serving = tokio::spawn(serve_who_reads_within(Duration::from_secs(1), listener, app, async {
            let _ = told.await;
        }));
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream.read_exact(&mut [0; 8]).await.unwrap();
        // Told to end, it waits for all that are under way.
        end.send(()).unwrap();
        serving.await.unwrap();
        assert!(stream.read_to_end(&mut Vec::new()).await.is_err(), "it was cut off");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_is_meant_for_nobody_is_not_read() {
        let (addr, _end, _) = house().await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let head = format!("GET / HTTP/1.1\r\nhost: a\r\ncookie: {}\r\n\r\n", "a".repeat(2 * LARGEST_HEAD));
        // It may be refused before all of it is sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 431");
    }

    #[tokio::test(start_paused = true)]
    async fn told_to_end_it_answers_what_is_under_way_and_takes_nothing_more() {
        let (addr, end, serving) = house().await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        end.send(()).unwrap();
        assert!(rest(stream).await.ends_with("late"));
        serving.await.unwrap();
        assert!(TcpStream::connect(addr).await.is_err());
    }
}
