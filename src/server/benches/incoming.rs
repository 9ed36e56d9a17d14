//! `/incoming` a second, with a million customers: next to the same with a directory that asks nobody, and next to a bare
//! axum route that returns the same bytes.
//!
//! Each server is a process of its own, so that its processor time and memory are its own; they are asked in turn, round by
//! round, and compared round by round, because a machine's speed drifts. For every request the signature is checked, the
//! directory asked, and the call's record on disk before the answer. Processor time per request is the steadiest figure.

mod customers;
mod load;

use std::env;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use directory::{Directory, Entry, Guarded, Indexed, PhoneNumber, Region, Silent};
use domain::Identity;
use hmac::{Hmac, KeyInit as _, Mac as _};
use records::Ledger;
use server::chance::Chance;
use server::clock::Clock;
use server::kept::Kept;
use server::late::Late;
use server::policy::Signalling;
use server::settings::{Account, BaseUrl};
use server::site::Site;
use server::token::TokenDesk;
use server::voice::{Reception, Signatures};
use server::{Parts, router};
use sha1::Sha1;
use tokio::net::{TcpListener, TcpStream};

use crate::load::{Figures, Server, ask, say};

const PUBLIC: &str = "https://calls.example.com";
const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_millis(1000);
const ROUND: Duration = Duration::from_secs(2);
const FEW: usize = 10_000;
const MANY: usize = 1_000_000;
/// Far more calls than any company has, and far fewer than it can answer.
const PACE: u32 = 2_000;
/// Different calls of different customers; more would not fit into memory with their forms.
const REQUESTS: usize = 50_000;
/// Two customers who call one after the other: spread over all of them, so that no part of the table is warmer than another.
const APART: usize = 7919;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments[1..] {
        ["serve-own", folder] => {
            runtime.block_on(async { serve(hitoku(Path::new(folder), true).await?).await })
        }
        ["serve-stub", folder] => {
            runtime.block_on(async { serve(hitoku(Path::new(folder), false).await?).await })
        }
        ["serve-bare", answer] => runtime.block_on(serve(bare(answer.to_owned()))),
        _ => tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(compare()),
    }
}

/// Knows everybody, without asking. Each caller is another customer, as with a directory: what is kept costs the same then.
struct Stub {
    operator: Identity,
    callers: AtomicUsize,
}

#[async_trait]
impl Directory for Stub {
    async fn look_up(&self, _: &PhoneNumber) -> Result<Option<Entry>, Silent> {
        let at = self.callers.fetch_add(APART, Ordering::Relaxed) % MANY;
        let (customer_name, customer_id) = (Some(customers::name(at)), Some(customers::id(at)));
        Ok(Some(Entry { operator: self.operator.clone(), customer_name, customer_id }))
    }
}

/// The real router, with its own log at its ordinary level, written to nowhere.
async fn hitoku(folder: &Path, own: bool) -> Result<Router> {
    tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::sink).init();
    let account = Account {
        account_sid: "AC00000000000000000000000000000000".to_owned(),
        api_key_sid: "SK00000000000000000000000000000000".to_owned(),
        api_key_secret: "secret".into(),
        auth_tokens: vec![AUTH_TOKEN.into()],
    };
    let public = BaseUrl::parse(PUBLIC).context("an address")?;
    let signatures = Signatures::new(&account.auth_tokens, &public)?;
    let keeping = customers::keeping(folder)?;
    let kept = Kept::open(&keeping).await?;
    let ledger = Ledger::open(&keeping.folder, kept.customers.audit())?;
    let directory = match own {
        true => {
            let in_folder = keeping.folder.clone();
            let indexed = Late::here(kept.customers.clone()).map(move |all| Indexed::new(all, &in_folder));
            while !indexed.now().is_some_and(|indexed| indexed.is_current()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Guarded::without_memory(indexed, Region::JAPAN)
        }
        false => {
            let operator = Identity::parse("user001").ok().context("an identity")?;
            Guarded::without_memory(Stub { operator, callers: AtomicUsize::new(0) }, Region::JAPAN)
        }
    };
    let clock = Clock::of_the_machine();
    Ok(router(Parts {
        desk: Arc::new(TokenDesk::new(&account, 3600, ledger.clone(), clock.clone())),
        allowed_origins: vec![],
        signatures,
        reception: Reception {
            directory,
            aliases: Late::here(kept.customers.aliases()),
            unknown_callers: None,
            ledger: Arc::new(ledger),
            public,
            chance: Chance::of_the_machine(),
            clock,
        },
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
    let folders = tempfile::tempdir()?;
    let folder = |name: &str| folders.path().join(name).display().to_string();
    customers::import(Path::new(&folder("few")), FEW).await?;
    customers::import(Path::new(&folder("many")), MANY).await?;
    let requests = Arc::new((0..REQUESTS).map(|at| request(at, true)).collect::<Vec<_>>());
    // Of a call without a name nothing is kept.
    let nameless = Arc::new((0..FEW).map(|at| request(at, false)).collect::<Vec<_>>());

    let own = Server::start(&["serve-own", &folder("many")])?;
    let (mut stream, mut buffer) = (TcpStream::connect(own.addr).await?, Vec::new());
    let answer = ask(&mut stream, &requests[0], &mut buffer).await?;
    ensure!(answer.contains("<Dial"), "/incoming does not dial: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
    let stub = Server::start(&["serve-stub", &folder("stub")])?;
    let bare = Server::start(&["serve-bare", body])?;
    for server in [&stub, &bare] {
        server.load(&nameless, WARM_UP).await?;
    }
    // These first, since what is kept of a load is written into the database for longer than the load takes.
    let mut unkept = vec![];
    for _ in 0..ROUNDS {
        unkept.push((stub.load(&nameless, ROUND).await?, bare.load(&nameless, ROUND).await?));
    }
    let mut paced = vec![];
    for _ in 0..=ROUNDS {
        paced.push(own.paced(&requests, ROUND, PACE).await?);
    }
    paced.remove(0);
    for server in [&own, &stub] {
        server.load(&requests, WARM_UP).await?;
    }
    let mut rounds = vec![];
    for _ in 0..ROUNDS {
        rounds.push(Round {
            paced: paced.remove(0),
            own: own.load(&requests, ROUND).await?,
            stub: stub.load(&requests, ROUND).await?,
            unkept: unkept.remove(0),
            bare: bare.load(&requests, ROUND).await?,
        });
    }
    say(&format!("{:<36}{:>10}{:>10}{:>10}{:>14}", "", "req/s", "p50 ms", "p99 ms", "CPU µs/req"));
    let row = |name: &str, of: &dyn Fn(&Round) -> Figures| {
        say(&format!(
            "{name:<36}{:>10.0}{:>10.2}{:>10.2}{:>14.1}",
            median(&rounds, &|round| of(round).per_second),
            median(&rounds, &|round| of(round).p50_ms),
            median(&rounds, &|round| of(round).p99_ms),
            median(&rounds, &|round| of(round).cpu_us),
        ));
    };
    row("/incoming, a million customers", &|round| round.own);
    row(&format!("the same, {PACE} a second"), &|round| round.paced);
    row("the same, the directory stubbed", &|round| round.stub);
    row("the same, and nothing kept", &|round| round.unkept.0);
    row("a bare route, the same bytes", &|round| round.bare);
    let ratio = |name: &str, of: &dyn Fn(&Round) -> (Figures, Figures)| {
        let rate = median(&rounds, &|round| of(round).0.per_second / of(round).1.per_second);
        let cpu = median(&rounds, &|round| of(round).0.cpu_us / of(round).1.cpu_us);
        say(&format!("{name:<36}{rate:>10.2}{cpu:>34.2}"));
    };
    ratio("ratio to the stub, round by round", &|round| (round.own, round.stub));
    ratio("ratio to the bare route", &|round| (round.own, round.bare));
    ratio("nothing kept, to the bare route", &|round| round.unkept);

    let few = Server::start(&["serve-own", &folder("few")])?;
    few.load(&Arc::new(requests[..FEW].to_vec()), WARM_UP + ROUND * u32::try_from(ROUNDS)?).await?;
    say(&format!("\n{:<48} {:.1} MiB", "memory after that load, ten thousand customers", few.resident_mib()));
    say(&format!("{:<48} {:.1} MiB", "memory after that load, a million", own.resident_mib()));
    Ok(())
}

struct Round {
    own: Figures,
    paced: Figures,
    stub: Figures,
    /// And the bare route just after it.
    unkept: (Figures, Figures),
    bare: Figures,
}

fn median(rounds: &[Round], figure: &dyn Fn(&Round) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A form as Twilio sends it, signed as Twilio signs it: one call of one customer, with or without its name.
fn request(at: usize, named: bool) -> Vec<u8> {
    let call_sid = if named { format!("CA{at:032x}") } else { String::new() };
    let number = customers::number(at.wrapping_mul(APART) % if at < FEW { FEW } else { MANY });
    let form = [
        ("AccountSid", "AC00000000000000000000000000000000"),
        ("ApiVersion", "2010-04-01"),
        ("CallSid", &call_sid),
        ("CallStatus", "ringing"),
        ("Called", "+15005550006"),
        ("CalledCity", ""),
        ("CalledCountry", "US"),
        ("CalledState", ""),
        ("CalledZip", ""),
        ("Caller", &number),
        ("CallerCountry", "US"),
        ("Direction", "inbound"),
        ("From", &number),
        ("FromCountry", "US"),
        ("StirVerstat", "TN-Validation-Passed-A"),
        ("To", "+15005550006"),
        ("ToCountry", "US"),
        ("ToState", ""),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut mac = Hmac::<Sha1>::new_from_slice(AUTH_TOKEN.as_bytes())
        .unwrap_or_else(|_| unreachable!("any key is one"));
    mac.update(format!("{PUBLIC}/incoming").as_bytes());
    for (name, value) in form {
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
