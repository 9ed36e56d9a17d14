//! The program, its settings and its data folder.
//!
//! Invariant: whatever it prints, and whatever lies in its folder, holds no number, but for what a command prints that says so.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::kept::Kept;
use server::settings::{Settings, Source};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::numbers::holds_a_number;
use crate::twilio::{AUTH_TOKEN, PUBLIC};

/// What a customer of [`SHEET`] has, and which operator looks after them.
pub(crate) const KOSHII: &str = "+447700900101";
pub(crate) const ONEIL: &str = "+12025550143";
/// Nobody has this one.
pub(crate) const STRANGER: &str = "+447700900199";
pub(crate) const SHEET: &str = "id,name,operator,numbers\n\
                                cm-koshii,越井 琢巳,user001,+44 7700-900-101\n\
                                cm-oneil,O'Neil & Sons,user002,(+1) 202 555 0143\n";
/// Longer than anything takes on a machine that has much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder for the program's data, and the settings that it is run with: those of production.
pub(crate) struct Home {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
    /// What stands before the program's name.
    before: Vec<String>,
}

/// The program, serving. It is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    since: Instant,
    lines: watch::Receiver<Vec<String>>,
    listening: [Option<JoinHandle<()>>; 2],
}

/// What a command has printed, and whether it succeeded.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) well: bool,
}

impl Home {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let settings = vec![
            ("ACCOUNT_SID", format!("AC{}", "0".repeat(32))),
            ("API_KEY_SID", format!("SK{}", "1".repeat(32))),
            ("API_KEY_SECRET", "the-api-key-secret".to_owned()),
            ("AUTH_TOKEN", AUTH_TOKEN.to_owned()),
            ("PUBLIC_BASE_URL", PUBLIC.to_owned()),
            ("HITOKU_ADDR", "127.0.0.1:0".to_owned()),
            ("HITOKU_DATA", data),
            ("RUST_LOG", "trace".to_owned()),
            // `doctor` looks at the world outside, which is none of a test's business: nobody is there.
            ("HTTPS_PROXY", "http://127.0.0.1:1".to_owned()),
        ];
        Self { folder, settings, before: Vec::new() }
    }

    /// With the customers of [`SHEET`].
    pub(crate) fn peopled() -> Self {
        Self::empty().with_customers()
    }

    pub(crate) fn with_customers(self) -> Self {
        let said = self.import(SHEET);
        assert!(said.well, "{said:?}");
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
        self
    }

    /// Where a copy of its database is given.
    pub(crate) fn on_a_copy(self) -> (Self, PathBuf) {
        let copy = self.data().join("copy.db");
        fs::copy(self.data().join("hitoku.db"), &copy).unwrap();
        (self.with("DATABASE_URL", format!("sqlite:{}", copy.display())), copy)
    }

    /// Run by another program, such as one that puts it into a namespace.
    pub(crate) fn run_by(mut self, before: Vec<String>) -> Self {
        self.before = before;
        self
    }

    /// Where its data is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A file of ours beside the data.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn import(&self, sheet: &str) -> Said {
        self.run(&["customers", "import", &self.file("customers.csv", sheet)])
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn serve(&self) -> Server {
        let server = self.start();
        server.address().await;
        server
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Server {
        let mut child = self.command(&[]).stdin(Stdio::null()).spawn().unwrap();
        let (said, lines) = watch::channel(Vec::new());
        let listening =
            [listen(child.stdout.take().unwrap(), said.clone()), listen(child.stderr.take().unwrap(), said)];
        Server { child, since: Instant::now(), lines, listening }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.told(arguments, "")
    }

    /// Runs a command that reads this.
    pub(crate) fn told(&self, arguments: &[&str], input: &str) -> Said {
        let said = self.revealed(arguments, input);
        assert!(!holds_a_number(&said.out), "{arguments:?} printed a number");
        said
    }

    /// Runs a command that may print a number; not where errors are printed.
    pub(crate) fn revealed(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // It may end before it has read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert!(!holds_a_number(&err), "{arguments:?} printed a number as an error");
        assert!(!err.contains("panicked"), "{err}");
        Said { out, err, well: status.success() }
    }

    /// What is kept, opened in this process.
    pub(crate) async fn kept(&self) -> Kept {
        let settings = self.settings.iter().map(|(name, value)| (*name, value.as_str()));
        Kept::open(&Settings::read(&Source::of(settings)).unwrap().keeping).await.unwrap()
    }

    /// Every file in the data folder, searched as it is on the disk.
    pub(crate) fn assert_sealed(&self) {
        let files = search(&self.data());
        assert!(files > 0, "there is nothing in {}", self.data().display());
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_hitoku").to_owned();
        let mut words = self.before.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(arguments).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Server {
    /// Where it listens, as soon as it does.
    pub(crate) async fn address(&self) -> String {
        let line = self.says("listening on").await;
        line.split_whitespace().last().unwrap().to_owned()
    }

    /// Waits for a line that holds this text.
    pub(crate) async fn says(&self, text: &str) -> String {
        let mut lines = self.lines.clone();
        let said = lines.wait_for(|lines| lines.iter().any(|line| line.contains(text)));
        match tokio::time::timeout(PATIENCE, said).await {
            Ok(Ok(lines)) => lines.iter().find(|line| line.contains(text)).unwrap().clone(),
            _ => panic!("it never said `{text}`, but:\n{}", self.errors().join("\n")),
        }
    }

    /// Those lines that say that something is wrong.
    pub(crate) fn errors(&self) -> Vec<String> {
        let wrong =
            |line: &&String| line.contains(" ERROR ") || line.contains(" WARN ") || !line.contains("Z ");
        self.lines.borrow().iter().filter(wrong).cloned().collect()
    }

    /// Whether it has not said this so often yet, for tests that go on until it has.
    pub(crate) fn has_yet_to_say(&self, text: &str, times: usize) -> bool {
        let yet = self.count(text) < times;
        assert!(
            !yet || self.since.elapsed() < 5 * PATIENCE,
            "it never said `{text}`, but {:?}",
            self.errors()
        );
        yet
    }

    /// How many lines hold this text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.lines.borrow().iter().filter(|line| line.contains(text)).count()
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, and waits until it has.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until all that it said was read.
    pub(crate) async fn end(mut self) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let ended = async { while self.lines.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends when it is told to");
        assert!(self.child.wait().unwrap().success());
    }

    /// Waits until it has ended by itself, without success, and gives all that it said.
    pub(crate) async fn fails(mut self) -> String {
        let ended = async { while self.lines.changed().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends by itself");
        assert!(!self.child.wait().unwrap().success());
        self.lines.borrow().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it said last, perhaps in its fall, is to be searched too.
        let listened = self.listening.each_mut().map(|listening| listening.take().map(JoinHandle::join));
        if !thread::panicking() {
            assert!(listened.iter().flatten().all(Result::is_ok), "all that it said was read");
            for line in self.lines.borrow().iter() {
                assert!(!holds_a_number(line), "a number in the log: {line}");
                assert!(!line.contains("panicked"), "{line}");
            }
        }
    }
}

fn listen(from: impl Read + Send + 'static, said: watch::Sender<Vec<String>>) -> Option<JoinHandle<()>> {
    Some(thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            let line = String::from_utf8_lossy(&line.unwrap()).into_owned();
            said.send_modify(|lines| lines.push(line));
        }
    }))
}

/// An address of this machine that nobody uses now.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Searches every file in a folder, and says how many there are.
pub(crate) fn search(folder: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += search(&path);
        } else {
            let bytes = match fs::read(&path) {
                // SQLite removes its log when nobody uses the database any more.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                read => read.unwrap(),
            };
            assert!(!holds_a_number(&String::from_utf8_lossy(&bytes)), "a number in {}", path.display());
            files += 1;
        }
    }
    files
}

pub(crate) fn assert_refused(said: &Said, why: &[&str]) {
    assert!(!said.well && said.err.starts_with("hitoku: "), "{said:?}");
    for why in why {
        assert!(said.err.contains(why), "`{why}` is not in {said:?}");
    }
}

pub(crate) fn assert_says(said: &Said, what: &[&str]) {
    assert!(said.well && said.err.is_empty(), "{said:?}");
    for what in what {
        assert!(said.out.contains(what), "`{what}` is not in {said:?}");
    }
}

/// All that is in the files of the data folder.
pub(crate) fn bytes(home: &Home) -> String {
    let files = fs::read_dir(home.data()).unwrap();
    files.map(|file| String::from_utf8_lossy(&fs::read(file.unwrap().path()).unwrap()).into_owned()).collect()
}
