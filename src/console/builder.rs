use std::fmt;
use std::sync::Arc;

use tower_http::csrf::CsrfLayer;

use super::access::Access;
use super::acts::{Acts, RecordAct};
use super::form_token::FormTokens;
use super::inner::Inner;
use super::recent::Recent;
use super::service::Console;
use super::words::{English, Words};
use crate::control::Registry;
use crate::event::Emitter;
use crate::outbox::Outbox;
use crate::redact::Redactor;
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, Errors};

/// The console, before it is built.
#[must_use]
pub struct ConsoleBuilder {
    registry: Registry,
    access: Box<dyn Access>,
    recent: Option<Recent>,
    outbox: Option<Outbox>,
    redactor: Arc<dyn Redactor>,
    recorder: Option<Arc<dyn RecordAct>>,
    clock: Clock,
    form_key: Option<[u8; 32]>,
    trusted: Vec<String>,
    words: Box<dyn Words>,
}

impl Console {
    /// A console for all integrations of a registry, for those whom `access` lets in.
    pub fn builder(registry: &Registry, access: impl Access) -> ConsoleBuilder {
        ConsoleBuilder {
            registry: registry.clone(),
            access: Box::new(access),
            recent: None,
            outbox: None,
            redactor: Inner::redactor(),
            recorder: None,
            clock: Clock::system(),
            form_key: None,
            trusted: Vec::new(),
            words: Box::new(English),
        }
    }
}

impl ConsoleBuilder {
    /// What remembers calls; it must be a subscriber of the registry. Without it, the pages say that calls
    /// aren't remembered: they show no figures and no failures, and find no calls.
    pub fn recent(mut self, recent: Recent) -> Self {
        self.recent = Some(recent);
        self
    }

    /// The outbox whose messages are shown. Its lanes are those that this process has.
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = Some(outbox);
        self
    }

    /// What is shown of requests and answers; a [`StandardRedactor`](crate::redact::StandardRedactor) by
    /// default.
    pub fn redactor(mut self, redactor: impl Redactor) -> Self {
        self.redactor = Arc::new(redactor);
        self
    }

    /// Is told of each act, before it runs and after. The console itself forgets them with its process.
    pub fn record_to(mut self, recorder: impl RecordAct) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// The key of the forms' tokens, where several processes answer for one address. By default it is
    /// made anew in each process, and a form is only taken by the one that made it.
    pub fn form_key(mut self, key: [u8; 32]) -> Self {
        self.form_key = Some(key);
        self
    }

    /// An origin whose pages may send forms here, such as `https://ops.example`, beside the console's own. It is
    /// needed where a proxy changes the `host` header.
    pub fn trusted_origin(mut self, origin: impl Into<String>) -> Self {
        self.trusted.push(origin.into());
        self
    }

    /// The pages' words in another language; they are English by default. A host whose people have several mounts a
    /// console for each. Consoles of one registry don't know of each other's acts: what one of them is to set back by itself
    /// is set back, although another has asked for the same again meanwhile.
    pub fn words(mut self, words: impl Words) -> Self {
        self.words = Box::new(words);
        self
    }

    /// Another clock, for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks all settings.
    ///
    /// # Errors
    ///
    /// Names each trusted origin that is none.
    pub fn build(self) -> Result<Console, ConfigError> {
        let mut layer = CsrfLayer::new();
        let mut found = Vec::new();
        for origin in self.trusted {
            layer = match layer.clone().add_trusted_origin(&origin) {
                Ok(with) => with,
                Err(error) => {
                    Errors::new("console", &mut found).add("trusted_origin", error.to_string());
                    layer
                }
            };
        }
        ConfigError::check(None, found)?;
        let rng = Rng::system();
        let tokens = match self.form_key {
            Some(key) => FormTokens::new(&key),
            None => FormTokens::random(&rng),
        };
        let subscribers = self.registry.subscribers().into_iter();
        let emitter = subscribers.fold(Emitter::new(), Emitter::with_shared);
        let inner = Inner {
            registry: self.registry,
            access: self.access,
            recent: self.recent,
            outbox: self.outbox,
            redactor: self.redactor,
            clock: self.clock,
            tokens,
            acts: Arc::new(Acts::new(self.recorder, emitter)),
            tasks: Default::default(),
            wanted: Default::default(),
            streams: Default::default(),
            lanes: Default::default(),
            words: self.words,
        };
        Ok(Console::new(&layer, inner))
    }
}

impl fmt::Debug for ConsoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleBuilder").finish_non_exhaustive()
    }
}
