//! A rehearsal of Twilio's voice cloud, on this machine: signalling for the unmodified Voice SDK, media, TwiML and a customer's phone.
//!
//! It shares no code with the product that is rehearsed and meets it only over the wire. It binds loopback, and for
//! browsers that send media from no loopback address, as Firefox does, one UDP socket more, deaf to other machines.

mod api;
mod clock;
mod cloud;
mod faults;
mod frames;
mod guard;
mod media;
mod phone;
mod settings;
mod sid;
mod signalling;
mod tls;
mod voice;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle, time};

pub use self::settings::{Account, Person, Settings};
use self::{
    cloud::Cloud,
    signalling::{insights, socket},
    tls::TlsListener,
};

/// How long open requests may take when the rehearsal ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why the rehearsal did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It plays a cloud without its safeguards, so no other machine may reach it.
    #[error("the rehearsal listens on loopback only, and {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address is in use, or may not be used.
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] io::Error),
    /// Audio cannot be carried.
    #[error("the media side cannot start")]
    Media(#[source] io::Error),
    /// No certificate could be made.
    #[error("TLS cannot start")]
    Tls(#[source] io::Error),
}

/// A running rehearsal. It goes on until it is stopped.
pub struct Rehearsal {
    cloud: Arc<Cloud>,
    addr: SocketAddr,
    tls_addr: Option<SocketAddr>,
    servers: Vec<JoinHandle<io::Result<()>>>,
}

/// Starts everything.
pub async fn start(settings: Settings) -> Result<Rehearsal, StartError> {
    let plain = bind(settings.addr).await?;
    let addr = plain.local_addr().map_err(|error| StartError::Bind(settings.addr, error))?;
    let tls = match settings.tls_addr {
        Some(addr) => Some(TlsListener::new(bind(addr).await?).map_err(StartError::Tls)?),
        None => None,
    };
    let tls_addr = tls.as_ref().and_then(|tls| axum::serve::Listener::local_addr(tls).ok());
    let cloud = Cloud::start(settings).await.map_err(StartError::Media)?;

    let mut servers = Vec::new();
    let serving =
        axum::serve(plain, plain_routes(cloud.clone())).with_graceful_shutdown(ended(cloud.clone()));
    servers.push(tokio::spawn(serving.into_future()));
    if let Some(tls) = tls {
        let serving =
            axum::serve(tls, tls_routes(cloud.clone())).with_graceful_shutdown(ended(cloud.clone()));
        servers.push(tokio::spawn(serving.into_future()));
    }
    tracing::info!(%addr, ?tls_addr, "rehearsal started");
    Ok(Rehearsal { cloud, addr, tls_addr, servers })
}

impl Rehearsal {
    /// Where the customer's phone, the HTTP API and plain signalling are.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where signalling is with TLS, if asked for.
    #[must_use]
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.tls_addr
    }

    /// Ends every call, closes every socket, and returns when that is done.
    pub async fn stop(self) {
        self.cloud.end();
        for server in self.servers {
            let abort = server.abort_handle();
            if time::timeout(GOODBYE, server).await.is_err() {
                abort.abort();
            }
        }
    }
}

fn plain_routes(cloud: Arc<Cloud>) -> Router {
    let guarded = api::routes().merge(phone::routes()).layer(middleware::from_fn(guard::own_origin));
    signalling_routes().merge(guarded).layer(middleware::from_fn(guard::own_host)).with_state(cloud)
}

fn tls_routes(cloud: Arc<Cloud>) -> Router {
    signalling_routes().layer(middleware::from_fn(guard::own_or_twilio_host)).with_state(cloud)
}

fn signalling_routes() -> Router<Arc<Cloud>> {
    let report = || post(insights::accept).options(insights::preflight);
    Router::new()
        .route("/signal", get(socket::open))
        .route("/v4/EndpointEvents", report())
        .route("/v4/EndpointMetrics", report())
}

async fn bind(addr: SocketAddr) -> Result<TcpListener, StartError> {
    if !addr.ip().is_loopback() {
        return Err(StartError::NotLoopback(addr));
    }
    TcpListener::bind(addr).await.map_err(|error| StartError::Bind(addr, error))
}

async fn ended(cloud: Arc<Cloud>) {
    let mut ending = cloud.ending.subscribe();
    drop(ending.wait_for(|ending| *ending).await);
}
