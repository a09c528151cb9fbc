use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::response::Parts;

use super::layer::{Settings, TokenLayer};
use super::shared::{Cell, Given, Used};
use crate::context::{AttemptState, CredentialRenewed};
use crate::event::Event;
use crate::outcome::{Error, FollowedRedirect, ResponseHead, leave_class};
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::rt::{self, callback};
use crate::terms::{Class, RedirectTo, Rejection};

/// Gives each attempt a token, as code around a call: what a [`TokenLayer`](super::TokenLayer) makes
/// of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct TokenPattern {
    layer: Arc<TokenLayer>,
}

impl TokenPattern {
    pub(super) fn new(layer: TokenLayer) -> Self {
        Self { layer: Arc::new(layer) }
    }
}

impl Pattern for TokenPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let TokenLayer { cells, settings } = &*self.layer;
        // A caller's own credential stays, and what comes of it is the caller's.
        let cell = attempt.request(|request| {
            let is_wanted = !request.headers().contains_key(&settings.header)
                && settings.may_sign(request.uri());
            cells.as_ref().filter(|_| is_wanted).map(|cells| cells.of(request).ok_or(cells))
        });
        let cell = match cell.flatten() {
            None => return next.run(call, attempt).await,
            Some(Ok(cell)) => cell,
            Some(Err(full)) => {
                next.release();
                full.store_one(settings);
                return Err(settings.refuse(FULL.into(), Some(ASK_AGAIN), call, attempt));
            }
        };
        let Used { header, generation, ended_for } = match cell.ask(settings) {
            Given::Use(used) => used,
            given => {
                next.release();
                settings.wait(&cell, given, call, attempt).await?
            }
        };
        if let Some(ended_for) = ended_for {
            let served = || Event::TokenServedExpired { generation, ended_for };
            settings.emitter.emit(Some(&attempt.context()), served);
        }
        attempt.request(|request| request.headers_mut().insert(&settings.header, header));
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        let mark = CredentialRenewed(call.facts().id());
        // What is further in has found another reason, and may repeat the call for it.
        let is_refused =
            |head: &mut Parts| head.extensions.get() != Some(&mark) && settings.is_refused(head);
        if held.answer(is_refused) == Some(true) {
            settings.refused(&cell, generation, call, attempt);
        }
        let Some(is_refused) = settings.is_refused_status else { return held.hand_up().await };
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return flow,
        };
        loop {
            attempt.wanted().await;
            let flow = attempt.frame(running.as_mut()).await;
            let refused = attempt.last_frame(|frame| frame.trailers_ref().is_some_and(is_refused));
            if refused == Some(true) {
                settings.refused(&cell, generation, call, attempt);
            }
            if let Some(flow) = flow {
                return flow;
            }
        }
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.layer.settings.emitter.integration()
    }
}

impl Settings {
    /// The provider refused the token. Whoever still holds the answer's head, and repeats calls, may
    /// repeat this one.
    fn refused<W: Wire>(
        &self,
        cell: &Arc<Cell>,
        generation: u64,
        call: &Call,
        attempt: &Attempt<W>,
    ) {
        let redirect = attempt.answer(|head| FollowedRedirect::before(&head.extensions)).flatten();
        // Another origin says nothing about the provider's tokens, whether it got one or not.
        if redirect == Some(RedirectTo::OtherOrigin) {
            return;
        }
        let is_renewed = cell.refuse(generation, self);
        // Who redirects by 303 has carried the request out (RFC 9110, 15.4.4).
        let may_repeat = is_renewed && redirect.is_none();
        let refused = || Event::TokenRefused { generation, may_repeat };
        self.emitter.emit(Some(&attempt.context()), refused);
        attempt.answer(|head| {
            if head.status != StatusCode::UNAUTHORIZED {
                leave_class(Class::Unauthorized, &mut head.extensions);
            }
            if may_repeat {
                head.extensions.insert(CredentialRenewed(call.facts().id()));
            }
        });
    }

    /// Waits until there is a token, or an error of the issuer.
    async fn wait<W: Wire>(
        &self,
        cell: &Arc<Cell>,
        mut given: Given,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Result<Used, Error> {
        let due = self.longest_wait.map(|limit| rt::after(call.now(), limit));
        // Nothing of it is sent yet.
        attempt.state(AttemptState::enter_queue);
        loop {
            match given {
                Given::Use(used) => {
                    // The attempt's latency is measured from here.
                    let now = call.now();
                    attempt.state(|state| {
                        state.leave_queue();
                        state.set_attempt_began(now);
                    });
                    return Ok(used);
                }
                Given::Fail { error, retry_after } => {
                    return Err(self.refuse(error.detail(), Some(retry_after), call, attempt));
                }
                Given::Wait(mut ended) => {
                    if call.until(due, ended.changed()).await.is_none() {
                        let waited = self.longest_wait.unwrap_or_default();
                        let detail = format!("none came within {waited:?}").into();
                        return Err(self.refuse(detail, Some(ASK_AGAIN), call, attempt));
                    }
                    if let Some(refusal) = attempt.refusal() {
                        return Err(refusal);
                    }
                }
            }
            given = cell.ask(self);
        }
    }

    fn is_refused(&self, head: &Parts) -> bool {
        let head = ResponseHead {
            status: head.status,
            headers: &head.headers,
            extensions: &head.extensions,
        };
        let by_user = || self.is_refusal.as_ref().is_some_and(|is_refusal| is_refusal(&head));
        let by_check = head.extensions.get() == Some(&Class::Unauthorized);
        head.status == StatusCode::UNAUTHORIZED
            || self.is_refused_status.is_some_and(|is_refused| is_refused(head.headers))
            || by_check
            || callback::call("refusal of a token", by_user) == Some(true)
    }

    fn refuse<W: Wire>(
        &self,
        detail: Arc<str>,
        retry_after: Option<Duration>,
        call: &Call,
        attempt: &Attempt<W>,
    ) -> Error {
        let context = attempt.context();
        self.emitter.emit(Some(&context), || Event::TokenMissing);
        Error::rejected(Rejection::NoToken, detail)
            .with_retry_after(retry_after)
            .with_context(&context)
            .with_elapsed(call.elapsed())
    }
}

/// When a call that was too early for its token may come again: the fetch still runs, or a store is full or
/// away.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Why a new key has no token.
const FULL: &str =
    "no further key's token is kept: the others have refresh tokens that aren't stored yet";
