//! The release: the browser's side, packed, inside the server's binary.
//!
//! The browser's side is built again only when something that it is made of changed: cargo-leptos itself would optimise
//! it anew each time.

use anyhow::{Context as _, Result};

use crate::{assets, files, process, progress, workspace::Workspace};

/// A program of ours: its package and its binary.
pub(crate) type Program = (&'static str, &'static str);
pub(crate) const HITOKU: Program = ("server", "hitoku");
pub(crate) const REHEARSAL: Program = ("rehearsal", "rehearsal");

/// The crate that becomes WebAssembly.
const FRONT: &str = "browser";
const STAMP: &str = "packed-site.inputs";

/// Builds the site and then the programs, which embed it.
pub(crate) fn build(workspace: &Workspace, programs: &[Program]) -> Result<()> {
    build_site(workspace)?;
    let names: Vec<&str> = programs.iter().map(|(_, binary)| *binary).collect();
    progress::timed(&names.join(", "), "compiling for release", || {
        let packages =
            programs.iter().flat_map(|(package, binary)| ["--package", *package, "--bin", *binary]);
        let mut cargo = workspace.cargo(["build", "--release", "--locked"]);
        cargo.args(packages).env("HITOKU_SITE", workspace.packed_site());
        process::shown(&mut cargo)
    })
}

fn build_site(workspace: &Workspace) -> Result<()> {
    let stamp = workspace.scratch(STAMP);
    let inputs = inputs(workspace)?;
    if assets::is_there(workspace) && files::read_text(&stamp).is_ok_and(|old| old == inputs) {
        progress::already("page and WebAssembly");
        return Ok(());
    }
    progress::timed("page and WebAssembly", "compiling and optimising", || {
        let mut leptos = workspace.cargo(["leptos", "build", "--release", "--frontend-only"]);
        process::shown(leptos.env("PATH", workspace.search_path()?))
    })?;
    progress::timed("assets", "naming by content and compressing", || assets::pack(workspace))?;
    files::write(&stamp, inputs.as_bytes())
}

/// A digest of all that the site is made of.
fn inputs(workspace: &Workspace) -> Result<String> {
    let ours = workspace.closure(FRONT).into_iter().filter_map(|name| workspace.members().get(name));
    let mut paths: Vec<_> = ours.map(|member| member.folder.clone()).collect();
    let fixed = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", "style", "public", "src/xtask/assets.rs"];
    paths.extend(fixed.iter().map(|path| workspace.root().join(path)));
    paths.extend([assets::script(workspace), workspace.end2end().join("package-lock.json")]);
    paths.retain(|path| path.exists());
    let compiler =
        process::output(std::process::Command::new("rustc").arg("-vV")).context("asking the compiler")?;
    files::sha256_of_all(&paths, &[&compiler])
}
