//! The release: the browser's side, packed, inside the server's binary.
//!
//! The browser's side is built again only when something that it is made of changed: cargo-leptos itself would optimise
//! it anew each time.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{
    assets, files, process, progress,
    workspace::{self, Workspace},
};

/// A program of ours: its package and its binary.
pub(crate) type Program = (&'static str, &'static str);
pub(crate) const HITOKU: Program = ("server", "hitoku");
pub(crate) const REHEARSAL: Program = ("rehearsal", "rehearsal");

/// The crate that becomes WebAssembly.
const FRONT: &str = "browser";
const STAMP: &str = "packed-site.inputs";
/// Reaches the compiler for the WebAssembly alone, and keeps Cargo's other builds as they are.
const WASM_FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// As cargo-leptos has it optimised, and in this order.
const LIGHTER: [&str; 9] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--remove-exports=*intounderlying*",
    "-Os",
    "--skip-pass=inlining-optimizing",
    "--skip-pass=local-cse",
    "--dealign",
    "--strip-producers",
    "--strip-target-features",
];

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
        leptos.env("PATH", workspace.search_path()?).env(WASM_FLAGS, without_paths(workspace)?);
        process::shown(&mut leptos)
    })?;
    progress::timed("WebAssembly", "lightening", || lighten(workspace))?;
    progress::timed("assets", "naming by content and compressing", || assets::pack(workspace))?;
    files::write(&stamp, inputs.as_bytes())
}

/// Takes from the WebAssembly what streams of server functions would call from JavaScript, of which ours have none, and then
/// what only that needed: a kilobyte and a half in brotli. Hints of alignment, which no processor of ours heeds, and the names of
/// the tools are another half.
fn lighten(workspace: &Workspace) -> Result<()> {
    let wasm = workspace.site().join("pkg/hitoku.wasm");
    let mut wasm_opt = Command::new("wasm-opt");
    wasm_opt.env("PATH", workspace.search_path()?).arg(&wasm).args(LIGHTER).arg("-o").arg(&wasm);
    process::logged(&mut wasm_opt, &workspace.scratch("wasm-opt.log"))
}

/// A panic names the file that it is in: without the folders of whoever built it, which nobody need learn, and which would
/// make the bytes another machine's own.
fn without_paths(workspace: &Workspace) -> Result<String> {
    let sysroot = process::output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut folders =
        vec![workspace.root().to_owned(), Path::new(sysroot.trim()).join("lib/rustlib/src/rust")];
    let registry = workspace::cargo_home()?.join("registry/src");
    if registry.is_dir() {
        folders.extend(files::folders_in(&registry)?);
    }
    let flags = folders.iter().map(|folder| format!("--remap-path-prefix={}=", folder.display()));
    Ok(flags.collect::<Vec<_>>().join(" "))
}

/// A digest of all that the site is made of.
fn inputs(workspace: &Workspace) -> Result<String> {
    let ours = workspace.closure(FRONT).into_iter().filter_map(|name| workspace.members().get(name));
    let mut paths: Vec<_> = ours.map(|member| member.folder.clone()).collect();
    let fixed = [
        "Cargo.toml",
        "Cargo.lock",
        ".cargo/config.toml",
        "style",
        "public",
        "src/xtask/assets.rs",
        "src/xtask/notices.rs",
        "src/xtask/release.rs",
    ];
    // The notices are of what the server is made of too.
    paths.extend(workspace.members().values().map(|member| member.folder.join("Cargo.toml")));
    paths.extend(fixed.iter().map(|path| workspace.root().join(path)));
    paths.extend([assets::script(workspace), workspace.end2end().join("package-lock.json")]);
    paths.retain(|path| path.exists());
    let compiler = process::output(Command::new("rustc").arg("-vV")).context("asking the compiler")?;
    files::sha256_of_all(&paths, &[&compiler, &without_paths(workspace)?])
}
