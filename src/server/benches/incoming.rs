//! `/incoming` a second, next to a bare axum route that returns the same bytes.
//!
//! Each server is a process of its own, so that its processor time and memory are its own; the two are asked in turn, round
//! by round, and compared round by round, because a machine's speed drifts. The signature is checked and the directory asked
//! for every request. Processor time per request is the steadiest figure.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use directory::Demonstration;
use hmac::{Hmac, KeyInit as _, Mac as _};
use server::chance::Chance;
use server::clock::Clock;
use server::policy::Signalling;
use server::settings::{Account, BaseUrl};
use server::site::Site;
use server::token::TokenDesk;
use server::voice::{Reception, Signatures};
use server::{Parts, router};
use sha1::Sha1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const PUBLIC: &str = "https://calls.example.com";
const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_millis(500);
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;
const LONGEST_ANSWER: usize = 16 * 1024;

/// What Twilio posts when a call comes in, from a number reserved for fiction.
const FORM: [(&str, &str); 18] = [
    ("AccountSid", "AC00000000000000000000000000000000"),
    ("ApiVersion", "2010-04-01"),
    ("CallSid", "CA00000000000000000000000000000000"),
    ("CallStatus", "ringing"),
    ("Called", "+15005550006"),
    ("CalledCity", ""),
    ("CalledCountry", "US"),
    ("CalledState", ""),
    ("CalledZip", ""),
    ("Caller", "+447700900101"),
    ("CallerCountry", "GB"),
    ("Direction", "inbound"),
    ("From", "+447700900101"),
    ("FromCountry", "GB"),
    ("StirVerstat", "TN-Validation-Passed-A"),
    ("To", "+15005550006"),
    ("ToCountry", "US"),
    ("ToState", ""),
];

fn main() -> Result<()> {
    let runtime = |workers: usize| match workers {
        0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
    };
    match env::args().nth(1).as_deref() {
        Some("serve-hitoku") => runtime(1)?.block_on(serve(hitoku()?)),
        Some("serve-bare") => runtime(1)?.block_on(serve(bare(env::args().nth(2).context("the bytes")?))),
        _ => runtime(0)?.block_on(compare()),
    }
}

/// The real router, with the demonstration directory and its own log at its ordinary level, written to nowhere.
fn hitoku() -> Result<Router> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::sink).init();
    let account = Account {
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        api_key_sid: "SK00000000000000000000000000000000".to_owned(),
        api_key_secret: "secret".into(),
        auth_token: AUTH_TOKEN.into(),
    };
    let public = BaseUrl::parse(PUBLIC).context("an address")?;
    let signatures = Signatures::new(&account.auth_token, &public)?;
    Ok(router(Parts {
        desk: Arc::new(TokenDesk::new(&account, 3600, Clock::of_the_machine())),
        allowed_origins: vec![],
        signatures,
        reception: Reception::new(Arc::new(Demonstration::new()), public, Chance::of_the_machine()),
        signalling: Signalling::Twilio,
        site: Site::carried_or("target/site".into()),
        live_reload: None,
        secure: true,
    }))
}

/// As little as a server can do: it reads the body and returns the same bytes.
fn bare(answer: String) -> Router {
    let answer = axum::body::Bytes::from(answer);
    let route = move |_: axum::body::Bytes| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "text/xml; charset=utf-8")], answer) }
    };
    Router::new().route("/incoming", post(route))
}

async fn serve(app: Router) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&listener.local_addr()?.to_string());
    axum::serve(listener, app).await?;
    Ok(())
}

async fn compare() -> Result<()> {
    let hitoku = Server::start(&["serve-hitoku"])?;
    let (mut stream, mut buffer) = (TcpStream::connect(hitoku.addr).await?, Vec::new());
    let answer = ask(&mut stream, &request(), &mut buffer).await?;
    ensure!(answer.contains("<Dial"), "/incoming does not dial: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
    let bare = Server::start(&["serve-bare", body])?;
    for server in [&hitoku, &bare] {
        server.load(WARM_UP).await?;
    }
    let mut rounds = vec![];
    for _ in 0..ROUNDS {
        rounds.push((hitoku.load(ROUND).await?, bare.load(ROUND).await?));
    }
    let median = |figure: &dyn Fn(&(Figures, Figures)) -> f64| {
        let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    say(&format!("{:<30}{:>10}{:>10}{:>10}{:>14}", "", "req/s", "p50 ms", "p99 ms", "CPU µs/req"));
    let row = |name: &str, of: &dyn Fn(&(Figures, Figures)) -> Figures| {
        say(&format!(
            "{name:<30}{:>10.0}{:>10.2}{:>10.2}{:>14.1}",
            median(&|round| of(round).per_second),
            median(&|round| of(round).p50_ms),
            median(&|round| of(round).p99_ms),
            median(&|round| of(round).cpu_us),
        ));
    };
    row("/incoming", &|round| round.0);
    row("a bare route, the same bytes", &|round| round.1);
    say(&format!(
        "{:<30}{:>10.2}{:>34.2}",
        "ratio, round by round",
        median(&|(ours, theirs)| ours.per_second / theirs.per_second),
        median(&|(ours, theirs)| ours.cpu_us / theirs.cpu_us),
    ));
    Ok(())
}

/// A server in a process of its own, ended with this value.
struct Server {
    process: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("it says where it is")?).read_line(&mut line)?;
        Ok(Self { addr: line.trim().parse()?, process })
    }

    /// Asks over and over, on all connections at once.
    async fn load(&self, time: Duration) -> Result<Figures> {
        let request: Arc<[u8]> = request().into();
        let (cpu, since) = (self.cpu_us(), now());
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (addr, request) = (self.addr, request.clone());
                tokio::spawn(async move {
                    let mut stream = TcpStream::connect(addr).await?;
                    stream.set_nodelay(true)?;
                    let (mut took, mut buffer) = (vec![], Vec::with_capacity(LONGEST_ANSWER));
                    while since.elapsed() < time {
                        let asked = now();
                        let answer = ask(&mut stream, &request, &mut buffer).await?;
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

#[derive(Clone, Copy)]
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// One request on a connection that stays open, and its whole answer.
async fn ask<'a>(
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

/// The form as Twilio sends it, signed as Twilio signs it.
fn request() -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(FORM).finish();
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes())
        .unwrap_or_else(|_| unreachable!("any key is one"));
    mac.update(format!("{PUBLIC}/incoming").as_bytes());
    for (name, value) in FORM {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    format!(
        "POST /incoming HTTP/1.1\r\nhost: calls.example.com\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         accept: */*\r\nuser-agent: TwilioProxy/1.1\r\nx-twilio-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "what is measured here is time itself")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "figures are for whoever asked for them")]
fn say(line: &str) {
    println!("{line}");
}
