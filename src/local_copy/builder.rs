use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::{Notify, watch};

use super::guard::Guard;
use super::handle::{LocalCopy, Owned};
use super::load::{Load, Loaded, Loader, boxed};
use super::load_error::LoadError;
use super::shared::{Inner, Shared};
use super::snapshot::Snapshot;
use super::state::{Machine, SHORTEST_WAIT, Times};
use super::task::LoadTask;
use crate::control::AnyCopy;
use crate::freshness::Moments;
use crate::integration::Integration;
use crate::outcome::BoxError;
use crate::rt::{self, Clock, Rng};
use crate::settings::{ConfigError, validate};

/// Settings of a [`LocalCopy`].
#[must_use = "a copy is not loaded until `start`"]
pub struct LocalCopyBuilder<T> {
    name: &'static str,
    integration: Integration,
    loader: Loader<T>,
    guard: Guard<T>,
    times: Times,
    load_timeout: Duration,
    snapshot: Option<Snapshot<T>>,
    clock: Clock,
    rng: Rng,
}

impl<T: Send + Sync + 'static> LocalCopy<T> {
    /// A copy of something at this integration, whose subscribers are told of it, and in whose health and
    /// controls it is.
    ///
    /// The name is for events, metrics and controls: no other copy and no other control of the integration has
    /// it. `count` says how many entries a copy has, for the guard and for people; of a single document
    /// `|_| 1`. The loader runs in a task of its own, one load at a time.
    pub fn builder<C, L, R>(
        name: &'static str,
        integration: &Integration,
        count: C,
        loader: L,
    ) -> LocalCopyBuilder<T>
    where
        C: Fn(&T) -> usize + Send + Sync + 'static,
        L: Fn(Load) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Loaded<T>, LoadError>> + Send + 'static,
    {
        LocalCopyBuilder {
            name,
            integration: integration.clone(),
            loader: boxed(loader),
            guard: Guard { count: Box::new(count), own: None },
            times: Times { every: Duration::from_secs(300), max_age: None },
            load_timeout: Duration::from_secs(300),
            snapshot: None,
            clock: Clock::system(),
            rng: Rng::system(),
        }
    }
}

impl<T: Send + Sync + 'static> LocalCopyBuilder<T> {
    /// The time from the begin of one load to that of the next, plus or minus a tenth by chance; 5 min by
    /// default, 100 ms at least. A load that takes longer is followed by the next one at once.
    pub fn every(mut self, interval: Duration) -> Self {
        self.times.every = interval;
        self
    }

    /// How old the copy may be: from then on, [`get`](LocalCopy::get) is an error. By default it is served
    /// however old it is. It must be longer than the interval.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.times.max_age = Some(age);
        self
    }

    /// The longest time of one load; 5 min by default.
    pub fn load_timeout(mut self, limit: Duration) -> Self {
        self.load_timeout = limit;
        self
    }

    /// Decides whether what was loaded (the second argument) may take the place of the copy (the first, if
    /// there is one), instead of the built-in guard, which refuses a copy without entries and one with fewer
    /// than half of those before. A guard that panics refuses: `refused: the guard panicked`.
    ///
    /// ```
    /// use outrigger::local_copy::{LoadError, LocalCopyBuilder};
    ///
    /// fn may_be_empty(copy: LocalCopyBuilder<Vec<String>>) -> LocalCopyBuilder<Vec<String>> {
    ///     copy.guard(|_, new| match new.iter().any(String::is_empty) {
    ///         true => Err(LoadError::new("refused: a name is empty")),
    ///         false => Ok(()),
    ///     })
    /// }
    /// ```
    pub fn guard<G>(mut self, guard: G) -> Self
    where
        G: Fn(Option<&T>, &T) -> Result<(), LoadError> + Send + Sync + 'static,
    {
        self.guard.own = Some(Box::new(guard));
        self
    }

    /// Keeps the copy in this file too, so that a process that starts while the provider is down has one. Its
    /// folder must exist, and no other process may write it. See [snapshots](super#snapshots).
    ///
    /// Both functions run on a thread of their own. With JSON they are
    /// `|copy| Ok(serde_json::to_vec(copy)?)` and `|bytes| Ok(serde_json::from_slice(bytes)?)`.
    pub fn snapshot<E, D>(mut self, path: impl Into<PathBuf>, encode: E, decode: D) -> Self
    where
        E: Fn(&T) -> Result<Vec<u8>, BoxError> + Send + Sync + 'static,
        D: Fn(&[u8]) -> Result<T, BoxError> + Send + Sync + 'static,
    {
        let (encode, decode) = (Box::new(encode), Box::new(decode));
        self.snapshot = Some(Snapshot::new(self.name, path.into(), encode, decode));
        self
    }

    /// The wall clock, by which the copy's age is counted beside the monotonic one; the system's by default.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Spreads the loads; the thread's own generator by default.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self
    }

    /// Starts the task that loads. The first load begins at once.
    ///
    /// # Errors
    ///
    /// Settings that can't work, each by its name; a name that another copy of the integration has, as long as
    /// one of its handles exists, or one of its controls.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn start(self) -> Result<LocalCopy<T>, ConfigError> {
        self.check()?;
        let now = Moments { monotonic: rt::now(), wall: self.clock.wall() };
        let machine = Machine::new(self.times, now);
        let shared = Arc::new(Shared {
            name: self.name,
            inner: Mutex::new(Inner { machine, conditions: HeaderMap::new(), snapshot: None }),
            wake: Notify::new(),
            emitter: self.integration.emitter().clone(),
            clock: self.clock,
        });
        let (tell, ended) = watch::channel(0);
        let task = LoadTask {
            shared: Arc::clone(&shared),
            loader: self.loader,
            guard: self.guard,
            timeout: self.load_timeout,
            snapshot: self.snapshot,
            rng: self.rng,
            ended: tell,
        };
        let owned = Arc::new(Owned { shared, ended, task: OnceLock::new() });
        self.integration.attach(Arc::clone(&owned) as Arc<dyn AnyCopy>)?;
        owned.task.get_or_init(|| rt::spawn_task(task.run()));
        Ok(LocalCopy(owned))
    }

    fn check(&self) -> Result<(), ConfigError> {
        validate("local_copy", |errors| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if !(1..=40).contains(&self.name.len()) || !self.name.bytes().all(fits) {
                errors.add("name", "it must be 1 to 40 letters, digits, dots, dashes, underscores");
            }
            if self.times.every < SHORTEST_WAIT {
                errors.add("every", format_args!("it must be at least {SHORTEST_WAIT:?}"));
            }
            if self.times.max_age.is_some_and(|age| age <= self.times.every) {
                let why = "the copy would expire before each load: it must be longer than `every`";
                errors.add("max_age", why);
            }
            errors.refuse_zero("load_timeout", Some(self.load_timeout));
        })
    }
}

impl<T> fmt::Debug for LocalCopyBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCopyBuilder")
            .field("name", &self.name)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
