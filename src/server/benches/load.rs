//! Servers in processes of their own, and what asks them over and over.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
pub(crate) const LONGEST_ANSWER: usize = 16 * 1024;

/// A server in a process of its own, ended with this value.
pub(crate) struct Server {
    process: Child,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

impl Server {
    /// This program again, with these arguments; it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("it says where it is")?).read_line(&mut line)?;
        Ok(Self { addr: line.trim().parse()?, process })
    }

    /// Asks over and over, on all connections at once, as fast as it answers.
    pub(crate) async fn load(&self, requests: &Arc<Vec<Vec<u8>>>, time: Duration) -> Result<Figures> {
        self.asked(requests, time, None).await
    }

    /// Asks so often a second, on all connections in turn, however long it takes to answer.
    pub(crate) async fn paced(
        &self,
        requests: &Arc<Vec<Vec<u8>>>,
        time: Duration,
        per_second: u32,
    ) -> Result<Figures> {
        let every = Duration::from_secs(1) * u32::try_from(CONNECTIONS)? / per_second;
        self.asked(requests, time, Some(every)).await
    }

    /// Of these requests each connection begins at another, and asks again at once or every so often.
    async fn asked(
        &self,
        requests: &Arc<Vec<Vec<u8>>>,
        time: Duration,
        every: Option<Duration>,
    ) -> Result<Figures> {
        let (cpu, since) = (self.cpu_us(), now());
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let (addr, requests) = (self.addr, requests.clone());
                // Far apart, and elsewhere each time: a request is not to be one that has just been asked.
                let first =
                    since.elapsed().subsec_nanos() as usize + connection * requests.len() / CONNECTIONS;
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(addr).await?;
                    stream.set_nodelay(true)?;
                    let (mut took, mut buffer) = (vec![], Vec::with_capacity(LONGEST_ANSWER));
                    let mut due = since + every.unwrap_or_default() * connection as u32 / CONNECTIONS as u32;
                    for request in requests.iter().cycle().skip(first % requests.len()) {
                        // One that is due before the last was answered has waited since it was due.
                        let mut asked = now();
                        if let Some(every) = every {
                            if asked < due {
                                tokio::time::sleep_until(due.into()).await;
                                asked = now();
                            } else {
                                asked = due;
                            }
                            due += every;
                        }
                        if since.elapsed() >= time {
                            break;
                        }
                        let answer = ask(&mut stream, request, &mut buffer).await?;
                        ensure!(answer.starts_with("HTTP/1.1 200"), "it answered {answer}");
                        took.push(asked.elapsed());
                    }
                    Ok(took)
                })
            })
            .collect();
        let mut took = vec![];
        for one in asking {
            took.extend(one.await??);
        }
        let (cpu, seconds) = (self.cpu_us() - cpu, since.elapsed().as_secs_f64());
        took.sort_unstable();
        let count = took.len();
        let at = |share: f64| took[((count - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        Ok(Figures {
            per_second: count as f64 / seconds,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            cpu_us: cpu / count as f64,
        })
    }

    /// What it holds in memory, in MiB, where there is a `/proc`.
    pub(crate) fn resident_mib(&self) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches("kB").trim().parse().map_or(f64::NAN, |kib: f64| kib / 1024.0)
    }

    /// User and system time so far, in microseconds, where there is a `/proc`; a tick is a hundredth of a second on Linux.
    fn cpu_us(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks =
            |at: usize| after_name.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok());
        (ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) * 1e4
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a load has found.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) cpu_us: f64,
}

/// One request on a connection that stays open, and its whole answer.
pub(crate) async fn ask<'a>(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &'a mut Vec<u8>,
) -> Result<std::borrow::Cow<'a, str>> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        ensure!(stream.read_buf(buffer).await? > 0, "it closed the connection");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.context("an answer has a length")?.parse()?;
        if buffer.len() >= end + 4 + length {
            return Ok(String::from_utf8_lossy(buffer));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is time itself")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "figures are for whoever asked for them")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
