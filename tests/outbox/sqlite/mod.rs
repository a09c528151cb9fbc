//! The suite for the store in a file, and what only a file has.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::outbox::{MemoryHook, SqliteHook, SqliteStore};

use crate::suite::{Bench, HOOKED, clock};

/// A folder that is removed at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("outrigger-outbox-{}-{nth}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("jobs.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn open(hook: Arc<MemoryHook>) -> Bench {
    let (clock, folder) = (clock(), Folder::new());
    let hook: Arc<SqliteHook> = Arc::new(move |_, message, answer| hook(message, answer));
    let hooks = BTreeMap::from([(HOOKED.to_owned(), hook)]);
    let store = SqliteStore::open_with(folder.file(), clock.clock(), hooks).unwrap();
    Bench::new(store, clock).keeping(folder)
}

suite!(open);

mod file;
mod seals;
