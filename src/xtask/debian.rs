//! Debian's packages: an apt of our own for a package of another suite, and the system's for what it installs.
//!
//! No mirror is named here: it is the machine's own, with another suite. The private apt keeps its lists, cache and
//! sources in one folder, so that it neither needs root nor changes what the machine would install.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{files, process};

/// Where the sources list of a Debian system is.
const SOURCES: &str = "/etc/apt/sources.list";
const MORE_SOURCES: &str = "/etc/apt/sources.list.d";

/// One mirror that the machine uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    uri: String,
    suites: Vec<String>,
    /// The keyring's path, if the source names one.
    signed_by: Option<String>,
}

impl Mirror {
    /// A line for a sources list that takes another suite of this mirror.
    fn with_suite(&self, suite: &str) -> String {
        match &self.signed_by {
            Some(keyring) => format!("deb [signed-by={keyring}] {} {suite} main\n", self.uri),
            None => format!("deb {} {suite} main\n", self.uri),
        }
    }

    fn has_security_updates(&self) -> bool {
        self.suites.iter().any(|suite| suite.ends_with("-security"))
    }
}

/// The mirrors of this machine: none where there is no apt.
pub(crate) fn mirrors() -> Vec<Mirror> {
    let mut files = vec![PathBuf::from(SOURCES)];
    if let Ok(entries) = fs::read_dir(MORE_SOURCES) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_default();
    files
        .iter()
        .flat_map(|path| match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => mirrors_of_lines(&read(path)),
            Some("sources") => mirrors_of_stanzas(&read(path)),
            _ => Vec::new(),
        })
        .collect()
}

/// The mirror to ask for a suite: security suites have one of their own.
pub(crate) fn mirror_for<'a>(mirrors: &'a [Mirror], suite: &str) -> Option<&'a Mirror> {
    mirrors.iter().find(|mirror| mirror.has_security_updates() == suite.ends_with("-security"))
}

/// The old form: `deb [options] uri suite component…`.
fn mirrors_of_lines(text: &str) -> Vec<Mirror> {
    let mirror = |line: &str| {
        let line = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
        let (options, rest) = match line.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", line),
        };
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?.to_owned(), words.next()?.to_owned());
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        Some(Mirror { uri, suites: vec![suite], signed_by: signed_by.map(str::to_owned) })
    };
    text.lines().filter_map(|line| mirror(line.trim())).collect()
}

/// The new form: stanzas of `Field: value`.
fn mirrors_of_stanzas(text: &str) -> Vec<Mirror> {
    let without_comments: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let stanzas = without_comments.split(|line| line.trim().is_empty());
    let mirror = |stanza: &[&str]| {
        let field = |name: &str| {
            let values = stanza.iter().filter_map(|line| line.split_once(':'));
            values
                .into_iter()
                .find(|(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim())
        };
        let binary = field("Types")?.split_whitespace().any(|kind| kind == "deb");
        if !binary || field("Enabled").is_some_and(|enabled| enabled.eq_ignore_ascii_case("no")) {
            return None;
        }
        Some(Mirror {
            uri: field("URIs")?.split_whitespace().next()?.to_owned(),
            suites: field("Suites")?.split_whitespace().map(str::to_owned).collect(),
            // A key may also stand in the stanza itself; the system's own keyring knows Debian's.
            signed_by: field("Signed-By").filter(|keyring| keyring.starts_with('/')).map(str::to_owned),
        })
    };
    stanzas.filter_map(mirror).collect()
}

/// The version of a package that is of an upstream version, in what `apt-cache madison` prints.
fn version_of<'a>(madison: &'a str, upstream: &str) -> Option<&'a str> {
    let versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.into_iter().find(|version| {
        let without_epoch = version.split_once(':').map_or(*version, |(_, rest)| rest);
        without_epoch.strip_prefix(upstream).is_some_and(|rest| rest.starts_with(['+', '-', '~']))
    })
}

/// An apt that knows one suite of one mirror.
pub(crate) struct PrivateApt {
    folder: PathBuf,
    log: PathBuf,
}

impl PrivateApt {
    /// Makes it in a folder and fetches its package lists.
    pub(crate) fn new(folder: &Path, mirror: &Mirror, suite: &str, log: &Path) -> Result<Self> {
        files::empty_folder(folder)?;
        for inner in ["state/lists/partial", "cache/archives/partial", "packages"] {
            files::empty_folder(&folder.join(inner))?;
        }
        files::write(&folder.join("sources.list"), mirror.with_suite(suite).as_bytes())?;
        let apt = Self { folder: folder.to_owned(), log: log.to_owned() };
        process::logged(apt.command("apt-get").args(["update", "--error-on=any"]), log)?;
        Ok(apt)
    }

    /// Downloads and unpacks a package of an upstream version; `None` if the suite has no such version.
    pub(crate) fn unpack(&self, package: &str, upstream: &str) -> Result<Option<PathBuf>> {
        let madison = process::output(self.command("apt-cache").args(["madison", package]))?;
        let Some(version) = version_of(&madison, upstream) else { return Ok(None) };
        let packages = self.folder.join("packages");
        let mut download = self.command("apt-get");
        download.arg("download").arg(format!("{package}={version}")).current_dir(&packages);
        process::logged(&mut download, &self.log)?;
        let unpacked = self.folder.join("unpacked");
        for archive in files::all_files(&packages)? {
            process::logged(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&unpacked), &self.log)?;
        }
        Ok(Some(unpacked))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let mut option = |name: &str, value: OsString| {
            let mut text = OsString::from(format!("{name}="));
            text.push(value);
            command.arg("-o").arg(text);
        };
        option("Dir::Etc::sourcelist", self.folder.join("sources.list").into());
        option("Dir::Etc::sourceparts", "/dev/null".into());
        option("Dir::State", self.folder.join("state").into());
        option("Dir::State::lists", self.folder.join("state/lists").into());
        option("Dir::State::status", "/dev/null".into());
        option("Dir::Cache", self.folder.join("cache").into());
        // The user that apt would download as cannot write to our folder.
        option("APT::Sandbox::User", "root".into());
        option("Acquire::Languages", "none".into());
        option("Acquire::IndexTargets::deb::DEP-11::DefaultEnabled", "false".into());
        option("Acquire::Retries", "2".into());
        command
    }
}

/// Installs packages on the system, as root or with a sudo that asks nothing.
pub(crate) fn install(packages: &[&str], log: &Path) -> Result<()> {
    let Some(prefix) = root_prefix() else {
        bail!("this needs root: run `apt-get install {}` as root, then try again", packages.join(" "));
    };
    let apt = |arguments: &[&str]| {
        let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2"]);
        process::logged(&mut command, log)
    };
    apt(&["update"]).context("fetching Debian's package lists")?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
        .context("installing with apt-get")
}

/// What to put before a command that needs root; `None` if there is no way.
fn root_prefix() -> Option<&'static [&'static str]> {
    let id = process::output(Command::new("id").arg("-u")).unwrap_or_default();
    if id.trim() == "0" {
        return Some(&[]);
    }
    process::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "\
Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
";

    #[test]
    fn reads_stanzas() {
        let mirrors = mirrors_of_stanzas(STANZAS);
        assert_eq!(mirrors.len(), 2);
        assert_eq!(mirrors[0].suites, ["bookworm", "bookworm-updates"]);
        assert_eq!(
            mirrors[0].with_suite("sid"),
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian sid main\n"
        );
        assert_eq!(mirrors[1].with_suite("sid"), "deb http://mirror.example/debian-security sid main\n");
    }

    #[test]
    fn reads_lines() {
        let mirrors = mirrors_of_lines(
            "# deb http://off.example/debian sid main\ndeb-src http://a.example/debian sid main\n\
             deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian trixie main contrib\n",
        );
        assert_eq!(mirrors.len(), 1);
        assert_eq!(
            mirrors[0].with_suite("forky"),
            "deb [signed-by=/k.gpg] http://a.example/debian forky main\n"
        );
    }

    #[test]
    fn security_suites_have_their_own_mirror() {
        let mirrors = mirrors_of_stanzas(STANZAS);
        assert_eq!(mirror_for(&mirrors, "bookworm-security"), Some(&mirrors[1]));
        assert_eq!(mirror_for(&mirrors, "trixie-backports"), Some(&mirrors[0]));
        assert_eq!(mirror_for(&mirrors[..1], "bookworm-security"), None);
    }

    #[test]
    fn finds_the_version_that_fits() {
        let madison = "  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://a main\n  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://a main\n";
        assert_eq!(version_of(madison, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(version_of(madison, "1.9"), None);
        assert_eq!(version_of("p | 1:2.0-1 | x", "2.0"), Some("1:2.0-1"));
    }
}
