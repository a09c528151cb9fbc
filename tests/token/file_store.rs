//! One process at a time refreshes what is in a file.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use outrigger::token::oauth::{FileStore, StoredToken, TokenStore};

#[tokio::test]
async fn the_lease_of_a_file_ends_with_its_holder_and_with_nothing_else() {
    let folder = std::env::temp_dir().join(format!("outrigger-lease-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let [path, lock] = ["refresh", "refresh.lock"].map(|name| folder.join(name));
    fs::write(&path, "r1\n").unwrap();
    File::create(&lock).unwrap();
    let (now, day) = (SystemTime::now(), Duration::from_secs(24 * 3600));
    let modified = |time| File::options().write(true).open(&lock).unwrap().set_modified(time);
    // What a process left that ended, by a clock that was ahead.
    modified(now + day).unwrap();
    let stores = [FileStore::new(&path), FileStore::new(&path)];
    let wait =
        |seconds, at: usize| tokio::time::timeout(Duration::from_secs(seconds), stores[at].lease());
    let first = wait(20, 0).await.expect("nobody holds it").unwrap();
    // Its holder was suspended for long.
    modified(now - day).unwrap();
    assert!(wait(1, 1).await.is_err(), "two hold it");
    drop(first);
    let second = wait(20, 1).await.expect("nobody holds it any more").unwrap();
    assert!(wait(1, 0).await.is_err(), "two hold it");
    drop(second);
    let _third = wait(20, 0).await.expect("nobody holds it any more").unwrap();
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_login_that_a_person_wrote_meanwhile_is_not_overwritten_though_neither_has_a_version() {
    let folder = std::env::temp_dir().join(format!("outrigger-login-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("refresh");
    let store = FileStore::new(&path);
    fs::write(&path, "r1\n").unwrap();
    let used = store.load().await.unwrap();
    // While it is used, somebody logs in again, with an editor that begins files with a byte order mark.
    fs::write(&path, "\u{feff}r7\r\n").unwrap();
    assert!(!store.compare_and_swap(&used, "r2".into()).await.unwrap());
    let login = store.load().await.unwrap();
    assert_eq!(login, StoredToken::new("r7", 0));
    assert!(store.compare_and_swap(&login, "r8".into()).await.unwrap());
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r8", 1));
    fs::remove_dir_all(&folder).unwrap();
}
