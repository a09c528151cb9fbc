//! One retry: the first answer is a 503, the second a 200.

use std::fmt::Debug;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use outrigger::backoff::Backoff;
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::{Body, Integration};
use tokio::runtime::Runtime;
use tower::{Layer, Service};

use crate::SLOW_CALLS;
use crate::callgrind::uncounted;
use crate::provider::{self, Provider, Way, request};
use crate::subjects::{Over, Subject};
use crate::tower_stacks::{tower, tower_with_id};

/// As little as there can be: a timer is set, and comes at the runtime's next tick.
const WAIT: Duration = Duration::from_nanos(1);

pub(crate) fn all(way: Way, runtime: &'static Runtime) -> Vec<Subject> {
    type Sent = Empty<Bytes>;
    let inner = || Provider::failing_first(way);
    let waits_briefly =
        |retry: RetryLayer| retry.backoff(Backoff::fixed(WAIT)).budget(RetryBudget::unlimited());
    let alone = waits_briefly(RetryLayer::new().max_attempts(2)).layer(inner());
    let user_flow = Integration::user_flow("stripe").service(inner()).retry(waits_briefly);
    vec![
        repeated::<_, Sent, _>(runtime, "tower: one retry, at once", tower!(inner(), || ready(()))),
        repeated::<_, Sent, _>(runtime, "tower: one retry, after a wait", tower!(inner(), timer)),
        repeated::<_, Sent, _>(
            runtime,
            "tower + request id: one retry, after a wait",
            tower_with_id!(inner(), timer),
        ),
        repeated::<_, Sent, _>(runtime, "retry alone: one retry", alone),
        repeated::<_, Body, _>(runtime, "user_flow: one retry", user_flow.build().unwrap()),
    ]
}

/// A service whose calls wait. What the runtime does meanwhile isn't counted.
fn repeated<S, R, B>(runtime: &'static Runtime, name: &'static str, mut service: S) -> Subject
where
    S: Service<Request<R>, Response = Response<B>> + 'static,
    S::Error: Debug,
    R: Default + 'static,
    B: http_body::Body<Data = Bytes>,
    B::Error: Debug,
{
    let tick = || runtime.block_on(timer());
    let wait = move || uncounted(&|| allocation_counter::opt_out(tick));
    let call = move || provider::call(&mut service, request(), wait).unwrap();
    Subject::new(name, Over::Bare, call).calls(SLOW_CALLS)
}

#[expect(clippy::disallowed_methods, reason = "tower's users set their timers so")]
fn timer() -> tokio::time::Sleep {
    tokio::time::sleep(WAIT)
}
