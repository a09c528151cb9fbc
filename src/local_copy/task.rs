//! The task that loads: it waits, loads, and keeps the snapshot.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::IF_NONE_MATCH;
use tokio::sync::watch;

use super::guard::{Counted, Guard};
use super::load::{Loaded, Loader};
use super::load_error::{Problem, Refused};
use super::shared::Shared;
use super::snapshot::Snapshot;
use crate::freshness::Moments;
use crate::rt::{self, Lock, Rng, callback};
use crate::terms::local_copy::{CopyState, LoadFailure, LocalCopyEvent, SnapshotProblem};

pub(super) struct LoadTask<T> {
    pub(super) shared: Arc<Shared<T>>,
    pub(super) loader: Loader<T>,
    pub(super) guard: Guard<T>,
    pub(super) timeout: Duration,
    pub(super) snapshot: Option<Snapshot<T>>,
    pub(super) rng: Rng,
    /// Counts the loads that have ended, for those who wait. Gone with this task.
    pub(super) ended: watch::Sender<u64>,
}

/// A load that has succeeded: another copy with the conditions of the next load, or none.
type Success<T> = Option<(Counted<T>, http::HeaderMap)>;

impl<T: Send + Sync + 'static> LoadTask<T> {
    pub(super) async fn run(mut self) {
        self.restore().await;
        loop {
            self.wait().await;
            self.load().await;
        }
    }

    /// Waits until a load should begin.
    async fn wait(&self) {
        loop {
            let now = self.tell_worse();
            let due = self.shared.inner.locked().machine.due_in(now);
            if due.is_zero() {
                return;
            }
            let woken = pin!(self.shared.wake.notified());
            self.until_worse(now, Some(due), woken).await;
        }
    }

    /// Loads once. What it comes to is in the machine.
    async fn load(&mut self) {
        let (load, began) = (self.shared.begin(), self.shared.now());
        let mut loading = (self.loader)(load);
        let due = rt::after(began.monotonic, self.timeout);
        let loaded = {
            let work = callback::run("loader", loading.as_mut());
            let mut work = pin!(rt::until(Some(due), work));
            loop {
                let now = self.tell_worse();
                if let Some(loaded) = self.until_worse(now, None, work.as_mut()).await {
                    break loaded;
                }
            }
        };
        // One that hangs is dropped here, which is the host's code, too.
        let _ = callback::call("drop of a loader", || drop(loading));
        let outcome = match loaded {
            Some(Some(loaded)) => loaded.map_err(Problem::from).and_then(|new| {
                // What is refused is dropped in there, which may be the host's code, too.
                let checked = callback::call("count", || self.check(new));
                checked.unwrap_or_else(|| Err(panicked("the count panicked")))
            }),
            Some(None) => Err(panicked("the loader panicked")),
            None => {
                let why = format!("the loader did not end within {:?}", self.timeout);
                Err(Problem::new(LoadFailure::TimedOut, why))
            }
        };
        let has_loaded = self.end(outcome, began);
        self.ended.send_modify(|ended| *ended += 1);
        if has_loaded {
            self.keep().await;
        }
    }

    /// Waits for `work`, until this or until the copy becomes late or expires by either clock.
    async fn until_worse<F: Future>(
        &self,
        now: Moments,
        due: Option<Duration>,
        work: Pin<&mut F>,
    ) -> Option<F::Output> {
        let worse = self.shared.inner.locked().machine.worsens_in(now);
        let pause = due.into_iter().chain(worse).chain([LOOK]).min();
        rt::until(pause.map(|pause| rt::after(now.monotonic, pause)), work).await
    }

    /// Tells once that the copy became late or expired.
    fn tell_worse(&self) -> Moments {
        let now = self.shared.now();
        let worsened = self.shared.inner.locked().machine.worsened(now);
        match worsened {
            Some(CopyState::Expired) => self.shared.tell(LocalCopyEvent::Expired),
            Some(_) => self.shared.tell(LocalCopyEvent::Late),
            None => {}
        }
        now
    }

    /// Asks the guard.
    fn check(&self, loaded: Loaded<T>) -> Result<Success<T>, Problem> {
        let present = self.shared.present();
        let Some(value) = loaded.value else {
            let why = "the loader says that nothing has changed, but there is no copy yet";
            return match present {
                Some(_) => Ok(None),
                None => Err(Problem::new(LoadFailure::Failed, why)),
            };
        };
        let new = self.guard.count(value);
        let version = loaded.conditions.get(IF_NONE_MATCH).cloned();
        let facts = Refused { count: new.count, version };
        if !self.shared.is_accepted(&facts) {
            let checked = self.guard.check(present.as_ref(), &new);
            checked.map_err(|why| Problem::refused(why, facts))?;
        }
        Ok(Some((new, loaded.conditions)))
    }

    /// Keeps what a load came to, and tells it; returns whether it succeeded.
    fn end(&self, outcome: Result<Success<T>, Problem>, began: Moments) -> bool {
        let now = self.shared.now();
        let elapsed = now.monotonic.saturating_duration_since(began.monotonic);
        let mut inner = self.shared.inner.locked();
        let success = match outcome {
            Ok(success) => success,
            Err(problem) => {
                let failure = problem.failure;
                let retry_in = inner.machine.failed(problem, now, &self.rng);
                drop(inner);
                self.shared.tell(LocalCopyEvent::LoadFailed { failure, elapsed, retry_in });
                return false;
            }
        };
        let changed = success.is_some();
        let new = success.map(|(new, conditions)| {
            inner.conditions = conditions;
            (new.value, new.count)
        });
        let old = inner.machine.loaded(new, began, now, &self.rng);
        let count = inner.machine.seen(now).map_or(0, |seen| seen.count);
        drop(inner);
        // Its end may be the host's code, and long.
        let _ = callback::call("drop of a copy", || drop(old));
        self.shared.tell(LocalCopyEvent::Loaded { changed, count, elapsed });
        true
    }

    /// Reads the snapshot.
    async fn restore(&mut self) {
        let Some(snapshot) = &self.snapshot else { return };
        let read = snapshot.read().await.and_then(|read| {
            let Some((value, loaded)) = read else { return Ok(None) };
            let counted = callback::call("count", || self.guard.count(value));
            Ok(Some((counted.ok_or(SnapshotProblem::Undecodable)?, loaded)))
        });
        match read {
            Ok(None) => {}
            Ok(Some((Counted { value, count }, loaded))) => {
                let now = self.shared.now();
                let age = self.shared.inner.locked().machine.restore(value, count, loaded, now);
                self.shared.tell(LocalCopyEvent::SnapshotRead { age, count });
                self.ended.send_modify(|_| {});
            }
            Err(problem) => self.fail_snapshot(problem),
        }
    }

    /// Writes the snapshot.
    async fn keep(&mut self) {
        let (Some(snapshot), Some(seen)) = (&mut self.snapshot, self.shared.seen()) else { return };
        match snapshot.write(seen.value, seen.loaded).await {
            Ok(()) => self.shared.inner.locked().snapshot = None,
            Err(problem) => self.fail_snapshot(problem),
        }
    }

    fn fail_snapshot(&self, problem: SnapshotProblem) {
        self.shared.inner.locked().snapshot = Some(problem);
        self.shared.tell(LocalCopyEvent::SnapshotFailed { problem });
    }
}

fn panicked(what: &str) -> Problem {
    Problem::new(LoadFailure::Panicked, what)
}

/// How often both clocks are compared: the monotonic one, by which a task sleeps, may stand still while the
/// machine is suspended.
const LOOK: Duration = Duration::from_secs(30);
