//! Rules about what depends on what: the direction between our crates, what may reach the browser, and the terms on which
//! everybody else's code is ours to ship.
//!
//! Whoever adds a dependency that breaks a rule learns it here, in a second, and not from a reader of the graph.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{process, workspace::Workspace};

const WASM: &str = "wasm32-unknown-unknown";
/// Which of our crates each may name. A crate that is not here may name none.
const MAY_NAME: [(&str, &[&str]); 6] = [
    // Itself, in its tests.
    ("database", &["database"]),
    ("directory", &["database", "domain", "records"]),
    // Never the directory: what is kept of a call cannot even name a number.
    ("records", &["database", "domain"]),
    ("console", &["domain"]),
    ("browser", &["console", "domain"]),
    ("server", &["console", "database", "directory", "domain", "records", "rehearsal"]),
];
/// What a call is, and all that it may use. It is data in, data out: with nothing else it cannot log, wait, or ask for anything,
/// and the standard library's clocks are forbidden to everybody.
const PURE: &str = "domain";
const PURE_MAY_USE: [&str; 2] = [PURE, "serde"];
/// The numbers' crate, and the words with which it refuses to become WebAssembly.
const NUMBERS: &str = "directory";
const REFUSAL: &str = "must never be part of what a browser downloads";
/// The numbers' crate, and what only a server has.
const NOT_IN_THE_BROWSER: [&str; 8] =
    ["directory", "database", "records", "server", "rehearsal", "axum", "tokio", "sqlx"];
/// Terms that ask for no more than a notice.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "Apache-2.0 WITH LLVM-exception",
];

/// Checks all of them.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    check_directions(workspace)?;
    check_purity(workspace)?;
    check_browser(workspace)?;
    check_refusal(workspace)?;
    check_terms(workspace)
}

fn check_directions(workspace: &Workspace) -> Result<()> {
    for (name, member) in workspace.members() {
        let allowed = MAY_NAME.iter().find(|(crate_name, _)| crate_name == name);
        let allowed = allowed.map_or(&[][..], |(_, allowed)| allowed);
        let named = member.dependencies.iter().map(String::as_str);
        let wrong: BTreeSet<&str> = named.filter(|named| !allowed.contains(named)).collect();
        ensure!(wrong.is_empty(), "`{name}` must not depend on {wrong:?}: see src/xtask/dependencies.rs");
    }
    Ok(())
}

fn check_purity(workspace: &Workspace) -> Result<()> {
    let tree = tree(workspace, &["--package", PURE, "--target", "all", "--depth", "1"])?;
    let names = names(&tree);
    ensure!(names.contains(PURE), "`cargo tree` does not show `{PURE}`");
    if let Some(name) = names.iter().find(|name| !PURE_MAY_USE.contains(name)) {
        bail!("`{PURE}` must not depend on `{name}`: it is pure; see src/xtask/dependencies.rs");
    }
    Ok(())
}

fn check_browser(workspace: &Workspace) -> Result<()> {
    let tree = tree(workspace, &["--package", "browser", "--target", WASM])?;
    let names = names(&tree);
    ensure!(names.contains("console"), "`cargo tree` does not show the browser's crates");
    if let Some(name) = NOT_IN_THE_BROWSER.iter().find(|name| names.contains(**name)) {
        bail!(
            "`{name}` would reach the browser: `cargo tree -p browser --target {WASM} -i {name}` shows how"
        );
    }
    Ok(())
}

/// What goes into a build, a line each.
fn tree(workspace: &Workspace, of: &[&str]) -> Result<String> {
    let mut tree =
        workspace.cargo(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--locked"]);
    process::output(tree.args(of))
}

fn names(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

/// The numbers' crate must refuse WebAssembly in its own words. The compiler says them before it misses any dependency, so
/// that none has to be built.
fn check_refusal(workspace: &Workspace) -> Result<()> {
    let folder = &workspace.members().get(NUMBERS).context("there is no crate of numbers")?.folder;
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--target", WASM]);
    rustc.arg("--out-dir").arg(workspace.scratch("refusal")).arg(folder.join("lib.rs"));
    let Err(refusal) = process::output(&mut rustc) else { bail!("`{NUMBERS}` compiles to WebAssembly") };
    ensure!(
        format!("{refusal:#}").contains(REFUSAL),
        "`{NUMBERS}` must refuse WebAssembly with \"{REFUSAL}\", and says: {refusal:#}"
    );
    Ok(())
}

fn check_terms(workspace: &Workspace) -> Result<()> {
    let metadata = process::output(&mut workspace.cargo(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    for package in metadata["packages"].as_array().context("`cargo metadata` lists no packages")? {
        let name = package["name"].as_str().unwrap_or_default();
        let source = package["source"].as_str().unwrap_or("path+");
        ensure!(
            source.starts_with("registry+") || source.starts_with("path+"),
            "`{name}` comes from {source}: take it from the registry"
        );
        let licence = package["license"].as_str().unwrap_or_default();
        ensure!(permits(licence), "`{name}` has the licence {licence:?}: see src/xtask/dependencies.rs");
    }
    Ok(())
}

/// Whether each clause has an alternative that we take. An `OR` of `AND`s is read too strictly, never too kindly.
fn permits(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain.split(" AND ").all(|clause| clause.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clause_needs_an_alternative_that_we_take() {
        assert!(permits("MIT"));
        assert!(permits("MIT/Apache-2.0"));
        assert!(permits("MIT OR Apache-2.0 OR LGPL-2.1-or-later"));
        assert!(permits("(Apache-2.0 OR GPL-3.0) AND BSD-3-Clause"));
        assert!(permits("Apache-2.0 WITH LLVM-exception OR GPL-2.0"));
        assert!(!permits("MIT AND GPL-3.0"));
        assert!(!permits("AGPL-3.0"));
        assert!(!permits(""));
    }
}
