use std::sync::Arc;

use super::layer::IdempotencyLayer;
use super::placement::{InHeader, WriteKey};
use crate::body::Body;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, ToPattern, Wire};

/// Gives unsafe calls a key, among the patterns of an [integration](crate::Integration). See the
/// [module](super).
#[derive(Clone, Debug)]
pub struct IdempotencyPattern<P = InHeader> {
    layer: Arc<IdempotencyLayer<P>>,
}

impl<P: WriteKey<Body>> IdempotencyPattern<P> {
    pub(crate) fn new(layer: IdempotencyLayer<P>) -> Self {
        Self { layer: Arc::new(layer) }
    }

    fn give_key<W: Wire>(&self, call: &Call, attempt: &Attempt<W>) {
        let IdempotencyLayer { settings, placement } = &*self.layer;
        let wanted = attempt.request(|request| settings.wanted(request)).flatten();
        let Some(wanted) = wanted else { return };
        let key = settings.assign(wanted, call.facts(), placement.sends());
        let Some(key) = key.filter(|_| placement.sends()) else { return };
        match placement.header() {
            Some(header) => {
                attempt.request(|request| request.headers_mut().insert(header, key));
            }
            None => attempt.replace(|request| placement.write(request, &key)),
        }
    }
}

impl<P: WriteKey<Body> + Clone + Send + Sync + 'static> ToPattern for IdempotencyLayer<P> {
    type Pattern = IdempotencyPattern<P>;

    fn to_pattern(&self) -> IdempotencyPattern<P> {
        IdempotencyPattern::new(self.clone())
    }
}

impl<P> Pattern for IdempotencyPattern<P>
where
    P: WriteKey<Body> + Send + Sync + 'static,
{
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        self.give_key(call, attempt);
        next.run(call, attempt).await
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.layer.settings.emitter.integration()
    }
}
