//! PostgreSQL's own programs, which the tests start on a free port, with their data in a temporary folder.

use std::{env, fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::{debian, progress, workspace::Workspace};

const NAME: &str = "PostgreSQL";
/// As `src/database/scratch.rs` looks for them.
const PROGRAMS: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];

/// Makes sure that they are there.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if found() {
        progress::already(NAME);
        return Ok(());
    }
    progress::timed(NAME, "installing it, for the tests", || {
        debian::install(&["postgresql"], &workspace.scratch("postgresql.log")).context(
            "the tests ask a real PostgreSQL: install its server, or put its programs on the PATH",
        )?;
        ensure!(
            found(),
            "it was installed, but its programs are neither in /usr/lib/postgresql nor on the PATH"
        );
        Ok(())
    })
}

fn found() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.extend(env::split_paths(&path));
    folders.iter().any(|folder| PROGRAMS.iter().all(|program| folder.join(program).is_file()))
}
