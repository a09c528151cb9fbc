use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{Response, StatusCode};
use http_body::Body as _;
use tokio::sync::oneshot;

use super::asked::{Asked, conditions};
use super::body::{FilledBody, Piece, Pipe};
use super::flight::{Flight, Landed, Waiter};
use super::origin::Origin;
use super::parts::{Ended, Settings, is_as_it_says, is_redirected};
use super::shared::{Generation, Shared};
use super::stored::StoredAnswer;
use crate::body::Body;
use crate::context::Context;
use crate::freshness::{Failure, Moments, Storing, TimedHeaders, Validity};
use crate::outcome::Error;
use crate::pattern::either;
use crate::rt;
use crate::terms::Class;

/// A fetch in a task of its own, which stores what it gets.
///
/// It ends when nobody waits for it any more. A call that leaves harms no other that waits. Where callers
/// may leave with a stale answer, it goes on without them for as long as a background refresh may.
pub(super) struct Fill {
    pub(super) settings: Arc<Settings>,
    pub(super) origin: Arc<dyn Origin>,
    pub(super) asked: Arc<Asked>,
    pub(super) flight: Flight,
    pub(super) generation: Generation,
    /// The facts of the call that began it, without its deadline.
    pub(super) context: Context,
    /// What it came to for others; unset if its answer isn't for them. They are told when it is dropped.
    pub(super) landed: OnceLock<Landed>,
}

/// What the call that began a fetch gets.
pub(super) enum Came {
    /// The provider confirmed what was stored.
    Confirmed(Arc<StoredAnswer>),
    /// The provider answered.
    Answered(Box<Response<FilledBody>>),
    Failed(Error),
}

/// The provider's answer, and when it was asked for and came.
struct Reply {
    head: Parts,
    body: Body,
    sent: Instant,
    received: Moments,
}

impl Fill {
    /// Runs the fetch to its end, or until nobody waits for it.
    pub(super) async fn run(self, to: oneshot::Sender<Came>, alive: Ended) {
        either(self.fetch(to), self.abandoned(alive)).await;
    }

    async fn abandoned(&self, alive: Ended) {
        let is_refresh = self.has_stand_in(Failure::ANY);
        if is_refresh {
            let due = rt::after(rt::now(), self.settings.fetch_limit);
            either(rt::sleep_until(due), alive.ended()).await;
        }
        self.shared().abandoned(&self.asked.key, &self.flight).await;
        if is_refresh {
            self.note(Some(Failure::ANY));
        }
    }

    /// The same without a call that gets the answer. It returns whether the provider answered.
    pub(super) async fn refresh(self, _waiter: Waiter) -> bool {
        let (to, came) = oneshot::channel();
        self.fetch(to).await;
        match came.await {
            Ok(Came::Confirmed(_)) => true,
            Ok(Came::Answered(response)) => self.settings.failure_of(&response).is_none(),
            Ok(Came::Failed(error)) => {
                if error.is_rejected() {
                    self.shared().refused(&self.asked.key);
                }
                false
            }
            Err(_) => false,
        }
    }

    async fn fetch(&self, to: oneshot::Sender<Came>) {
        let (reply, confirmed) = match self.ask().await {
            Ok(came) => came,
            Err(mut error) => {
                // What was refused here costs nothing to be asked again, and other calls may be let through.
                if !error.is_rejected() {
                    self.note(Some(self.settings.failure_of_error(&error)));
                    self.lands(Landed::Failed(Arc::new(error.shared())));
                }
                let _ = to.send(Came::Failed(error));
                return;
            }
        };
        match confirmed {
            Some(known) => {
                let (asked, Reply { head, sent, received, .. }) = (&self.asked, reply);
                let sent_headers = &asked.request.headers;
                let confirmed = known.confirmed(sent_headers, &head.headers, sent, received);
                let confirmed = Arc::new(confirmed);
                self.note(None);
                if self.shared().confirm(asked, &confirmed, self.generation) {
                    self.lands(Landed::Stored(Arc::clone(&confirmed)));
                }
                let _ = to.send(Came::Confirmed(confirmed));
            }
            None => self.take(reply, to).await,
        }
    }

    /// Asks the provider, and returns the stored answer too if it confirms that. If it confirms another
    /// one, asks it once more, without conditions.
    async fn ask(&self) -> Result<(Reply, Option<&StoredAnswer>), Error> {
        let known = self.asked.known.as_deref();
        let validated = known.filter(|known| conditions(known).next().is_some());
        let reply = self.send(validated).await?;
        match validated.filter(|_| reply.head.status == StatusCode::NOT_MODIFIED) {
            None => Ok((reply, None)),
            Some(known)
                if !is_redirected(&reply.head) && known.is_confirmed_by(&reply.head.headers) =>
            {
                Ok((reply, Some(known)))
            }
            Some(_) => Ok((self.send(None).await?, None)),
        }
    }

    async fn send(&self, validated: Option<&StoredAnswer>) -> Result<Reply, Error> {
        let request = self.asked.request.build(validated);
        let sent = rt::now();
        let response = self.origin.fetch(request, self.context.clone()).await?;
        let received = self.shared().moments();
        let (head, body) = response.into_parts();
        Ok(Reply { head, body, sent, received })
    }

    /// Gives the answer to the call, and stores it if it may.
    async fn take(&self, reply: Reply, to: oneshot::Sender<Came>) {
        let Reply { head, body, sent, received } = reply;
        let settings = &self.settings;
        let class = settings.class_of(&head);
        let failure = settings.failure_of_class(head.status, class);
        self.note(failure);
        let times = TimedHeaders::read(&head.headers, sent, received);
        let validity = Validity::new(head.status, &head.headers, times);
        match self.storing(&head, class, &validity, failure) {
            Storing::Store if self.fits(body.size_hint().lower()) => {
                let (pipe, piped) = FilledBody::piped(body.size_hint());
                let given = clone_of(&head);
                let _ = to.send(Came::Answered(Box::new(Response::from_parts(head, piped))));
                let store = |body| self.store(&given, validity, body);
                if let Some(stored) = self.capture(body, &pipe, store).await {
                    self.lands(Landed::Stored(stored));
                }
                return;
            }
            Storing::Store | Storing::Replace => self.forget(),
            Storing::Leave => {}
        }
        // A request that forbids storing says nothing about others.
        if failure.is_none() && !self.asked.directives.no_store {
            self.is_not_shared();
        }
        let own = Response::from_parts(head, FilledBody::Own(body));
        let _ = to.send(Came::Answered(Box::new(own)));
    }

    /// Reads the body for the call and for the store. Returns what is stored.
    async fn capture(
        &self,
        mut body: Body,
        pipe: &Pipe,
        store: impl FnOnce(Bytes) -> Option<Arc<StoredAnswer>>,
    ) -> Option<Arc<StoredAnswer>> {
        let mut kept = BytesMut::new();
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    pipe.send(Piece::Failed(error));
                    return None;
                }
                None => {
                    let stored = store(kept.freeze());
                    pipe.send(Piece::End);
                    return stored;
                }
            };
            if let Some(data) = frame.data_ref() {
                if !self.fits((kept.len() + data.remaining()) as u64) {
                    self.forget();
                    self.is_not_shared();
                    pipe.send(Piece::Frame(frame));
                    pipe.send(Piece::Rest(body));
                    return None;
                }
                kept.extend_from_slice(data);
            }
            if body.is_end_stream() {
                let stored = store(kept.freeze());
                pipe.send(Piece::Last(frame));
                return stored;
            }
            pipe.send(Piece::Frame(frame));
        }
    }

    fn store(&self, head: &Parts, validity: Validity, body: Bytes) -> Option<Arc<StoredAnswer>> {
        let announced = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if announced.is_some_and(|length| length.parse() != Ok(body.len())) {
            return None;
        }
        let asked = &self.asked.request.headers;
        let stored = Arc::new(StoredAnswer::new(head, asked, validity, body));
        let is_put = self.shared().put(&self.asked, &stored, self.generation);
        is_put.then_some(stored)
    }

    fn storing(
        &self,
        head: &Parts,
        class: Class,
        validity: &Validity,
        failure: Option<Failure>,
    ) -> Storing {
        // What can stand in for a failure isn't replaced by it.
        if !is_as_it_says(head, class) || failure.is_some_and(|failure| self.has_stand_in(failure))
        {
            return Storing::Leave;
        }
        match self.asked.storing(head.status, &head.headers, validity) {
            // Its freshness is that of another URI; the redirect's own isn't known.
            Storing::Store if is_redirected(head) => Storing::Replace,
            storing => storing,
        }
    }

    fn has_stand_in(&self, failure: Failure) -> bool {
        self.asked.stand_in(failure, &self.shared().moments()).is_some()
    }

    fn fits(&self, bytes: u64) -> bool {
        bytes <= self.settings.config.body_cap as u64
    }

    fn forget(&self) {
        self.shared().forget(&self.asked);
    }

    fn note(&self, failure: Option<Failure>) {
        self.shared().note(&self.asked, self.context.started(), failure);
    }

    /// Lets calls for this key fetch their own for a while, if one has waited in vain.
    fn is_not_shared(&self) {
        if self.flight.is_followed() {
            self.shared().not_shared(&self.asked.key);
        }
    }

    fn lands(&self, landed: Landed) {
        let _ = self.landed.set(landed);
    }

    fn shared(&self) -> &Shared {
        &self.settings.shared
    }
}

/// Whichever way it ends, and if its task never runs, nobody waits for it any longer.
impl Drop for Fill {
    fn drop(&mut self) {
        self.shared().end(&self.asked.key, &self.flight);
        self.flight.land(self.landed.take().unwrap_or(Landed::NotShared));
    }
}

/// The head as it is stored: without extensions, which belong to one answer.
fn clone_of(head: &Parts) -> Parts {
    let mut response = Response::new(());
    *response.status_mut() = head.status;
    *response.version_mut() = head.version;
    response.headers_mut().clone_from(&head.headers);
    response.into_parts().0
}
