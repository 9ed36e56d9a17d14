//! Whose code the binary and the page carry: almost all of it comes on terms that ask for no more than that its notice goes
//! along, so it does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{files, process, workspace::Workspace};

/// What is carried: a crate of ours, and the target that it is built for, if it is not this machine.
const CARRIED: [(&str, Option<&str>); 2] = [("server", None), ("browser", Some("wasm32-unknown-unknown"))];
/// How the files begin, in capitals, that hold notices.
const NOTICES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

/// All of them, each text once with the crates that it is of.
pub(crate) fn of_all(workspace: &Workspace) -> Result<String> {
    let mut texts = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, target) in CARRIED {
        let target = target.map_or_else(host, |target| Ok(target.to_owned()))?;
        let carried = carried(workspace, name, &target)?;
        // Of one platform: what others need is not downloaded for it.
        let mut metadata = workspace.cargo(["metadata", "--format-version", "1", "--locked"]);
        let metadata = process::output(metadata.args(["--filter-platform", &target]))?;
        let metadata: Value = serde_json::from_str(&metadata)?;
        for package in metadata["packages"].as_array().context("`cargo metadata` lists no packages")? {
            let text = |name: &str| package[name].as_str().unwrap_or_default();
            let name = format!("{} {}", text("name"), text("version"));
            if !carried.contains(&name) {
                continue;
            }
            let folder = Path::new(text("manifest_path")).parent().context("a manifest without a folder")?;
            let mut found = notices(folder)?;
            if found.is_empty() {
                found.push(format!("Terms: {}. Authors: {}", text("license"), authors(&package["authors"])));
            }
            for notice in found {
                texts.entry(notice).or_default().insert(name.clone());
            }
        }
    }
    Ok(in_order(texts))
}

/// What this machine is called.
fn host() -> Result<String> {
    let said = process::output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("the compiler does not say its host")?.to_owned())
}

/// The crates of others in one of ours, by name and version.
fn carried(workspace: &Workspace, name: &str, target: &str) -> Result<BTreeSet<String>> {
    let mut tree = workspace.cargo(["tree", "--package", name, "--edges", "normal", "--prefix", "none"]);
    let tree = process::output(tree.args(["--format", "{p}", "--locked", "--target", target]))?;
    let named = tree.lines().filter_map(|line| {
        let (name, version) = line.split_once(" v")?;
        let version = version.split_whitespace().next()?;
        (!workspace.members().contains_key(name)).then(|| format!("{name} {version}"))
    });
    let carried: BTreeSet<_> = named.collect();
    ensure!(!carried.is_empty(), "`cargo tree` shows no crates in `{name}`");
    Ok(carried)
}

fn notices(folder: &Path) -> Result<Vec<String>> {
    let mut notices = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NOTICES.iter().any(|start| name.starts_with(start)) && entry.file_type()?.is_file() {
            let bytes = files::read(&entry.path())?;
            notices.push(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned());
        }
    }
    Ok(notices)
}

fn authors(authors: &Value) -> String {
    let named = authors.as_array().into_iter().flatten().filter_map(Value::as_str);
    let named: Vec<_> = named.collect();
    if named.is_empty() { "its contributors".to_owned() } else { named.join(", ") }
}

fn in_order(texts: BTreeMap<String, BTreeSet<String>>) -> String {
    let mut texts: Vec<_> = texts.into_iter().map(|(text, crates)| (crates, text)).collect();
    texts.sort();
    let mut all = String::from("Hitoku carries the code of others. These are their notices.\n");
    for (crates, text) in texts {
        let crates: Vec<_> = crates.into_iter().collect();
        // Writing to a string cannot fail.
        let _ = write!(all, "\n{}\n{}\n\n{text}\n", "=".repeat(80), crates.join(", "));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_that_is_carried_is_named_and_a_text_of_many_is_there_once() {
        let all = of_all(&Workspace::find().unwrap()).unwrap();
        for name in ["leptos ", "axum ", "wasm-bindgen ", "js-sys ", "rusqlite ", "str0m "] {
            assert!(all.contains(name), "{name}");
        }
        assert!(!all.contains("proptest "), "that is for tests alone");
        assert!(!all.contains("console 0.1.0"), "that is ours");
        let apache = "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION";
        assert!(
            all.matches(apache).count() < all.matches(" 0.").count() / 4,
            "{}",
            all.matches(apache).count()
        );
    }
}
