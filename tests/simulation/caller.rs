//! Those who call: they wait or leave, and read what they get, or don't.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use outrigger::context::CallDeadline;
use outrigger::integration::Call;
use outrigger::{Body, Delivery, Error, ErrorKind, IdempotencyKey, Integration};

use crate::clock;
use crate::spec::{CallSpec, Patience, Reading, Upload};
use crate::told;

/// What became of a call so far, as its caller knows it.
#[derive(Clone, Debug)]
pub(crate) struct Diary {
    pub(crate) spec: CallSpec,
    pub(crate) begun: Instant,
    /// When it must be over.
    pub(crate) due: Instant,
    pub(crate) stage: Stage,
    pub(crate) outcome: Option<Outcome>,
    /// When it was over.
    pub(crate) ended: Option<Instant>,
    /// A part of the body, and not the last, was handed over at this time, after the deadline.
    pub(crate) read_late: Option<Instant>,
}

/// What a caller does just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It waits for an answer.
    Waiting,
    /// It waits for a part of the body.
    Reading,
    /// It has the body, and does something else.
    Keeping,
    Over,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered { status: u16 },
    Failed(Failure),
    Left,
}

/// An error, as a caller sees it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) delivery: Delivery,
    pub(crate) attempts: u32,
    pub(crate) text: String,
    /// The status of the answer whose body broke.
    pub(crate) status: Option<u16>,
}

pub(crate) type Diaries = Rc<RefCell<Vec<Diary>>>;

/// Makes the call that this number's diary is about.
pub(crate) fn call(
    number: usize,
    integration: &Integration,
    diaries: Diaries,
) -> impl Future<Output = ()> + use<> {
    let spec = diaries.borrow()[number].spec.clone();
    let begun = integration.send(request(number, &spec));
    wait(number, spec, begun, diaries)
}

async fn wait(number: usize, spec: CallSpec, begun: Call, diaries: Diaries) {
    let result = match spec.patience {
        Patience::Endless => Some(begun.await),
        Patience::Polls(polls) => poll_times(polls, begun).await,
        Patience::Time(time) => clock::within(time, begun).await,
    };
    let outcome = match result {
        None => Outcome::Left,
        Some(Err(error)) => Outcome::Failed(Failure::of(&error, None)),
        Some(Ok(response)) => {
            let status = response.status().as_u16();
            match read(number, response.into_body(), spec.reading, &diaries).await {
                Ok(()) => Outcome::Answered { status },
                Err(error) => Outcome::Failed(Failure::of(&error, Some(status))),
            }
        }
    };
    let diary = &mut diaries.borrow_mut()[number];
    (diary.stage, diary.outcome) = (Stage::Over, Some(outcome));
    diary.ended = Some(clock::now());
}

/// Reads as this caller does.
async fn read(
    number: usize,
    mut body: Body,
    reading: Reading,
    diaries: &Diaries,
) -> Result<(), Error> {
    let stage = |stage| diaries.borrow_mut()[number].stage = stage;
    match reading {
        Reading::Nothing => return Ok(()),
        Reading::Keeps(time) => {
            stage(Stage::Keeping);
            clock::wait(time).await;
            return Ok(());
        }
        Reading::All | Reading::One | Reading::Slowly(_) => {}
    }
    loop {
        stage(Stage::Reading);
        let frame = body.frame().await.transpose()?;
        let (due, now) = (diaries.borrow()[number].due, clock::now());
        // The last part may be late: with it, the answer is whole.
        if now > due && frame.is_some() && !body.is_end_stream() {
            diaries.borrow_mut()[number].read_late.get_or_insert(now);
        }
        match (frame, reading) {
            (None, _) => return Ok(()),
            (Some(_), Reading::One) => return Ok(()),
            (Some(_), Reading::Slowly(gap)) => {
                stage(Stage::Keeping);
                clock::wait(gap).await;
            }
            (Some(_), _) => {}
        }
    }
}

fn request(number: usize, spec: &CallSpec) -> Request<Body> {
    let body = match spec.body {
        Upload::Nothing => Body::empty(),
        Upload::Bytes(length) => vec![b'.'; length].into(),
        Upload::Stream(frames, gap) => upload(frames, gap),
    };
    let request = Request::builder().method(spec.method.clone());
    let request = request.uri(format!("http://provider.test/calls/{number}")).body(body);
    let mut request = request.expect("a request");
    let extensions = request.extensions_mut();
    extensions.insert(told::id(number));
    if let Some(limit) = spec.limit {
        extensions.insert(CallDeadline::after(limit));
    }
    if let Some(retry_override) = spec.retry_override {
        extensions.insert(retry_override);
    }
    if spec.keyed {
        extensions.insert(IdempotencyKey::from_business_key(format!("order {number}")));
    }
    request
}

fn upload(frames: u32, gap: Duration) -> Body {
    Body::new(StreamBody::new(stream::unfold(frames, move |left| async move {
        if left > 0 && !gap.is_zero() {
            clock::wait(gap).await;
        }
        let frame = Frame::data(Bytes::from_static(b"."));
        (left > 0).then(|| (Ok::<_, Infallible>(frame), left - 1))
    })))
}

/// Polls so many times, and then drops; nothing, if it hadn't ended by then.
async fn poll_times<F: Future>(times: u32, work: F) -> Option<F::Output> {
    let (mut work, mut left) = (pin!(work), times);
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match work.as_mut().poll(cx) {
            Poll::Pending if left == 0 => Poll::Ready(None),
            poll => poll.map(Some),
        }
    })
    .await
}

impl Failure {
    fn of(error: &Error, status: Option<u16>) -> Self {
        Self {
            kind: error.kind(),
            delivery: error.delivery(),
            attempts: error.attempts(),
            text: match error.gave_up() {
                Some(why) => format!("{error}; {why}"),
                None => error.to_string(),
            },
            status,
        }
    }
}
