//! The Twilio Voice SDK, put where the server serves it from: unmodified, of one pinned version.
//!
//! npm checks the package against the lock file; the digest here also pins the very file that browsers get.

use anyhow::{Result, ensure};

use crate::{files, progress, workspace::Workspace};

const NAME: &str = "Voice SDK 2.18.5";
const SHA256: &str = "35d3cb1b22e309f9884724a89250aecd2de4f1556ad7b67a7bc5e06c73dcb74a";
const PACKAGE: &str = "node_modules/@twilio/voice-sdk";

/// Copies it to `public/sdk`, unless it is there.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let place = workspace.root().join("public/sdk");
    let licence = place.join("LICENSE.md");
    let script = place.join("twilio.min.js");
    if licence.is_file() && files::read(&script).is_ok_and(|bytes| files::sha256(&bytes) == SHA256) {
        progress::already(NAME);
        return Ok(());
    }
    progress::timed(NAME, "checking and copying it", || {
        let package = workspace.end2end().join(PACKAGE);
        let bytes = files::read(&package.join("dist/twilio.min.js"))?;
        let found = files::sha256(&bytes);
        ensure!(
            found == SHA256,
            "the installed SDK is not the pinned one: its SHA-256 is {found}, not {SHA256}"
        );
        files::write(&licence, &files::read(&package.join("LICENSE.md"))?)?;
        files::write(&script, &bytes)
    })
}
