use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll, ready};

use http::{Request, Response, Version};
use reqwest::Url;
use tower_service::Service;

use super::convert::{from_client, to_client};
use super::witness::Witness;
use crate::body::Body;
use crate::context::{BAGGAGE, Context, Peer};
use crate::outcome::{Error, ErrorKind, FollowedRedirect, Redirected};
use crate::replay::is_safe;
use crate::terms::{Delivery, RedirectTo};
use crate::transport::hop;

/// A `reqwest::Client` as a transport. See the [module](super).
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    hops: Hops,
}

/// How many requests the client may send for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hops {
    /// Some, of which only the first has the body.
    Unknown,
    /// Several, each with the body if it can be sent again.
    WithBody,
    /// One, as the caller has asserted.
    Single,
}

/// One request for the client.
struct Sending {
    client: reqwest::Client,
    hops: Hops,
    context: Option<Context>,
    witness: Option<Witness>,
    /// Its method is safe, so that it may be redirected.
    is_safe: bool,
}

impl ReqwestTransport {
    /// Wraps `client`; its clones share its pool.
    ///
    /// It may follow redirects. A request's body goes out once.
    #[must_use]
    pub fn new(client: reqwest::Client) -> Self {
        Self { client, hops: Hops::Unknown }
    }

    /// Says that the client sends one request a call: it was built with
    /// `.redirect(redirect::Policy::none())` and `.retry(retry::never())`.
    ///
    /// Its errors prove as much as those of the crate's own client, and baggage goes to the hosts that
    /// are allowed to see it.
    #[must_use]
    pub fn single_hop(mut self) -> Self {
        self.hops = Hops::Single;
        self
    }

    /// Lets the client send a body again: after a 307 or 308, and by its own retries if it has any.
    ///
    /// A POST can be carried out at each place that it comes by, with or without a key. And no error
    /// says that nothing was sent, because nothing tells the first request from the last.
    #[must_use]
    pub fn redirect_bodies(mut self) -> Self {
        self.hops = Hops::WithBody;
        self
    }
}

impl From<reqwest::Client> for ReqwestTransport {
    fn from(client: reqwest::Client) -> Self {
        Self::new(client)
    }
}

impl Service<Request<Body>> for ReqwestTransport {
    type Response = Response<reqwest::Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // A reqwest client is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if self.hops != Hops::Single {
            // It would be sent along redirects, to any host.
            request.headers_mut().remove(BAGGAGE);
        }
        let is_copied = self.hops != Hops::Unknown || request.version() == Version::HTTP_3;
        let sending = Sending {
            client: self.client.clone(),
            hops: self.hops,
            context: request.extensions().get::<Context>().cloned(),
            witness: (!is_copied).then(Witness::default),
            is_safe: is_safe(request.method()),
        };
        let request = to_client(request, sending.witness.as_ref());
        Box::pin(async move { sending.send(request?).await })
    }
}

// === impl Sending ===

impl Sending {
    async fn send(self, request: reqwest::Request) -> Result<Response<reqwest::Body>, Error> {
        let context = self.context.as_ref();
        let asked = without_fragment(request.url());
        hop::hand_over(context);
        let response = match self.execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(self.failed(error)),
        };
        let followed = (*response.url() != asked).then(|| FollowedRedirect {
            to: match response.url().origin() == asked.origin() {
                true => RedirectTo::SameOrigin,
                false => RedirectTo::OtherOrigin,
            },
            peer: response.url().as_str().parse().ok().and_then(|uri| Peer::of(&uri)),
        });
        let mut response = from_client(response);
        if self.hops == Hops::Single {
            hop::answered(context, &mut response);
        }
        if let Some(followed) = followed {
            response.extensions_mut().insert(followed);
            if !self.is_safe {
                response.extensions_mut().insert(Redirected);
            }
        }
        Ok(response)
    }

    /// Sends it with the client, while the witness observes where it is dropped.
    async fn execute(&self, request: reqwest::Request) -> reqwest::Result<reqwest::Response> {
        let (mut request, mut execution) = (Some(request), pin!(None));
        poll_fn(|cx| {
            let _polling = self.witness.as_ref().map(Witness::poll_begins);
            if let Some(request) = request.take() {
                execution.set(Some(self.client.execute(request)));
            }
            let execution_now = execution.as_mut().as_pin_mut();
            let result = ready!(execution_now.expect("it is polled until it is over").poll(cx));
            // Drop the rest of it here, where the witness observes that.
            execution.set(None);
            Poll::Ready(result)
        })
        .await
    }

    fn failed(&self, error: reqwest::Error) -> Error {
        let context = self.context.as_ref();
        let came_back = self.witness.as_ref().is_some_and(Witness::came_back);
        // It can't be of a later request.
        let was_refused = self.hops == Hops::Single && error.is_builder();
        if came_back || was_refused {
            hop::take_back(context);
            return Error::from_client(error, context).unsent();
        }
        if error.is_redirect() || error.is_builder() {
            // The request was answered by a redirect, or it couldn't have come to one.
            let ours = Error::new(ErrorKind::Other, Delivery::Unknown).with_detail(NOT_FOLLOWED);
            return Error::from_client(ours.with_source(error.without_url().into()), context);
        }
        match self.hops {
            Hops::Single => hop::failed(context, error),
            // The first request can't be told from the last one.
            Hops::Unknown | Hops::WithBody => {
                Error::from_client(error, context).merge_delivery(Delivery::Unknown)
            }
        }
    }
}

/// As it is sent, and as the client tells it of an answer.
fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

const NOT_FOLLOWED: &str = "it was redirected to where the client does not follow";
