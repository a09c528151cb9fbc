use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use http::Response;

use super::answer::Answer;
use super::failed::{Facts, Failed, FellBack};
use super::layer::FallbackLayer;
use super::record::FallbackRecord;
use crate::body::Body;
use crate::context::{AttemptState, Retries};
use crate::event::Event;
use crate::pattern::{Attempt, Call, Flow, Held, Next, Pattern, Wire};
use crate::rt::{self, callback};

/// Answers in the provider's place, as code around a call: what a
/// [`FallbackLayer`](super::FallbackLayer) makes of its settings. See the [module](super).
#[derive(Clone, Debug)]
pub struct FallbackPattern {
    settings: Arc<FallbackLayer>,
}

/// What is recorded and added to the answer, once there is one.
struct AnswerDetails {
    record: Option<FallbackRecord>,
    mark: FellBack,
    retries: Option<Retries>,
}

impl Pattern for FallbackPattern {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let answer = {
            let facts = self.tells().then(|| Facts::of(&self.settings, attempt)).flatten();
            let mut running = pin!(next.run(call, attempt));
            let Some(facts) = facts else { return running.await };
            let held = attempt.head(running.as_mut()).await;
            let Some(failed) = self.failed(&held, attempt, facts) else {
                return held.hand_up().await;
            };
            let details = Box::new(self.details(&failed, &held, attempt));
            // Clear the timeout flag: it belonged to the failed call.
            attempt.state(AttemptState::clear_call_cut);
            // Boxed, because few calls need it.
            let Some(answer) = Box::pin(self.ask(call, failed)).await else {
                self.emit_failure(&details, attempt);
                return held.hand_up().await;
            };
            held.discard();
            (answer, details)
            // The failed call is dropped here, and its guards may read the outcome.
        };
        let answer = self.finish(answer, attempt);
        Box::pin(attempt.play(answer)).await
    }

    fn tells(&self) -> bool {
        self.settings.answer.is_some()
    }

    fn integration(&self) -> Option<&Arc<str>> {
        self.settings.emitter.integration()
    }
}

impl FallbackPattern {
    pub(super) fn new(settings: &FallbackLayer) -> Self {
        Self { settings: Arc::new(settings.clone()) }
    }

    /// The failure, if the fallback is to answer for it.
    fn failed<W: Wire, F: Future<Output = Flow>>(
        &self,
        held: &Held<'_, W, F>,
        attempt: &Attempt<W>,
        facts: Facts,
    ) -> Option<Failed> {
        let class = held.class(&self.settings.classifier);
        if class.is_success() {
            return None;
        }
        let context = attempt.context();
        let failed = match held.error() {
            Some(error) => Failed::unanswered(facts, context, class, error),
            None => Failed::answered(facts, context, class, attempt.status()),
        };
        self.settings.answers(&failed).then_some(failed)
    }

    /// The user's answer, if there is one.
    async fn ask(&self, call: &Call, failed: Failed) -> Option<Response<Body>> {
        match self.settings.answer.as_ref()? {
            Answer::Value(value) => Some(Answer::value(value)),
            Answer::Function(function) => callback::call(FALLBACK, || function(&failed)).flatten(),
            Answer::Async(function) => {
                let later = callback::call(FALLBACK, || function(failed))?;
                let due = rt::after(call.now(), self.settings.limit);
                call.until(due, callback::run(FALLBACK, later)).await.flatten().flatten()
            }
        }
    }

    fn details<W: Wire, F: Future<Output = Flow>>(
        &self,
        failed: &Failed,
        held: &Held<'_, W, F>,
        attempt: &Attempt<W>,
    ) -> AnswerDetails {
        let mark = failed.mark();
        // If no layer counts attempts, one request went out unless it was refused.
        let sent = u32::from(!mark.class.is_local());
        let attempts = attempt.state(AttemptState::attempts).unwrap_or(sent);
        let gave_up = match held.error() {
            Some(error) => error.gave_up(),
            None => held.answer(|head| head.extensions.get::<Retries>()?.gave_up).flatten(),
        };
        let (waited, earlier) = (failed.context().call().waited(), mark.delivery);
        let retries = Retries { attempts, waited, gave_up, earlier };
        let recorded = self.settings.recorder.is_some();
        let record = || FallbackRecord::of(failed, self.settings.clock.wall());
        AnswerDetails {
            record: recorded.then(record),
            mark,
            retries: (attempts > 0).then_some(retries),
        }
    }

    fn emit_failure<W: Wire>(&self, details: &AnswerDetails, attempt: &Attempt<W>) {
        let class = details.mark.class;
        let emitter = &self.settings.emitter;
        emitter.emit(Some(&attempt.context()), || Event::FallbackFailed { class });
    }

    /// Marks the answer, emits its event and records it.
    fn finish<W: Wire>(
        &self,
        (mut answer, details): (Response<Body>, Box<AnswerDetails>),
        attempt: &Attempt<W>,
    ) -> Response<Body> {
        let FellBack { class, delivery, .. } = details.mark;
        attempt.state(|state| {
            state.merge_delivery(delivery);
            state.call().set_fell_back();
        });
        let emitter = &self.settings.emitter;
        emitter.emit(Some(&attempt.context()), || Event::FellBack { class, delivery });
        if let (Some(recorder), Some(record)) = (&self.settings.recorder, details.record) {
            let _ = callback::call("fallback recorder", || recorder.record(record));
        }
        answer.extensions_mut().insert(details.mark);
        if let Some(retries) = details.retries {
            answer.extensions_mut().insert(retries);
        }
        attempt.forget_answer();
        answer
    }
}

/// The name of the user's function in the report of a panic.
const FALLBACK: &str = "fallback";
