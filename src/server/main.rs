//! The server's program: reads the settings, composes the parts, serves until it is told to end.

use std::sync::Arc;

use server::chance::Chance;
use server::clock::Clock;
use server::policy::Signalling;
use server::settings::{Account, Cloud, Settings, Source};
use server::site::Site;
use server::token::TokenDesk;
use server::{Parts, router};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::read(&Source::of_the_process())?;
    let chance = Chance::of_the_machine();
    let (account, signalling, secure) = match settings.cloud {
        Cloud::Twilio { account, public } => (account, Signalling::Twilio, public.is_secure()),
        Cloud::Rehearsal { addr } => {
            let account = Account {
                account_sid: format!("AC{}", chance.hex::<16>()),
                api_key_sid: format!("SK{}", chance.hex::<16>()),
                api_key_secret: chance.hex::<16>().into(),
                auth_token: chance.hex::<16>().into(),
            };
            (account, Signalling::Rehearsal(addr.to_string()), false)
        }
    };
    let desk = Arc::new(TokenDesk::new(&account, settings.tokens.ttl_seconds, Clock::of_the_machine()));
    let listener = tokio::net::TcpListener::bind(settings.listen.addr).await?;
    let app = router(Parts {
        desk,
        signalling,
        site: Site::carried_or(settings.listen.site_root),
        live_reload: settings.listen.live_reload,
        secure,
    });
    axum::serve(listener, app).await?;
    Ok(())
}
