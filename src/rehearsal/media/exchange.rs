//! The task.
use std::io;

use tokio::sync::mpsc;

use super::{Command, MediaEvent, Patience};

pub(super) struct Exchange;

impl Exchange {
    pub(super) async fn bind(_: Patience, _: mpsc::UnboundedSender<MediaEvent>) -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn run(self, mut commands: mpsc::UnboundedReceiver<Command>) {
        while commands.recv().await.is_some() {}
    }
}
