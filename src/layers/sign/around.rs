use std::pin::pin;
use std::sync::Arc;

use super::input::{Signed, SigningInput};
use super::layer::SignLayer;
use super::signer::AnySigner;
use super::state::Skew;
use super::{SignError, SigningBody};
use crate::context::{AttemptState, CredentialRenewed, UriIsSigned};
use crate::event::{Event, ShortText};
use crate::outcome::Error;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt::callback;

/// Signs each attempt, as code around a call: what a [`SignLayer`](super::SignLayer) makes of its settings.
/// See the [module](super).
#[derive(Clone, Debug)]
pub struct SignPattern {
    layer: Arc<SignLayer>,
}

impl SignPattern {
    pub(super) fn new(layer: SignLayer) -> Self {
        Self { layer: Arc::new(layer) }
    }

    fn emit<W: Wire>(&self, attempt: &Attempt<W>, event: impl FnOnce() -> Event) {
        let emitter = &self.layer.settings.emitter;
        if emitter.is_listened_to() {
            emitter.emit(Some(&attempt.context()), event);
        }
    }

    /// Signs the request and writes the signature into it; the error if it isn't to be sent.
    async fn sign<W: Wire>(
        &self,
        signer: &Arc<dyn AnySigner>,
        input: SigningInput,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<(), Error> {
        // Nothing of it is sent yet.
        attempt.state(AttemptState::enter_queue);
        let signing = async { Arc::clone(signer).sign_boxed(input).await };
        let outcome = callback::run("signer", signing).await;
        let outcome = outcome.unwrap_or_else(|| Err(SignError::new("the signer panicked")));
        self.layer.shared.ended(&outcome);
        let signed = outcome.map_err(|error| {
            self.emit(attempt, || Event::SigningFailed);
            let detail = format!("it could not be signed: {error}");
            Error::unsendable(detail).with_context(&attempt.context()).with_elapsed(call.elapsed())
        })?;
        // The attempt's latency is measured from here.
        let now = call.now();
        attempt.state(|state| {
            state.leave_queue();
            state.set_attempt_began(now);
        });
        if let Some(refusal) = attempt.refusal() {
            return Err(refusal);
        }
        let key_id = signed.key_id.as_deref().map(ShortText::new);
        self.emit(attempt, || Event::Signed { key_id });
        write(signed, attempt);
        Ok(())
    }
}

impl Pattern for SignPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let SignLayer { signer, shared, settings } = &*self.layer;
        let ahead = shared.ahead();
        let input = signer.as_ref().and_then(|_| input_of(attempt, settings.time(ahead)));
        let input = input.filter(|input| settings.may_sign(&input.uri));
        let (Some(signer), Some(input)) = (signer, input) else {
            return next.run(call, attempt).await;
        };
        self.sign(signer, input, call, attempt).await?;
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        let heard = held.answer(|head| settings.hear(head, ahead));
        if let Some(found) = heard.and_then(|heard| shared.hear(ahead, heard)) {
            let Skew { ahead, may_repeat } = found;
            self.emit(attempt, || Event::ClockSkewed { ahead, may_repeat });
            if may_repeat {
                // Whoever repeats calls may repeat this one.
                let mark = CredentialRenewed(call.facts().id());
                held.answer(|head| head.extensions.insert(mark));
            }
        }
        held.hand_up().await
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.layer.settings.emitter.integration()
    }
}

/// The request as it will be sent.
fn input_of<W: Wire>(attempt: &Attempt<W>, now: std::time::SystemTime) -> Option<SigningInput> {
    attempt.lend(|request| SigningInput::new(request, now)).or_else(|| {
        // A body of another type, in a pattern of somebody's own: nothing is known of it.
        attempt.request(|request| SigningInput {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: SigningBody::Stream,
            now,
        })
    })
}

/// Nothing changes the request after this.
fn write<W: Wire>(mut signed: Signed, attempt: &Attempt<W>) {
    attempt.request(|request| {
        signed.write_into(request.headers_mut());
        request.extensions_mut().insert(UriIsSigned);
    });
    #[cfg(feature = "sign")]
    if signed.has_digest_trailer {
        attempt.replace(super::trailer::with_digest);
    }
}
