//! Where things are: the workspace as Cargo tells it, and the few paths that this program adds.
//!
//! Everything that it writes inside the repository is below the target directory, `end2end/node_modules` or `public/sdk`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process;

/// The workspace that the command was called in.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    members: BTreeMap<String, Member>,
}

/// A crate of ours.
pub(crate) struct Member {
    /// The folder of its `Cargo.toml`.
    pub(crate) folder: PathBuf,
    /// The crates of ours that it names in its own `Cargo.toml`, for whatever target or purpose.
    pub(crate) dependencies: BTreeSet<String>,
}

impl Workspace {
    /// Asks Cargo, so that `CARGO_TARGET_DIR` and Cargo's own configuration count.
    pub(crate) fn find() -> Result<Self> {
        let mut metadata = Command::new(cargo());
        metadata.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = process::output(&mut metadata)?;
        Self::parse(&metadata).context("reading the answer of `cargo metadata`")
    }

    fn parse(metadata: &str) -> Result<Self> {
        let metadata: Value = serde_json::from_str(metadata)?;
        let path =
            |name: &str| metadata[name].as_str().map(PathBuf::from).with_context(|| format!("no {name}"));
        let packages = metadata["packages"].as_array().context("no packages")?;
        let members = packages.iter().map(Member::parse).collect::<Result<_>>()?;
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, members })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Our crates by name.
    pub(crate) fn members(&self) -> &BTreeMap<String, Member> {
        &self.members
    }

    /// A crate of ours and all those of ours that it depends on.
    pub(crate) fn closure(&self, name: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            let Some((name, member)) = self.members.get_key_value(name) else { continue };
            if found.insert(name.as_str()) {
                open.extend(member.dependencies.iter().map(String::as_str));
            }
        }
        found
    }

    pub(crate) fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// A file or folder of this program's own.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.target.join("xtask").join(name)
    }

    /// What the browser gets, as cargo-leptos lays it out: `site-root` in `Cargo.toml`.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    /// The same, ready to be embedded: hashed names, compressed siblings, a manifest.
    pub(crate) fn packed_site(&self) -> PathBuf {
        self.target.join("packed-site")
    }

    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// Cargo, in the workspace.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The search path with npm's and Cargo's programs first.
    pub(crate) fn search_path(&self) -> Result<OsString> {
        let mut folders = vec![self.end2end().join("node_modules/.bin"), cargo_bin()?];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        env::join_paths(folders).context("a folder on PATH has a name that PATH cannot hold")
    }
}

impl Member {
    fn parse(package: &Value) -> Result<(String, Self)> {
        let name = package["name"].as_str().context("a package without a name")?;
        let manifest =
            package["manifest_path"].as_str().map(Path::new).context("a package without a manifest")?;
        let dependencies = package["dependencies"].as_array().context("a package without dependencies")?;
        let ours = dependencies.iter().filter(|dependency| dependency["path"].is_string());
        let ours = ours.filter_map(|dependency| dependency["name"].as_str()).map(str::to_owned).collect();
        let folder = manifest.parent().context("a manifest without a folder")?.to_owned();
        Ok((name.to_owned(), Self { folder, dependencies: ours }))
    }
}

/// The Cargo that runs us.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where `cargo install` puts programs.
fn cargo_bin() -> Result<PathBuf> {
    if let Some(root) = env::var_os("CARGO_INSTALL_ROOT") {
        return Ok(Path::new(&root).join("bin"));
    }
    Ok(cargo_home()?.join("bin"))
}

/// Where Cargo keeps what it has downloaded.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    Ok(match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("neither CARGO_HOME nor HOME is set")?.join(".cargo"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace::parse(
            r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {"name": "domain", "manifest_path": "/w/src/domain/Cargo.toml", "dependencies": [{"name": "serde"}]},
                {"name": "console", "manifest_path": "/w/src/console/Cargo.toml",
                 "dependencies": [{"name": "domain", "path": "/w/src/domain"}, {"name": "leptos", "path": null}]},
                {"name": "browser", "manifest_path": "/w/src/browser/Cargo.toml",
                 "dependencies": [{"name": "console", "path": "/w/src/console", "target": "cfg(wasm)"}]}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn knows_our_crates_and_what_they_name() {
        let workspace = workspace();
        assert_eq!(workspace.members()["domain"].folder, Path::new("/w/src/domain"));
        assert!(workspace.members()["domain"].dependencies.is_empty());
        assert_eq!(workspace.members()["console"].dependencies, BTreeSet::from(["domain".to_owned()]));
        assert_eq!(workspace.release_binary("hitoku"), Path::new("/t/release/hitoku"));
    }

    #[test]
    fn follows_dependencies_to_the_end() {
        assert_eq!(workspace().closure("browser"), BTreeSet::from(["browser", "console", "domain"]));
    }
}
