//! What must be installed before anything can be built or tested.
//!
//! Two lanes run side by side: what is compiled, and what mostly waits for the network. When one fails, the other is
//! ended, and the first failure is the one that is reported.

use std::{sync::Mutex, thread};

use anyhow::{Error, Result};
use nix::sys::signal::Signal;

use crate::{cargo_tools, chromium, npm, postgres, process, sdk, wasm_target, workspace::Workspace};

/// What is to be done afterwards decides what is needed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Needs {
    pub(crate) wasm_target: bool,
    pub(crate) cargo_tools: bool,
    pub(crate) npm: bool,
    pub(crate) chromium: bool,
    pub(crate) postgres: bool,
}

impl Needs {
    pub(crate) const ALL: Self = Self { chromium: true, postgres: true, ..Self::BUILD };
    pub(crate) const BROWSER: Self = Self { chromium: true, ..Self::BUILD };
    pub(crate) const BUILD: Self =
        Self { wasm_target: true, cargo_tools: true, npm: true, chromium: false, postgres: false };

    /// What either of two needs.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            wasm_target: self.wasm_target || other.wasm_target,
            cargo_tools: self.cargo_tools || other.cargo_tools,
            npm: self.npm || other.npm,
            chromium: self.chromium || other.chromium,
            postgres: self.postgres || other.postgres,
        }
    }
}

/// Installs what is needed and missing.
pub(crate) fn run(workspace: &Workspace, needs: Needs) -> Result<()> {
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let lane = |work: &dyn Fn() -> Result<()>| {
        let Err(error) = work() else { return };
        let mut failure = failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if failure.is_none() {
            *failure = Some(error);
            drop(failure);
            process::end_children(Signal::SIGTERM);
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| lane(&|| from_the_network(workspace, needs)));
        lane(&|| compiled(workspace, needs));
    });
    match failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error.context("set-up")),
        None => Ok(()),
    }
}

fn compiled(workspace: &Workspace, needs: Needs) -> Result<()> {
    if needs.wasm_target {
        wasm_target::ensure(workspace)?;
    }
    if needs.cargo_tools {
        cargo_tools::ensure(workspace)?;
    }
    Ok(())
}

fn from_the_network(workspace: &Workspace, needs: Needs) -> Result<()> {
    if needs.npm {
        npm::ensure(workspace)?;
        sdk::ensure(workspace)?;
    }
    if needs.chromium {
        chromium::ensure(workspace)?;
    }
    if needs.postgres {
        postgres::ensure(workspace)?;
    }
    Ok(())
}
