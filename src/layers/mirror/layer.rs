use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, Request};
use tower_layer::Layer;

use super::around::MirrorPattern;
use super::handle::MirrorHandle;
use super::seen::Seen;
use super::state::MirrorState;
use crate::body::Body;
use crate::context::RequestHead;
use crate::event::Emitter;
use crate::outcome::{Classify, SharedClassifier};
use crate::pattern::{Layered, Own, Pattern, Slot, ToPattern, Wiring};
use crate::replay::is_safe;
use crate::rt::Rng;
use crate::settings::{ConfigError, Errors, Ratio, validate};

/// Copies calls to another service. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, has the same share and the same limit
/// of copies, and so do its handles. Changing a setting afterwards detaches the layer. An integration
/// that was built with it shares them too; of several, all do if a handle was taken before, otherwise
/// the first.
#[derive(Clone)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct MirrorLayer<T> {
    pub(super) target: T,
    share: Ratio,
    pub(crate) concurrency: u32,
    pub(crate) limit: Duration,
    pub(crate) body_cap: usize,
    /// The header of the calls' idempotency keys, if it isn't the usual one.
    pub(super) key_header: Option<HeaderName>,
    pub(super) choose: Arc<Choose>,
    pub(super) prepare: Option<Arc<Prepare>>,
    pub(super) compare: Option<Arc<Compare>>,
    pub(super) classifier: SharedClassifier,
    pub(super) rng: Rng,
    pub(super) emitter: Emitter,
    pub(super) state: Arc<MirrorState>,
}

/// A service whose calls are copied to another, `T`, made by a [`MirrorLayer`]. The service that it
/// wraps must be `Clone`. Its requests have a [`Body`](crate::Body).
pub type Mirror<S, T> = Layered<MirrorPattern<T>, S, Own>;

pub(super) type Choose = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;
pub(super) type Prepare = dyn Fn(Request<Body>) -> Request<Body> + Send + Sync;
pub(super) type Compare = dyn Fn(&Seen, &Seen) -> bool + Send + Sync;

impl<T> MirrorLayer<T> {
    /// Copies this share of the calls to `target`, drawn call by call; 100 % at most.
    pub fn new(target: T, share: Ratio) -> Self {
        Self {
            target,
            share,
            concurrency: CONCURRENCY,
            limit: LIMIT,
            body_cap: BODY_CAP,
            key_header: None,
            choose: Arc::new(|head| may_be_copied(head.method)),
            prepare: None,
            compare: None,
            classifier: SharedClassifier::default(),
            rng: Rng::system(),
            emitter: Emitter::new(),
            state: Arc::new(MirrorState::new(share)),
        }
    }

    /// How many copies may be in flight, 8 by default and at least one; further calls are not copied,
    /// and count as skipped.
    pub fn concurrency(mut self, copies: u32) -> Self {
        self.concurrency = copies;
        self.renewed()
    }

    /// How long a copy may take, 30 s by default, the wait for the real answer included where both
    /// are compared. Then it is dropped.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self.renewed()
    }

    /// Which calls may be copied, in place of all with a safe method.
    ///
    /// A copied POST may charge twice: choose one only where the target is known to do nothing.
    pub fn choose<F>(mut self, choose: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static,
    {
        self.choose = Arc::new(choose);
        self.renewed()
    }

    /// Adapts the copy to the other API: its URI, its credentials.
    pub fn prepare<F>(mut self, prepare: F) -> Self
    where
        F: Fn(Request<Body>) -> Request<Body> + Send + Sync + 'static,
    {
        self.prepare = Some(Arc::new(prepare));
        self.renewed()
    }

    /// Whether the copy's answer, the second, agrees with the real one.
    pub fn compare<F>(mut self, compare: F) -> Self
    where
        F: Fn(&Seen, &Seen) -> bool + Send + Sync + 'static,
    {
        self.compare = Some(Arc::new(compare));
        self.renewed()
    }

    /// How much of each body is kept for the comparison, in bytes; 64 KiB by default.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.body_cap = bytes;
        self.renewed()
    }

    /// What the copies' results mean.
    pub fn classifier(mut self, classifier: impl Classify) -> Self {
        self.classifier = SharedClassifier::new(classifier);
        self.renewed()
    }

    /// What draws the calls that are copied; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self.renewed()
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self.renewed()
    }

    /// A handle that reads and sets the share.
    #[must_use]
    pub fn handle(&self) -> MirrorHandle {
        self.state.ownership.share();
        MirrorHandle::new(Arc::clone(&self.state))
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("mirror", |errors| self.check_into(errors))
    }

    /// The same copies, sent to another target.
    pub(crate) fn retargeted<U>(self, target: U) -> MirrorLayer<U> {
        let Self { share, concurrency, limit, body_cap, choose, prepare, compare, .. } = self;
        let Self { key_header, classifier, rng, emitter, state, .. } = self;
        MirrorLayer {
            target,
            share,
            concurrency,
            limit,
            body_cap,
            key_header,
            choose,
            prepare,
            compare,
            classifier,
            rng,
            emitter,
            state,
        }
    }

    pub(crate) fn target(&self) -> &T {
        &self.target
    }

    /// The header from which idempotency keys are removed in copies.
    pub(crate) fn key_header(mut self, header: Option<HeaderName>) -> Self {
        self.key_header = header;
        self
    }

    /// Copies nothing, whatever share is set, because there is no target.
    pub(crate) fn without_target(mut self) -> Self {
        self.choose = Arc::new(|_| false);
        self
    }

    /// This share.
    pub(crate) fn share(mut self, share: Ratio) -> Self {
        self.share = share;
        self.renewed()
    }

    /// The same layer, detached from the others' state.
    fn renewed(mut self) -> Self {
        self.state = Arc::new(MirrorState::new(self.share));
        self
    }
}

impl<T> Slot for MirrorLayer<T> {
    /// It keeps the state that it shares with its handles, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.state.ownership.adopt() { self } else { self.renewed() };
        let Wiring { emitter, classifier } = wiring.clone();
        Self { emitter, classifier, ..adopted }
    }

    /// These settings, with the counts that are in use. The share that a handle set stays unless these
    /// settings change it.
    fn inherit(mut self, running: &Self) -> Self {
        if self.share != running.share {
            running.state.set_share(self.share);
        }
        self.state = Arc::clone(&running.state);
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        if self.share > Ratio::ONE {
            let share = self.share;
            errors
                .add("share", format_args!("{share} of the calls is too much: copy 100% at most"));
        }
        if self.concurrency == 0 {
            errors.add(
                "concurrency",
                "zero places let nothing through: allow at least one, or set the share to zero",
            );
        }
        errors.refuse_zero("limit", Some(self.limit));
    }
}

impl<T> fmt::Debug for MirrorLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorLayer")
            .field("concurrency", &self.concurrency)
            .field("limit", &self.limit)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<T: Clone> ToPattern for MirrorLayer<T>
where
    MirrorPattern<T>: Pattern,
{
    type Pattern = MirrorPattern<T>;

    fn to_pattern(&self) -> MirrorPattern<T> {
        MirrorPattern::new(self.clone())
    }
}

impl<S, T: Clone> Layer<S> for MirrorLayer<T> {
    type Service = Mirror<S, T>;

    fn layer(&self, inner: S) -> Self::Service {
        Layered::new(Arc::new(MirrorPattern::new(self.clone())), inner)
    }
}

/// Safe to send beside the real one. (TRACE isn't sent by clients like ours.)
fn may_be_copied(method: &Method) -> bool {
    is_safe(method) && *method != Method::TRACE
}

/// The most tasks and bodies that are held while the target hangs.
const CONCURRENCY: u32 = 8;
/// As long as a background attempt takes at most.
const LIMIT: Duration = Duration::from_secs(30);
/// Larger than most answers of an API; half a megabyte for eight copies.
const BODY_CAP: usize = 64 * 1024;
