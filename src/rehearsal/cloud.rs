//! What all parts of the rehearsal share: its settings, devices, calls, media and faults.
//!
//! One value for one run; nothing of it is global, so that several rehearsals can run in one process.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::{HeaderMap, header::USER_AGENT};
use tokio::sync::watch;

use crate::{
    faults::Faults,
    frames::Frames,
    media::{self, Media},
    settings::Settings,
    signalling::devices::{Devices, Outgoing},
    voice::{switchboard::Switchboard, webhook},
};

/// The cloud.
pub(crate) struct Cloud {
    /// What it was started with.
    pub(crate) settings: Settings,
    /// Who is connected.
    pub(crate) devices: Devices,
    /// Who is in a call.
    pub(crate) switchboard: Switchboard,
    /// What was said on the signalling.
    pub(crate) frames: Frames,
    /// Where audio goes.
    pub(crate) media: Media,
    /// Asks the company's server.
    pub(crate) http: reqwest::Client,
    /// Becomes `true` when the rehearsal ends.
    pub(crate) ending: watch::Sender<bool>,
    faults: Mutex<Faults>,
}

impl Cloud {
    /// Starts the media side.
    pub(crate) async fn start(settings: Settings) -> io::Result<Arc<Self>> {
        let (media, mut events) = media::start().await?;
        let cloud = Arc::new(Self {
            settings,
            devices: Devices::default(),
            switchboard: Switchboard::default(),
            frames: Frames::default(),
            media,
            http: webhook::client().map_err(io::Error::other)?,
            ending: watch::Sender::new(false),
            faults: Mutex::default(),
        });
        let weak = Arc::downgrade(&cloud);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let Some(cloud) = weak.upgrade() else { return };
                cloud.switchboard.media_event(event);
            }
        });
        Ok(cloud)
    }

    /// A browser has come. Firefox sends media from no loopback address and to none: it must be offered another. So must, it
    /// seems, all but Chromium.
    pub(crate) fn welcome(&self, browser: &HeaderMap) {
        let name = browser.get(USER_AGENT).and_then(|name| name.to_str().ok());
        if name.is_some_and(|name| !name.contains("Chrome/")) {
            self.media.widen();
        }
    }

    /// What is wrong at the moment.
    pub(crate) fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is wrong.
    pub(crate) fn set_faults(&self, change: impl FnOnce(Faults) -> Faults) -> Faults {
        let faults = {
            let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
            *faults = change(*faults);
            *faults
        };
        if faults.offline {
            self.devices.tell(None, || Outgoing::Cut);
        }
        faults
    }

    /// Ends every call and every socket.
    pub(crate) fn end(&self) {
        self.switchboard.hang_up_all();
        self.ending.send_replace(true);
    }
}
