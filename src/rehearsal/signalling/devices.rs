//! Who is connected, as whom, and who wants to be rung.
//!
//! An identity may have several connections; each that registered is rung, in the order in which they connected.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;
use tokio::sync::mpsc;

use super::frame::ServerFrame;

/// One WebSocket. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnectionId(u64);

/// What a connection's task is asked to do.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Send it.
    Frame(ServerFrame),
    /// Drop the socket without a close handshake, as a lost network does.
    Cut,
    /// A leg of this identity ended: a connection that only waited for that may go.
    LegOver,
}

/// A connected device, as the HTTP API shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    identity: String,
    registered: bool,
    token_expires_in: u64,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last_id: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Whose media is dropped, on this call and on those to come.
    blackholed: HashSet<String>,
}

#[derive(Debug)]
struct Connection {
    outbox: mpsc::UnboundedSender<Outgoing>,
    identity: Option<String>,
    registered: bool,
    expires_at: u64,
    hold: u64,
}

impl Devices {
    /// A socket was opened.
    pub(crate) fn connect(&self, outbox: mpsc::UnboundedSender<Outgoing>) -> ConnectionId {
        let mut inner = self.lock();
        inner.last_id += 1;
        let id = ConnectionId(inner.last_id);
        let connection = Connection { outbox, identity: None, registered: false, expires_at: 0, hold: 0 };
        inner.connections.insert(id, connection);
        id
    }

    /// A socket is gone; returns whom it spoke for.
    pub(crate) fn disconnect(&self, id: ConnectionId) -> Option<String> {
        self.lock().connections.remove(&id)?.identity
    }

    /// A good token was presented.
    pub(crate) fn identify(&self, id: ConnectionId, identity: String, expires_at: u64, hold: u64) {
        if let Some(connection) = self.lock().connections.get_mut(&id) {
            if connection.identity.as_ref() != Some(&identity) {
                connection.registered = false;
            }
            connection.identity = Some(identity);
            connection.expires_at = expires_at;
            connection.hold = hold;
        }
    }

    /// Ring it, or no longer.
    pub(crate) fn set_registered(&self, id: ConnectionId, registered: bool) {
        if let Some(connection) = self.lock().connections.get_mut(&id) {
            connection.registered = registered;
        }
    }

    /// Which connections ring when `identity` is dialled.
    pub(crate) fn registered(&self, identity: &str) -> Vec<ConnectionId> {
        let inner = self.lock();
        let rings = |connection: &Connection| {
            connection.registered && connection.identity.as_deref() == Some(identity)
        };
        inner.connections.iter().filter(|(_, connection)| rings(connection)).map(|(id, _)| *id).collect()
    }

    /// For how many seconds a call of this connection is held when it is lost.
    pub(crate) fn hold(&self, id: ConnectionId) -> u64 {
        self.lock().connections.get(&id).map_or(0, |connection| connection.hold)
    }

    /// A frame for a connection that may be gone by now: whoever cares is told of the loss separately.
    pub(crate) fn send(&self, id: ConnectionId, frame: ServerFrame) {
        if let Some(connection) = self.lock().connections.get(&id) {
            drop(connection.outbox.send(Outgoing::Frame(frame)));
        }
    }

    /// The same request to every connection of `identity` (of everybody: `None`); returns to how many.
    pub(crate) fn tell(&self, identity: Option<&str>, request: impl Fn() -> Outgoing) -> usize {
        let inner = self.lock();
        let chosen = inner
            .connections
            .values()
            .filter(|connection| identity.is_none() || connection.identity.as_deref() == identity);
        chosen.filter(|connection| connection.outbox.send(request()).is_ok()).count()
    }

    /// Everybody who has shown a token.
    pub(crate) fn list(&self, now: u64) -> Vec<Device> {
        let inner = self.lock();
        let device = |connection: &Connection| {
            Some(Device {
                identity: connection.identity.clone()?,
                registered: connection.registered,
                token_expires_in: connection.expires_at.saturating_sub(now),
            })
        };
        inner.connections.values().filter_map(device).collect()
    }

    /// Drop, or no longer drop, the media of `identity`.
    pub(crate) fn blackhole(&self, identity: &str, on: bool) {
        let blackholed = &mut self.lock().blackholed;
        if on {
            blackholed.insert(identity.to_owned());
        } else {
            blackholed.remove(identity);
        }
    }

    /// Whether the media of `identity` is dropped.
    pub(crate) fn is_blackholed(&self, identity: &str) -> bool {
        self.lock().blackholed.contains(identity)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registered_connections_of_the_identity_ring() {
        let devices = Devices::default();
        let (outbox, _inbox) = mpsc::unbounded_channel();
        let [one, two, other] = [(); 3].map(|()| devices.connect(outbox.clone()));
        devices.identify(one, "user001".into(), 100, 0);
        devices.identify(two, "user001".into(), 100, 0);
        devices.identify(other, "user002".into(), 100, 0);
        devices.set_registered(two, true);
        devices.set_registered(other, true);
        assert_eq!(devices.registered("user001"), [two]);
        devices.set_registered(one, true);
        assert_eq!(devices.registered("user001"), [one, two]);
        assert_eq!(devices.disconnect(one).as_deref(), Some("user001"));
        assert_eq!(devices.registered("user001"), [two]);
    }

    #[test]
    fn a_new_identity_must_register_anew() {
        let devices = Devices::default();
        let (outbox, _inbox) = mpsc::unbounded_channel();
        let id = devices.connect(outbox);
        devices.identify(id, "user001".into(), 100, 0);
        devices.set_registered(id, true);
        devices.identify(id, "user002".into(), 100, 0);
        assert!(devices.registered("user002").is_empty());
    }
}
