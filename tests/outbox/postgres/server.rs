//! A PostgreSQL server of the tests' own: in a temporary folder, on a socket in it, as a user that isn't root.
//!
//! A shell watches over the folder. When this process ends, however it ends, the shell's input is closed: it
//! stops the servers and removes the folder.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct Server {
    folder: PathBuf,
    initdb: PathBuf,
    /// Absent if these tests run as somebody else than root.
    user: Option<(u32, u32)>,
    settings: &'static str,
    watcher: Child,
}

/// The server that all tests share; `None` if there is no PostgreSQL on this machine.
pub(crate) fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref()
}

impl Server {
    /// Another server, on files of its own.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is required, and isn't there.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(SETTINGS)
    }

    /// One with these settings.
    pub(crate) fn start_with(settings: &'static str) -> Option<Self> {
        let Some(initdb) = find("initdb") else {
            assert!(
                !is_required("POSTGRES"),
                "initdb is neither in PATH nor in /usr/lib/postgresql: install postgresql"
            );
            println!("skipped: initdb is neither in PATH nor in /usr/lib/postgresql");
            return None;
        };
        let server = Self::new(initdb, settings);
        server.run(
            server
                .command(&server.initdb)
                .arg("-D")
                .arg(server.data())
                .args(["-U", "postgres"])
                .args(OPTIONS),
        );
        server.up();
        Some(server)
    }

    fn new(initdb: PathBuf, settings: &'static str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outrigger-pg-{}-{nth}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        let user =
            is_root(&folder).then(|| user_of("postgres").or_else(|| user_of("nobody")).unwrap());
        if let Some((user, group)) = user {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut watcher = Command::new("/bin/sh");
        watcher.arg("-c").arg(WATCH).env("FOLDER", &folder).stdin(Stdio::piped());
        // A Ctrl-C is for the tests; the watcher has to do its work after it.
        let watcher = watcher.process_group(0).spawn().unwrap();
        Self { folder, initdb, user, settings, watcher }
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn up(&self) {
        let mut start = self.command(&self.initdb.with_file_name("pg_ctl"));
        start.args(["start", "-w", "-t", "60", "-D"]).arg(self.data());
        start.arg("-l").arg(self.folder.join("log"));
        let settings = format!("-k {} {}", self.folder.display(), self.settings);
        self.run(start.arg("-o").arg(settings));
    }

    /// Ends it as a crash would, without a word to its clients.
    pub(crate) fn down(&self) {
        let mut stop = self.command(&self.initdb.with_file_name("pg_ctl"));
        self.run(stop.args(["stop", "-m", "immediate", "-w", "-D"]).arg(self.data()));
    }

    pub(crate) fn connection_string(&self) -> String {
        format!("host={} user=postgres dbname=postgres", self.folder.display())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program that isn't run as root.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir(&self.folder).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    pub(crate) fn give(&self, file: &Path) {
        if let Some((user, group)) = self.user {
            chown(file, Some(user), Some(group)).unwrap();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn run(&self, command: &mut Command) {
        // A server keeps its starter's output open, so that is a file.
        let file = fs::File::create(self.folder.join("output")).unwrap();
        let status = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        let told = || fs::read_to_string(self.folder.join("output")).unwrap_or_default();
        assert!(status.success(), "{command:?}: {}", told());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

/// Whether tests must not be skipped for want of this.
pub(crate) fn is_required(what: &str) -> bool {
    std::env::var_os(format!("OUTRIGGER_REQUIRE_{what}")).is_some_and(|is| is == "1")
}

/// A program of PostgreSQL's: its folder is in PATH, or where Debian has it.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders =
        debian.map(|version| version.path().join("bin")).chain(std::env::split_paths(&path));
    folders
        .filter_map(|folder| folder.join(program).canonicalize().ok())
        .find(|found| found.with_file_name("pg_ctl").exists())
}

fn is_root(own: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata(own).unwrap()) == 0
}

fn user_of(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Writes a file for the server's user.
pub(crate) fn write(server: &Server, name: &str, text: &str) -> PathBuf {
    let path = server.folder().join(name);
    fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    server.give(&path);
    path
}

const OPTIONS: [&str; 5] = ["-A", "trust", "-E", "UTF8", "--no-sync"];
/// No disk is waited for: what a crash of the machine leaves is PostgreSQL's own matter.
const SETTINGS: &str = "-c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=200 -c shared_buffers=64MB -c autovacuum=off";
const WATCH: &str = r#"
read -r _
for file in "$FOLDER"/*.pid; do [ -f "$file" ] && kill -KILL "$(cat "$file")"; done
file="$FOLDER/data/postmaster.pid"
[ -f "$file" ] && server=$(head -n 1 "$file") && kill -QUIT "$server"
n=0
while [ -n "$server" ] && kill -0 "$server" 2>/dev/null && [ "$n" -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
rm -rf "$FOLDER"
"#;
