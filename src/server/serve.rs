//! Serving: composes the parts as the settings say, and ends when it is told to.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use directory::{By, Company, Customers, Demonstration, Directory as _, Guarded, Indexed};
use records::audit::Actor;
use records::{CannotOpen, Ledger};
use rehearsal::Rehearsal;
use secrecy::ExposeSecret as _;
use server::chance::Chance;
use server::clock::Clock;
use server::kept::Kept;
use server::late::Late;
use server::policy::Signalling;
use server::settings::{Account, BaseUrl, Cloud, Settings, Source};
use server::site::Site;
use server::token::TokenDesk;
use server::voice::{Reception, Signatures, to_be_told};
use server::{Parts, router};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::connections;

/// The number that customers of a rehearsal dial: Twilio's own test number.
const REHEARSAL_NUMBER: &str = "+15005550006";
/// Some megabytes.
const LOG_LINES: usize = 16_384;
/// How long answers under way may take when the server ends.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long the database may take then for what is in the journal. Nobody listens meanwhile, and the next server goes on with it.
const SETTLED_WITHIN: Duration = Duration::from_secs(1);

/// Serves, and logs on standard error.
pub(crate) async fn logged() -> anyhow::Result<()> {
    let settings = Settings::read(&Source::of_the_process())?;
    let colours = std::io::stderr().is_terminal();
    // A log that nobody reads loses lines, and holds no caller up.
    let log = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LOG_LINES).thread_name("log");
    let (log, _until_written) = log.finish(std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(log).with_ansi(colours);
    tracing_subscriber::registry()
        .with(settings.log.clone())
        .with(lines.with_filter(filter_fn(may_be_logged)))
        .init();
    serve(settings).await
}

/// A socket's frames never are, whatever is asked for: in rehearsal the customer's phone sends its number over one.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    let socket = ["tungstenite", "tokio_tungstenite"].iter().any(|name| metadata.target().starts_with(name));
    !socket || *metadata.level() <= Level::INFO
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    connections::allow_many();
    let addr = settings.listen.addr;
    let listener = TcpListener::bind(addr)
        .await
        .with_context(|| format!("HITOKU_ADDR: cannot listen on {addr}; choose another address with it"))?;
    let addr = listener.local_addr()?;
    let (chance, clock) = (Chance::of_the_machine(), Clock::of_the_machine());
    let keeping = Arc::new(settings.keeping);
    let kept = Kept::open_in_time(keeping.clone()).await?;
    let ledger = open_ledger(&keeping.folder, &kept).await.context("HITOKU_DATA")?;
    let (account, public, rehearsal) = match settings.cloud {
        Cloud::Twilio { account, public } => {
            if !public.is_secure() {
                tracing::warn!(%public, "PUBLIC_BASE_URL is not https: browsers give no microphone to its page");
            }
            (account, public, None)
        }
        Cloud::Rehearsal { addr: its_addr } => {
            let account = invented(&chance);
            let public = BaseUrl::of_local(addr);
            let demonstration = Demonstration::new();
            if let Some(kept) = kept.now().filter(|_| keeping.for_demonstration) {
                kept.demonstrate(&demonstration, &By { actor: Actor::Hitoku, at: clock.now() }).await?;
            }
            // What the company's API would say is not asked before somebody calls.
            let directory = kept.now().filter(|_| settings.company.is_none());
            let people = callers(&demonstration, directory.map(|kept| kept.customers)).await;
            let rehearsal = rehearse(its_addr, &account, &public, people).await?;
            (account, public, Some(rehearsal))
        }
    };
    let signalling = match &rehearsal {
        Some(rehearsal) => Signalling::Rehearsal(rehearsal.addr().to_string()),
        None => Signalling::Twilio,
    };
    if let Some(base) = settings.company.as_ref().filter(|base| base.is_overheard()) {
        tracing::warn!(%base, "INTERNAL_API_BASE is not https: each caller's number can be read on its way there");
    }
    let directory = match &settings.company {
        Some(base) => Guarded::new(Company::new(base.url()).context("INTERNAL_API_BASE")?, keeping.region),
        None => Guarded::without_memory(indexed(&kept, &keeping.folder), keeping.region),
    };
    let app = router(Parts {
        desk: Arc::new(TokenDesk::new(&account, settings.tokens.ttl_seconds, ledger.clone(), clock.clone())),
        allowed_origins: settings.tokens.allowed_origins,
        signatures: Signatures::new(&account.auth_tokens, &public)?,
        reception: Reception {
            directory,
            aliases: kept.map(|kept| kept.customers.aliases()),
            unknown_callers: keeping.unknown_callers.clone(),
            ledger: Arc::new(ledger.clone()),
            public: public.clone(),
            chance,
            clock,
        },
        signalling,
        site: Site::carried_or(settings.listen.site_root),
        live_reload: settings.listen.live_reload,
        secure: public.is_secure(),
    });
    // Before anybody is told that it serves: who then ends it would otherwise cut it off.
    let told = told_to_end();
    // Where it cannot be written, callers are answered all the same.
    let _ = writeln!(io::stdout(), "{}", banner(addr, &public, rehearsal.as_ref()));

    let (ending, mut ended) = tokio::sync::watch::channel(false);
    let serving = connections::serve(listener, app, async move {
        told.await;
        tracing::info!("ending");
        ending.send_replace(true);
    });
    tokio::select! {
        () = serving => {}
        () = async {
            let _ = ended.wait_for(|ended| *ended).await;
            tokio::time::sleep(GOODBYE).await;
        } => tracing::warn!("some answers took too long and were cut"),
    }
    if let Some(rehearsal) = rehearsal {
        rehearsal.stop().await;
    }
    if let Err(unsettled) = ledger.close(SETTLED_WITHIN).await {
        tracing::warn!("{unsettled}");
    }
    Ok(())
}

/// The customers, with an index to them that is made from now on, or as soon as somebody calls when they are there.
fn indexed(kept: &Late<Kept>, folder: &Path) -> Late<Indexed> {
    let folder = folder.to_owned();
    let indexed = kept.clone().map(move |kept| Indexed::new(kept.customers, &folder));
    let _begun = indexed.now();
    indexed
}

/// One that is about to end may still have the journal, as when a server is restarted: it is waited for.
async fn open_ledger(folder: &Path, kept: &Late<Kept>) -> Result<Ledger, CannotOpen> {
    let waiting = Instant::now() + GOODBYE * 2;
    loop {
        let audit = kept.clone().wait();
        match Ledger::open_before(folder, async { audit.await.map(|kept| kept.customers.audit()) }) {
            Err(CannotOpen::Taken(_)) if Instant::now() < waiting => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => return opened,
        }
    }
}

/// Starts the stand-in of Twilio's cloud, which calls us back as Twilio would.
async fn rehearse(
    addr: SocketAddr,
    account: &Account,
    public: &BaseUrl,
    people: Vec<rehearsal::Person>,
) -> anyhow::Result<Rehearsal> {
    let auth_token = account.auth_tokens.first().context("an account has an auth token")?;
    let settings = rehearsal::Settings {
        addr,
        tls_addr: None,
        account: rehearsal::Account {
            account_sid: account.account_sid.clone(),
            auth_token: auth_token.expose_secret().to_owned(),
            api_key_sid: account.api_key_sid.clone(),
            api_key_secret: account.api_key_secret.expose_secret().to_owned(),
        },
        number: REHEARSAL_NUMBER.to_owned(),
        voice_url: format!("{public}/incoming"),
        voice_fallback_url: None,
        status_callback_url: Some(format!("{public}/status")),
        people,
    };
    rehearsal::start(settings)
        .await
        .context("REHEARSAL_ADDR: the rehearsal cannot start; choose another address with it")
}

/// Who can call, and whose customers they are now: they may have been given to somebody else, or erased.
#[expect(clippy::disallowed_methods, reason = "a customer's own phone knows its number")]
async fn callers(demonstration: &Demonstration, customers: Option<Customers>) -> Vec<rehearsal::Person> {
    let mut callers = vec![];
    for person in demonstration.people() {
        let found = match &customers {
            Some(customers) => customers.look_up(&person.number).await.ok().flatten(),
            None => None,
        };
        callers.push(rehearsal::Person {
            label: person.label.clone(),
            number: person.number.expose().to_owned(),
            operator: found.map(|found| found.operator.to_string()),
        });
    }
    callers
}

/// An account that exists until this process ends.
fn invented(chance: &Chance) -> Account {
    Account {
        account_sid: format!("AC{}", chance.hex::<16>()),
        api_key_sid: format!("SK{}", chance.hex::<16>()),
        api_key_secret: chance.hex::<16>().into(),
        auth_tokens: vec![chance.hex::<16>().into()],
    }
}

fn banner(addr: SocketAddr, public: &BaseUrl, rehearsal: Option<&Rehearsal>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let port = addr.port();
    let Some(rehearsal) = rehearsal else {
        return format!(
            "\n  Hitoku {version}\n\n  listening on      http://{addr}\n  console           {public}/\n\n  \
             Twilio must be told, at your number's voice configuration:\n{}",
            to_be_told(public).map(|(name, value)| format!("  {name:<24}{value}\n")).concat()
        );
    };
    let phone = rehearsal.addr().port();
    format!(
        "\n  Hitoku {version}, in rehearsal: no Twilio account is configured\n\n  \
         console           http://localhost:{port}\n  customer's phone  http://localhost:{phone}\n"
    )
}

/// Listens from now on, not only when somebody waits for it.
fn told_to_end() -> impl Future<Output = ()> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::filter::EnvFilter;

    use super::*;

    #[test]
    fn no_directive_logs_a_sockets_frames() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let asked = EnvFilter::new("trace,tungstenite::protocol=trace,tokio_tungstenite[x]=trace");
        let to = said.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || To(to.clone()));
        let log =
            tracing_subscriber::registry().with(asked).with(layer.with_filter(filter_fn(may_be_logged)));
        tracing::subscriber::with_default(log, || {
            tracing::trace!(target: "tungstenite::protocol", "a frame");
            tracing::debug!(target: "tokio_tungstenite::compat", "a frame");
            tracing::warn!(target: "tungstenite::protocol", "a fault");
            tracing::trace!(target: "server", "something");
        });
        let said = String::from_utf8(said.lock().unwrap().clone()).unwrap();
        assert!(
            !said.contains("a frame") && said.contains("a fault") && said.contains("something"),
            "{said}"
        );
    }

    struct To(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for To {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
