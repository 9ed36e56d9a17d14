//! The port to the server: what a server function of the console may ask.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Identity;
use serde::{Deserialize, Serialize};

/// An access token for one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The identity that was asked for, as the company writes it.
    pub identity: Identity,
    /// The JWT for Twilio's SDK.
    pub token: String,
}

/// What a server function may ask of the server. Provided through Leptos' context as [`AnyDesk`].
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// A fresh token, good for incoming calls only.
    ///
    /// # Errors
    /// The token could not be signed; the reason is in the server's log.
    async fn token(&self, identity: Identity) -> Result<AccessToken, Unavailable>;
}

/// The desk as it travels through the context.
pub type AnyDesk = Arc<dyn Desk>;

/// The server cannot do that now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;
