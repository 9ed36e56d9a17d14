//! Writes the table of the site's files that the binary carries, from the packed site that `HITOKU_SITE` names.
//!
//! Without it the table is empty, and the server reads its files from disk: that is development.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-env-changed=HITOKU_SITE");
    println!("cargo::rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    if let Some(site) = env::var_os("HITOKU_SITE").map(PathBuf::from) {
        let manifest = site.join("manifest.json");
        println!("cargo::rerun-if-changed={}", manifest.display());
        let text =
            fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        for file in serde_json::from_str::<Vec<Value>>(&text)? {
            // A table is never older than what it names: a file that is gone runs this again.
            println!(
                "cargo::rerun-if-changed={}",
                site.join(file["file"].as_str().unwrap_or_default()).display()
            );
            table.push_str(&row(&site, &file)?);
        }
    }
    table.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out.join("site.rs"), table)?;
    Ok(())
}

fn row(site: &Path, file: &Value) -> Result<String, String> {
    let text = |name: &str| file[name].as_str().ok_or(format!("the manifest has a file without `{name}`"));
    let bytes = |name: &str| format!("include_bytes!({:?})", site.join(name));
    let maybe = |name: &str| {
        file[name].as_str().map_or_else(|| "None".to_owned(), |name| format!("Some({})", bytes(name)))
    };
    Ok(format!(
        "Embedded {{ path: {:?}, logical: {:?}, content_type: {:?}, plain: {}, brotli: {}, gzip: {} }},\n",
        text("path")?,
        text("logical")?,
        text("contentType")?,
        bytes(text("file")?),
        maybe("br"),
        maybe("gz"),
    ))
}
