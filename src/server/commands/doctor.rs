//! What is wrong, and how to mend it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use nix::sys::statvfs::statvfs;
use reqwest::header::DATE;
use server::clock::Clock;
use server::kept::Kept;
use server::settings::{BaseUrl, Cloud, Keeping, Settings, Source};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::say;

/// Something that was looked at.
enum Finding {
    Good(String),
    /// It works, but.
    Mind(String),
    /// It does not work.
    Bad(String),
}

use Finding::{Bad, Good, Mind};

const PATIENCE: Duration = Duration::from_secs(5);
/// Whose clock judges our tokens.
const TWILIO: &str = "https://api.twilio.com/";
/// Tokens of a clock that is further off are refused.
const FAR_OFF_S: i64 = 60;
const OFF_S: i64 = 5;
const LITTLE_SPACE: u64 = 200 << 20;

/// Looks at everything, and fails if anything does not work.
pub(crate) async fn run() -> anyhow::Result<()> {
    let settings = match Settings::read(&Source::of_the_process()) {
        Ok(settings) => settings,
        Err(problem) => {
            tell(&Bad(format!("settings: {problem}")));
            bail!("one thing is to be mended, and the others cannot be looked at before");
        }
    };
    let mut findings = vec![Good("settings: each is what it should be".to_owned())];
    findings.push(folder(&settings.keeping.folder));
    findings.extend(kept(&settings.keeping).await);
    if let Some(base) = &settings.company {
        findings.push(company(base).await);
    }
    match &settings.cloud {
        Cloud::Rehearsal { .. } => {
            findings.push(Good("Twilio: no account is configured, so calls are rehearsed".to_owned()));
        }
        Cloud::Twilio { public, .. } => {
            findings.push(clock(TWILIO).await);
            findings.push(reached(public).await);
            findings.push(Good(format!(
                "Twilio must be told, at the number's voice configuration: A call comes in: Webhook, {public}/incoming, HTTP POST; \
                 Call status changes: {public}/status, HTTP POST"
            )));
        }
    }
    findings.iter().for_each(tell);
    match findings.iter().filter(|finding| matches!(finding, Bad(_))).count() {
        0 => Ok(()),
        1 => bail!("one thing is to be mended"),
        count => bail!("{count} things are to be mended"),
    }
}

fn tell(finding: &Finding) {
    let (sign, text) = match finding {
        Good(text) => ("✓", text),
        Mind(text) => ("!", text),
        Bad(text) => ("✗", text),
    };
    say(&format!("{sign} {text}"));
}

fn folder(folder: &Path) -> Finding {
    let shown = folder.display();
    let Ok(metadata) = std::fs::metadata(folder) else {
        return Good(format!("data folder: {shown} is not there yet, and will be made"));
    };
    if metadata.mode() & 0o022 != 0 {
        return Bad(format!("data folder: others may write to {shown}; say `chmod 700 {shown}`"));
    }
    let free = statvfs(folder).map(|disk| disk.blocks_available() * disk.fragment_size());
    match free {
        Ok(free) if free < LITTLE_SPACE => {
            Mind(format!("data folder: {shown} has {} MiB left; free some space", free >> 20))
        }
        _ => Good(format!("data folder: {shown}")),
    }
}

async fn kept(keeping: &Keeping) -> Vec<Finding> {
    let kept = match Kept::open(keeping).await {
        Ok(kept) => kept,
        Err(error) => return vec![Bad(format!("database: {error:#}"))],
    };
    let mut findings = vec![match kept.customers.count().await {
        Ok(0) => Mind(format!(
            "database: {}; nobody is in it yet: hitoku customers import FILE.csv",
            keeping.place
        )),
        Ok(count) => Good(format!("database: {}; {count} customers", keeping.place)),
        Err(error) => Bad(format!("database: {error}")),
    }];
    findings.push(match writable(&kept).await {
        Ok(()) => Good("database: it can be written".to_owned()),
        Err(error) => Bad(format!("database: {error}")),
    });
    if let Ok(Some(theirs)) = kept.database.clock().await {
        let ours = i64::try_from(Clock::of_the_machine().now()).unwrap_or_default();
        findings.push(difference("the database's", (theirs - ours) / 1000));
    }
    findings.push(keys(&kept));
    findings.push(match kept.customers.audit().verify().await {
        Ok(verdict) if verdict.is_sound() => Good(format!(
            "audit trail: {} entries, each as it was written; head {}",
            verdict.entries, verdict.head
        )),
        Ok(verdict) => Bad(format!(
            "audit trail: {}; `hitoku audit verify` names all of it, and a backup shows what was there",
            verdict.faults.first().map(ToString::to_string).unwrap_or_default()
        )),
        Err(error) => Bad(format!("audit trail: {error}")),
    });
    findings
}

async fn writable(kept: &Kept) -> Result<(), database::Failure> {
    let mut transaction = kept.database.begin().await?;
    let same = "UPDATE journals SET written = written WHERE name = ''";
    transaction.run(database::Query::new(same)).await?;
    transaction.commit().await
}

fn keys(kept: &Kept) -> Finding {
    let keys = kept.customers.keys();
    let names = keys.names().join(", ");
    match (keys.names().len(), keys.file()) {
        (1, Some(file)) => Good(format!(
            "keys: {names}, in {}; without that file nobody can read the numbers again: keep a copy, and not with the \
             database's",
            file.display()
        )),
        (1, None) => Good(format!("keys: {names}, given by NUMBER_KEY; keep a copy elsewhere")),
        (_, Some(_)) => Mind(format!("keys: {names}; a rotation has begun: say `hitoku keys rotate` again")),
        (_, None) => Mind(format!(
            "keys: {names}; when `hitoku keys rotate` is done, keep only the first in NUMBER_KEY"
        )),
    }
}

async fn company(base: &BaseUrl) -> Finding {
    // Not asked for a number: there is none that would be nobody's.
    match asked(base.as_str()).await {
        Ok(answer) => {
            Good(format!("INTERNAL_API_BASE: {base} answers (status {})", answer.status().as_u16()))
        }
        Err(why) => Bad(format!(
            "INTERNAL_API_BASE: {base} does not answer ({why}); check the address, and the way from this machine to it"
        )),
    }
}

async fn clock(reference: &str) -> Finding {
    let date = match asked(reference).await {
        Ok(answer) => answer.headers().get(DATE).and_then(|date| read(date.to_str().ok()?)),
        Err(why) => {
            return Mind(format!(
                "clock: {reference} does not answer ({why}), so the clock was not compared with it"
            ));
        }
    };
    let Some(theirs) = date else {
        return Mind(format!("clock: {reference} does not say what time it is"));
    };
    let ours = i64::try_from(Clock::of_the_machine().seconds()).unwrap_or_default();
    difference("Twilio's", theirs - ours)
}

fn difference(whose: &str, seconds: i64) -> Finding {
    let mend = "set the clock by NTP (`timedatectl set-ntp true`)";
    match seconds.abs() {
        0..=OFF_S => Good(format!("clock: as {whose}")),
        off if off <= FAR_OFF_S => Mind(format!("clock: {off} seconds off {whose}; {mend}")),
        off => Bad(format!("clock: {off} seconds off {whose}: Twilio will refuse tokens; {mend}")),
    }
}

/// `Tue, 31 Aug 2010 20:36:28 GMT`, in seconds.
fn read(date: &str) -> Option<i64> {
    Some(OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()?.unix_timestamp())
}

async fn reached(public: &BaseUrl) -> Finding {
    let address = format!("{public}/healthz");
    match asked(&address).await {
        Ok(answer) if answer.status().is_success() => {
            let ours = answer.text().await.is_ok_and(|text| text.trim() == "ok");
            if ours {
                Good(format!("PUBLIC_BASE_URL: {public} reaches Hitoku"))
            } else {
                Bad(format!(
                    "PUBLIC_BASE_URL: at {public} something else than Hitoku answers; check the proxy"
                ))
            }
        }
        Ok(answer) => Bad(format!(
            "PUBLIC_BASE_URL: {address} answers with status {}; start Hitoku, and let the proxy pass everything on to it",
            answer.status().as_u16()
        )),
        Err(why) => Bad(format!(
            "PUBLIC_BASE_URL: {address} cannot be reached ({why}); check the name, the certificate and the proxy, and that \
             Hitoku runs"
        )),
    }
}

async fn asked(address: &str) -> Result<reqwest::Response, String> {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    let sent = client.build().map_err(|error| error.to_string())?.get(address).send().await;
    sent.map_err(|error| {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        causes.last().map_or_else(|| error.to_string(), ToString::to_string)
    })
}
