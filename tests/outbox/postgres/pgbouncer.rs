//! A PgBouncer of the tests' own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::server::{Server, is_required, write};

/// Where one listens, with fewer connections than the store has, before the server that all tests share; `None` if
/// there is no PgBouncer on this machine.
///
/// # Panics
///
/// If it is required, and isn't there.
pub(crate) fn shared(server: &Server) -> Option<&'static str> {
    static BOUNCER: OnceLock<Option<String>> = OnceLock::new();
    let start = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Debian has it where only root's PATH leads.
        let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let found = folders.map(|folder| folder.join("pgbouncer")).find(|program| program.exists());
        let missing = "pgbouncer is neither in PATH nor in /usr/sbin";
        assert!(found.is_some() || !is_required("PGBOUNCER"), "{missing}: install pgbouncer");
        if found.is_none() {
            println!("skipped: {missing}");
        }
        Some(start(server, &found?))
    };
    BOUNCER.get_or_init(start).as_deref()
}

/// It ends with the server, by its file of its process id.
fn start(server: &Server, program: &Path) -> String {
    let folder = server.folder().display();
    let settings = format!(
        "[databases]\npostgres = host={folder} user=postgres\n[pgbouncer]\nlisten_addr =\n\
        unix_socket_dir = {folder}\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\n\
        default_pool_size = 3\npidfile = {folder}/bouncer.pid\nlogfile = {folder}/bouncer.log\n"
    );
    let settings = write(server, "bouncer.ini", &settings);
    let mut start = server.command(program);
    start.arg("-d").arg(settings).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(start.status().unwrap().success());
    format!("host={folder} port=6432 user=postgres dbname=postgres")
}
