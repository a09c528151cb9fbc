//! Where the file is: SQLite's locks and its shared memory don't work on network file systems
//! (<https://sqlite.org/wal.html>).

use std::path::{Path, PathBuf};

use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::rt::files;

/// The path of an open file, the same by whatever symbolic links it was found. SQLite follows them, too.
pub(super) fn of_file(path: &Path) -> Result<PathBuf, OutboxError> {
    path.canonicalize().map_err(|error| {
        let why = "the file's path can't be resolved";
        OutboxError::new(OutboxErrorKind::Unavailable, why).with_source(error)
    })
}

/// Refuses a path on a network file system, as far as the system tells (Linux does).
pub(super) fn check_is_local(path: &Path) -> Result<(), OutboxError> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new(".")).canonicalize();
    let mounts = files::read_small(Path::new("/proc/self/mountinfo"), LONGEST);
    let (Ok(folder), Ok(mounts)) = (folder, mounts) else {
        // A missing folder is told when the file is opened.
        return Ok(());
    };
    match network_kind(&String::from_utf8_lossy(&mounts), &folder) {
        None => Ok(()),
        Some(kind) => Err(OutboxError::new(
            OutboxErrorKind::Unsupported,
            format!(
                "the file is on a network file system ({kind}), where sqlite loses data: choose a local disk"
            ),
        )),
    }
}

/// Refuses a file with hard links: each of its names would have a journal and a lock of its own.
#[cfg(unix)]
pub(super) fn check_has_one_name(path: &Path) -> Result<(), OutboxError> {
    use std::os::unix::fs::MetadataExt;

    match path.metadata() {
        // A folder counts its own folders, and sqlite says what it is.
        Ok(file) if file.is_file() && file.nlink() > 1 => Err(OutboxError::new(
            OutboxErrorKind::Unsupported,
            format!(
                "the file has {} names (hard links), by which sqlite loses data: leave it one",
                file.nlink()
            ),
        )),
        _ => Ok(()),
    }
}

/// What other systems call the same isn't told.
#[cfg(not(unix))]
pub(super) fn check_has_one_name(_: &Path) -> Result<(), OutboxError> {
    Ok(())
}

/// The kind of the network file system that this folder is on.
fn network_kind<'a>(mountinfo: &'a str, folder: &Path) -> Option<&'a str> {
    let mounts = mountinfo.lines().filter_map(|line| {
        // proc(5): the fifth field is the mount point; the file system's kind follows ` - `.
        let (fields, rest) = line.split_once(" - ")?;
        let point = PathBuf::from(fields.split(' ').nth(4)?.replace("\\040", " "));
        let kind = rest.split(' ').next()?;
        folder.starts_with(&point).then(|| (point.components().count(), kind))
    });
    // Of two at one point, the later one covers the other.
    let (_, kind) = mounts.max_by_key(|(depth, _)| *depth)?;
    let is_network =
        NETWORK.contains(&kind) || kind.starts_with("fuse.") && REMOTE.contains(&&kind[5..]);
    is_network.then_some(kind)
}

const NETWORK: [&str; 12] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb2",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "glusterfs",
    "ncpfs",
];
const REMOTE: [&str; 5] = ["sshfs", "glusterfs", "s3fs", "rclone", "gcsfuse"];
/// More than any host's list of mounts.
const LONGEST: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:30 / /srv/shared\\040files rw - nfs4 host:/export rw
31 22 0:31 / /srv/local rw shared:1 - xfs /dev/sdb rw
32 22 0:32 / /srv/cloud rw - fuse.s3fs s3fs rw
33 22 0:33 / /srv/fuse rw - fuse.ext4 x rw
";

    #[test]
    fn a_folder_is_on_the_file_system_that_is_mounted_nearest_to_it() {
        let kind = |folder: &str| network_kind(MOUNTS, Path::new(folder));
        assert_eq!(kind("/srv/shared files/a"), Some("nfs4"));
        assert_eq!(kind("/srv/cloud"), Some("fuse.s3fs"));
        for local in ["/", "/srv/local/a", "/srv/shared", "/srv/fuse"] {
            assert_eq!(kind(local), None, "{local}");
        }
    }

    #[test]
    fn this_machines_temporary_folder_can_be_used_or_is_refused_by_name() {
        if let Err(error) = check_is_local(&std::env::temp_dir().join("jobs.db")) {
            assert_eq!(error.kind(), OutboxErrorKind::Unsupported);
        }
    }
}
