//! Databases for tests: files in a temporary folder, and a real PostgreSQL that a test starts and ends.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::unistd::{Uid, User};

use crate::Place;

/// A PostgreSQL server on a free port of this machine, with its data in a folder of its own.
#[derive(Debug)]
pub struct Server {
    /// Ended, and its data removed, when this closes: even if the test is killed.
    lifeline: Option<ChildStdin>,
    process: Child,
    port: u16,
    folder: PathBuf,
    databases: AtomicU32,
}

/// Does what its input says; when that ends, it ends the server by its id, and removes its data.
const WATCH: &str = r#"
start() {
    "$1/postgres" -D "$2" -h 127.0.0.1 -p "$3" -k "$2" -c fsync=off -c max_connections=50 >>"$2/log" 2>&1 </dev/null &
    server=$!
}
stop() {
    [ -z "$server" ] || { kill "$1" "$server"; wait "$server"; server=; }
}
start "$@"
while read -r order; do
    case $order in
    stop) stop -QUIT ;;
    start) start "$@" ;;
    esac
done
stop -INT
rm -rf "$2"
"#;

impl Server {
    /// Where its data is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts one, and waits until it answers.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that cannot begin fails")]
    pub fn start() -> Self {
        let programs = programs().expect("PostgreSQL is not installed: run `cargo xtask set-up`");
        let folder = std::env::temp_dir().join(format!("hitoku-postgres-{}", std::process::id()));
        let folder = unused(folder);
        fs::create_dir(&folder).expect("a temporary folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("its rights");
        let user = other_user();
        if let Some(user) = &user {
            chown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("its owner");
        }
        let as_user = |command: &mut Command| {
            if let Some(user) = &user {
                command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
            }
            command.current_dir(&folder);
        };
        let mut make = Command::new(programs.join("initdb"));
        make.args(["--no-sync", "--auth=trust", "--username=hitoku", "--encoding=UTF8", "--locale=C", "-D"]);
        as_user(make.arg(&folder));
        let made = make.output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        // Free a moment ago; another that takes it first makes the start fail, and is seen.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "sh"]).arg(&programs).arg(&folder).arg(port.to_string());
        as_user(watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()));
        let mut process = watch.spawn().expect("sh runs");
        let lifeline = process.stdin.take();
        let server = Self { lifeline, process, port, folder, databases: AtomicU32::new(0) };
        server.wait_until(true);
        server
    }

    /// Ends it at once, as if its machine had gone, and waits until it has.
    ///
    /// # Panics
    /// It does not end.
    pub fn stop(&mut self) {
        self.order("stop");
        self.wait_until(false);
    }

    /// Starts it again, on the same port and data, and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&mut self) {
        self.order("start");
        self.wait_until(true);
    }

    #[expect(clippy::expect_used, reason = "a test that cannot go on fails")]
    fn order(&mut self, order: &str) {
        let lifeline = self.lifeline.as_mut().expect("it is there until this is dropped");
        writeln!(lifeline, "{order}").expect("whoever watches the server reads");
    }

    #[expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
    fn wait_until(&self, answers: bool) {
        let programs = programs().expect("PostgreSQL is installed");
        for _ in 0..600 {
            if self.answers(&programs) == answers {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL should {}answer, but: {log}", if answers { "" } else { "not " });
    }

    /// An empty database of its own.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn database(&self) -> Place {
        self.database_in("UTF8")
    }

    /// One that keeps its text in this encoding.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test that cannot begin fails")]
    pub fn database_in(&self, encoding: &str) -> Place {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let programs = programs().expect("PostgreSQL is installed");
        let made = Command::new(programs.join("createdb"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "hitoku"])
            .args(["--encoding", encoding, "--template", "template0", &name])
            .status();
        assert!(made.is_ok_and(|status| status.success()), "createdb {name}");
        Place::Postgres(self.url(&name).into())
    }

    /// The address of one of its databases.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("postgres://hitoku@127.0.0.1:{}/{name}", self.port)
    }

    fn answers(&self, programs: &Path) -> bool {
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        ready.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take().map(|mut lifeline| lifeline.flush()));
        let _ended = self.process.wait();
    }
}

/// Where Debian puts the server's programs, which is not on the path, the newest first; or where others do.
fn programs() -> Option<PathBuf> {
    const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_isready", "createdb"];
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = debian.into_iter().rev().chain(std::env::split_paths(&path));
    folders.find(|folder| NEEDED.iter().all(|program| folder.join(program).is_file()))
}

/// PostgreSQL refuses to run as root.
fn other_user() -> Option<User> {
    if !Uid::effective().is_root() {
        return None;
    }
    ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten())
}

fn unused(folder: PathBuf) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    folder.with_extension(COUNT.fetch_add(1, Ordering::Relaxed).to_string())
}
