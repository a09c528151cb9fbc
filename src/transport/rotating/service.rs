use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::generation::Generation;
use crate::event::{Emitter, Event};
use crate::outcome::{BoxError, Error};
use crate::rt::{self, Lock, Rng, callback};

/// A client that is replaced by a new one from time to time. See the [module](super).
///
/// Clones share the present client.
pub struct Rotating<S> {
    settings: Settings,
    shared: Arc<Shared<S>>,
    /// The client that was polled ready, and its generation.
    ready: Option<(S, u64)>,
}

#[derive(Clone)]
struct Settings {
    life: Option<Duration>,
    max_failures: u32,
    emitter: Emitter,
    rng: Rng,
}

pub(super) struct Shared<S> {
    make: Box<dyn Fn() -> Result<S, BoxError> + Send + Sync>,
    present: Mutex<Present<S>>,
}

struct Present<S> {
    client: S,
    generation: Generation,
    /// A call is making the next one.
    replacing: bool,
}

impl<S: Clone> Rotating<S> {
    /// Makes the first client, and all that follow, by `make`.
    ///
    /// # Errors
    ///
    /// When the first can't be made. Where a later one can't, or `make` panics, the one before it stays.
    pub fn new<F, E>(make: F) -> Result<Self, E>
    where
        F: Fn() -> Result<S, E> + Send + Sync + 'static,
        E: Into<BoxError>,
    {
        let (client, rng) = (make()?, Rng::system());
        let life = Some(Duration::from_secs(300));
        let generation = Generation::first(life, rt::now(), &rng);
        let present = Mutex::new(Present { client, generation, replacing: false });
        let make = Box::new(move || make().map_err(Into::into));
        Ok(Self {
            settings: Settings { life, max_failures: 5, emitter: Emitter::new(), rng },
            shared: Arc::new(Shared { make, present }),
            ready: None,
        })
    }

    /// How old a client may grow, give or take a fifth.
    #[must_use]
    pub fn time_to_live(mut self, life: Duration) -> Self {
        self.settings.life = Some(life);
        self.shared.present.locked().generation = self.settings.first();
        self
    }

    /// After how many connections in a row that could not be made it is replaced early; at least
    /// one.
    #[must_use]
    pub fn max_connect_failures(mut self, failures: u32) -> Self {
        self.settings.max_failures = failures.max(1);
        self
    }

    /// Where events go.
    #[must_use]
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.settings.emitter = emitter;
        self
    }

    /// What spreads the lives.
    #[must_use]
    pub fn rng(mut self, rng: Rng) -> Self {
        self.settings.rng = rng;
        self.shared.present.locked().generation = self.settings.first();
        self
    }

    /// The present client, after replacing it if it is time.
    fn present(&self) -> (S, u64) {
        let Settings { life, max_failures, emitter, rng } = &self.settings;
        let now = rt::now();
        let mut present = self.shared.present.locked();
        let over = present.generation.is_over(*max_failures, now).filter(|_| !present.replacing);
        let Some(cause) = over else {
            return (present.client.clone(), present.generation.number);
        };
        present.replacing = true;
        // Other calls go on with the old client while this call makes the new one.
        drop(present);
        let made = callback::call("client maker", &self.shared.make);
        let made = made.unwrap_or_else(|| Err("it panicked".into()));
        let mut present = self.shared.present.locked();
        present.replacing = false;
        let old = match made {
            Ok(client) => {
                present.generation.replaced(*life, now, rng);
                Some(std::mem::replace(&mut present.client, client))
            }
            Err(_) => {
                present.generation.kept(*life, now, rng);
                None
            }
        };
        let chosen = (present.client.clone(), present.generation.number);
        drop(present);
        let replaced = old.is_some();
        emitter.emit(None, || Event::ClientReplaced { cause, replaced });
        // Its pool is closed when the last call that began with it has ended.
        drop(old);
        chosen
    }
}

impl Settings {
    fn first(&self) -> Generation {
        Generation::first(self.life, rt::now(), &self.rng)
    }
}

impl<S> Shared<S> {
    pub(super) fn record(&self, generation: u64, connected: bool) {
        self.present.locked().generation.record(generation, connected);
    }
}

impl<S, B, ResBody> Service<Request<B>> for Rotating<S>
where
    S: Service<Request<B>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<ResBody>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, S>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        if self.ready.is_none() {
            self.ready = Some(self.present());
        }
        let Some((client, _)) = &mut self.ready else {
            return Poll::Pending;
        };
        client.poll_ready(cx).map_err(|error| {
            // The next call begins with whichever client is present then.
            self.ready = None;
            Error::from_inner(error, None).unsent()
        })
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut client, generation) = self.ready.take().expect("polled ready before it is called");
        ResponseFuture::new(client.call(request), Arc::clone(&self.shared), generation)
    }
}

/// A clone carries no readiness.
impl<S> Clone for Rotating<S> {
    fn clone(&self) -> Self {
        let (settings, shared) = (self.settings.clone(), Arc::clone(&self.shared));
        Self { settings, shared, ready: None }
    }
}

impl<S> fmt::Debug for Rotating<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.shared.present.locked().generation.number;
        f.debug_struct("Rotating").field("generation", &generation).finish_non_exhaustive()
    }
}
