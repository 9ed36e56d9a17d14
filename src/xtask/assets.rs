//! Packs the site for the binary: every file under a name that carries its content's hash, compressed beforehand, and a
//! `manifest.json` that the server embeds.
//!
//! A hashed name never means other bytes, so browsers may keep it for good. Files refer to one another by their logical
//! names only through the page, which asks the server for the hashed ones.

use std::{
    env,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{
    files, notices, process,
    workspace::{Workspace, cargo_home},
};

/// How much of a hash a name carries: enough that two files never meet.
const HASH_DIGITS: usize = 16;
const MANIFEST: &str = "manifest.json";
/// Where the notices of those are whose code is carried.
const NOTICES: &str = "/licences.txt";
/// The most that wasm, glue and css together may be in brotli, in bytes.
const HEAVIEST: u64 = 100_000;

/// A file of the site on its way into the binary.
struct Asset {
    /// What the page's author calls it: `/pkg/hitoku.js`.
    logical: String,
    /// What the browser asks for: `/pkg/hitoku.0123456789abcdef.js`.
    path: String,
    content_type: &'static str,
    /// Whether it is text of some kind, and not compressed in itself.
    compressible: bool,
    bytes: Vec<u8>,
}

/// Packs all of `site`, unless the packed site is the same already.
pub(crate) fn pack(workspace: &Workspace) -> Result<()> {
    let site = workspace.site();
    let found = files::all_files(&site)?;
    let mut assets = Vec::new();
    for file in found.iter().filter(|file| is_asked_for(&site, file)) {
        assets.push(Asset::read(&site, file)?);
    }
    ensure!(!assets.is_empty(), "{} is empty", site.display());
    assets.push(Asset::named(NOTICES, notices::of_all(workspace)?.into_bytes())?);
    refuse_imports(&assets)?;

    let fresh = workspace.scratch("packed-site");
    files::empty_folder(&fresh)?;
    for asset in &assets {
        files::write(&fresh.join(asset.file()), &asset.bytes)?;
    }
    compress(workspace, &fresh, &assets)?;
    println!("  wasm + glue + css: {} B in brotli, of {HEAVIEST} B at most", weight(&fresh)?);
    refuse_paths(&assets, &builders_folders(workspace)?)?;
    let manifest: Vec<Value> = assets.iter().map(|asset| asset.entry(&fresh)).collect();
    files::write(&fresh.join(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;

    // Untouched where nothing changed, so that the server is not built again.
    let place = workspace.packed_site();
    if files::read(&place.join(MANIFEST))
        .is_ok_and(|old| files::read(&fresh.join(MANIFEST)).is_ok_and(|new| old == new))
    {
        return files::remove(&fresh);
    }
    files::replace_folder(&fresh, &place)
}

/// Whether there is a packed site, with every file that its manifest names.
pub(crate) fn is_there(workspace: &Workspace) -> bool {
    let place = workspace.packed_site();
    let manifest = files::read(&place.join(MANIFEST)).ok();
    let entries = manifest.and_then(|bytes| serde_json::from_slice::<Vec<Value>>(&bytes).ok());
    entries.is_some_and(|entries| {
        let names = entries.iter().flat_map(|entry| [&entry["file"], &entry["br"], &entry["gz"]]);
        names.filter_map(Value::as_str).all(|name| place.join(name).is_file())
    })
}

impl Asset {
    fn read(site: &Path, file: &Path) -> Result<Self> {
        let relative = file.strip_prefix(site)?.to_str().context("a file name is not UTF-8")?;
        ensure!(
            relative.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)),
            "{relative} has a name that would need escaping in a URL: use letters, digits, `.`, `_` and `-`"
        );
        Self::named(&format!("/{relative}"), files::read(file)?)
    }

    fn named(logical: &str, bytes: Vec<u8>) -> Result<Self> {
        let (content_type, compressible) = content_type(logical)?;
        let path = hashed(logical, &files::sha256(&bytes)[..HASH_DIGITS]);
        Ok(Self { logical: logical.to_owned(), path, content_type, compressible, bytes })
    }

    /// Its place in the packed site.
    fn file(&self) -> &str {
        self.path.trim_start_matches('/')
    }

    fn entry(&self, folder: &Path) -> Value {
        let sibling = |extension: &str| {
            let name = format!("{}.{extension}", self.file());
            folder.join(&name).is_file().then_some(name)
        };
        json!({
            "path": self.path,
            "logical": self.logical,
            "file": self.file(),
            "br": sibling("br"),
            "gz": sibling("gz"),
            "contentType": self.content_type,
        })
    }
}

/// `/pkg/hitoku.js` with a hash before its extension.
fn hashed(logical: &str, hash: &str) -> String {
    let (folder, name) = logical.rsplit_once('/').unwrap_or(("", logical));
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{folder}/{stem}.{hash}.{extension}"),
        None => format!("{folder}/{name}.{hash}"),
    }
}

fn content_type(path: &str) -> Result<(&'static str, bool)> {
    let name = path.rsplit('/').next().unwrap_or(path);
    Ok(match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "html" => ("text/html; charset=utf-8", true),
        "" | "txt" | "md" => ("text/plain; charset=utf-8", true),
        "json" => ("application/json", true),
        "webmanifest" => ("application/manifest+json", true),
        "svg" => ("image/svg+xml", true),
        "ico" => ("image/x-icon", true),
        "wav" => ("audio/wav", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "avif" => ("image/avif", false),
        "mp3" => ("audio/mpeg", false),
        "ogg" | "opus" => ("audio/ogg", false),
        "m4a" => ("audio/mp4", false),
        "woff2" => ("font/woff2", false),
        other => bail!("{path}: no content type is known for `.{other}`; add it in src/xtask/assets.rs"),
    })
}

/// An import by a logical name would miss the hashed file. wasm-bindgen makes such imports for inline JavaScript.
fn refuse_imports(assets: &[Asset]) -> Result<()> {
    let Some(snippet) = assets.iter().find(|asset| asset.logical.contains("/snippets/")) else {
        return Ok(());
    };
    bail!(
        "{} would be imported under a name that packing changes: keep JavaScript out of the crates",
        snippet.logical
    )
}

/// A test, and no part of a build: whoever changes a word is not to be kept from seeing it.
pub(crate) fn refuse_weight(workspace: &Workspace) -> Result<()> {
    refuse_heavier(&workspace.packed_site(), HEAVIEST)
}

fn refuse_heavier(site: &Path, most: u64) -> Result<()> {
    let weight = weight(site)?;
    ensure!(
        weight <= most,
        "wasm + glue + css are {weight} B in brotli, and the most that they may be is {most} B: see src/xtask/assets.rs"
    );
    Ok(())
}

/// What a browser downloads before the page is alive, besides Twilio's SDK.
fn weight(site: &Path) -> Result<u64> {
    let files = files::all_files(&site.join("pkg"))?;
    files
        .iter()
        .filter(|file| file.extension().is_some_and(|it| it == "br"))
        .map(|file| files::size(file))
        .sum()
}

/// Where whoever builds has things: below no root of a whole disk, which any path begins with.
fn builders_folders(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut folders = vec![workspace.root().to_owned(), cargo_home()?, PathBuf::from("/registry/src")];
    folders.extend(env::home_dir());
    folders.retain(|folder| folder.components().count() > 1);
    Ok(folders)
}

/// The WebAssembly is everybody's to read, and names none of these folders.
fn refuse_paths(assets: &[Asset], folders: &[PathBuf]) -> Result<()> {
    for asset in assets.iter().filter(|asset| asset.content_type == "application/wasm") {
        for folder in folders {
            let below = [folder.as_os_str().as_bytes(), b"/"].concat();
            let named = asset.bytes.windows(below.len()).any(|bytes| bytes == below);
            let (name, folder) = (&asset.logical, folder.display());
            ensure!(
                !named,
                "{name} names a folder below `{folder}`: see `without_paths` in src/xtask/release.rs"
            );
        }
    }
    Ok(())
}

fn compress(workspace: &Workspace, folder: &Path, assets: &[Asset]) -> Result<()> {
    let files = assets.iter().filter(|asset| asset.compressible).map(|asset| folder.join(asset.file()));
    let mut node = Command::new("node");
    node.arg(script(workspace)).args(files);
    process::logged(&mut node, &workspace.scratch("compress.log"))
}

/// The program that compresses.
pub(crate) fn script(workspace: &Workspace) -> PathBuf {
    workspace.root().join("src/xtask/compress.mjs")
}

/// No browser asks for hidden files, nor for the types that wasm-bindgen writes for people.
fn is_asked_for(site: &Path, file: &Path) -> bool {
    let relative = file.strip_prefix(site).unwrap_or(file);
    let hidden = relative.iter().any(|part| part.as_encoded_bytes().starts_with(b"."));
    !hidden && !relative.as_os_str().as_encoded_bytes().ends_with(b".d.ts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::Scratch;

    #[test]
    fn names_carry_the_hash_before_the_extension() {
        assert_eq!(hashed("/pkg/hitoku.js", "ab"), "/pkg/hitoku.ab.js");
        assert_eq!(hashed("/favicon.ico", "ab"), "/favicon.ab.ico");
        assert_eq!(hashed("/sdk.v2/LICENSE", "ab"), "/sdk.v2/LICENSE.ab");
    }

    #[test]
    fn an_unknown_kind_of_file_is_refused() {
        assert!(content_type("/a/b.exe").is_err());
        assert_eq!(content_type("/pkg/a.wasm").unwrap(), ("application/wasm", true));
    }

    #[test]
    fn an_asset_is_named_by_its_content() {
        let site = Scratch::new("site");
        let file = site.0.join("pkg/a.css");
        files::write(&file, b"abc").unwrap();
        let asset = Asset::read(&site.0, &file).unwrap();
        assert_eq!(asset.path, "/pkg/a.ba7816bf8f01cfea.css");
        let entry = asset.entry(&site.0);
        assert_eq!(entry["logical"], "/pkg/a.css");
        assert_eq!(entry["file"], "pkg/a.ba7816bf8f01cfea.css");
        assert_eq!(entry["br"], Value::Null);
    }

    #[test]
    fn what_is_too_heavy_is_refused_with_its_weight() {
        let site = Scratch::new("heavy");
        for (name, bytes) in
            [("pkg/a.wasm", 900), ("pkg/a.wasm.br", 60), ("pkg/a.css.br", 40), ("sdk/a.js.br", 900)]
        {
            files::write(&site.0.join(name), &vec![0; bytes]).unwrap();
        }
        refuse_heavier(&site.0, 100).unwrap();
        let error = refuse_heavier(&site.0, 99).unwrap_err().to_string();
        assert!(error.contains("100 B") && error.contains("99 B"), "{error}");
    }

    #[test]
    fn a_path_of_the_builders_is_refused() {
        let site = Scratch::new("paths");
        let file = site.0.join("pkg/hitoku.wasm");
        let refused = |bytes: &[u8]| {
            files::write(&file, bytes).unwrap();
            let folders = ["/home/a", "/registry/src"].map(PathBuf::from);
            refuse_paths(&[Asset::read(&site.0, &file).unwrap()], &folders)
        };
        refused(b"\0asm leptos-0.8.23/src/mount.rs src/domain/identity.rs").unwrap();
        assert!(refused(b"\0asm /home/a/hitoku/src/domain/identity.rs").is_err());
        assert!(refused(b"\0asm /x/.cargo/registry/src/index/leptos-0.8.23/src/mount.rs").is_err());
    }

    #[test]
    fn odd_names_and_imports_are_refused() {
        let site = Scratch::new("odd");
        let odd = site.0.join("a b.css");
        files::write(&odd, b"").unwrap();
        assert!(Asset::read(&site.0, &odd).is_err());
        let snippet = site.0.join("pkg/snippets/x/inline0.js");
        files::write(&snippet, b"").unwrap();
        assert!(refuse_imports(&[Asset::read(&site.0, &snippet).unwrap()]).is_err());
        assert!(!is_asked_for(&site.0, &site.0.join(".DS_Store")));
        assert!(!is_asked_for(&site.0, &site.0.join("pkg/hitoku.d.ts")));
        assert!(is_asked_for(&site.0, &site.0.join("pkg/hitoku.js")));
    }
}
