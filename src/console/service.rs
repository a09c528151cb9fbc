use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tower_http::csrf::{Csrf, CsrfLayer};
use tower_layer::Layer;
use tower_service::Service;

use super::access::{Access, Actor};
use super::act::{self, Form, Refused};
use super::acts::{Acts, RecordAct};
use super::answer;
use super::form_token::FormTokens;
use super::inner::{Inner, NoPage};
use super::live;
use super::page::{self, note};
use super::recent::Recent;
use super::route::{Route, pairs, value};
use super::{assets, route};
use crate::control::Registry;
use crate::outbox::Outbox;
use crate::redact::Redactor;
use crate::rt::{Clock, Rng};
use crate::settings::{ConfigError, Errors};
use crate::{Body, BoxError};

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
}

/// The console: a `tower::Service` that a host mounts where it likes.
///
/// It answers on one path, and tells its pages apart by their query, so that its links work under every
/// prefix, with and without a slash at its end. Clones share all of it.
#[derive(Clone)]
pub struct Console(Csrf<Pages>);

#[derive(Clone)]
struct Pages(Arc<Inner>);

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send>>;

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
        let inner = Inner {
            registry: self.registry,
            access: self.access,
            recent: self.recent,
            outbox: self.outbox,
            redactor: self.redactor,
            clock: self.clock,
            tokens,
            acts: Arc::new(Acts::new(self.recorder)),
            tasks: Default::default(),
            wanted: Default::default(),
            streams: Default::default(),
            lanes: Default::default(),
        };
        Ok(Console(layer.layer(Pages(Arc::new(inner)))))
    }
}

impl<B> Service<Request<B>> for Console
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(
            async move { answer.await.map(|answer| answer::guarded(answer::explained(answer))) },
        )
    }
}

impl<B> Service<Request<B>> for Pages
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Response<Body>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        let (head, body) = request.into_parts();
        Box::pin(async move { Ok(respond(inner, head, body).await) })
    }
}

async fn respond<B>(inner: Arc<Inner>, head: Parts, body: B) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let route = Route::of(head.uri.query());
    // The style and the script say nothing about anybody.
    match route {
        Route::Style => return answer::asset(&assets::STYLE),
        Route::Script => return answer::asset(&assets::SCRIPT),
        _ => {}
    }
    let Some(actor) = inner.access.actor(&head) else {
        return answer::text(StatusCode::UNAUTHORIZED, "The console doesn't know who you are.");
    };
    match head.method {
        Method::GET | Method::HEAD => show(&inner, &head, actor, route).await,
        Method::POST => match form(&inner, &head, body, &actor).await {
            Ok(form) => after(inner, form, actor).await,
            Err((status, why)) => answer::text(status, &why),
        },
        _ => answer::method_not_allowed(),
    }
}

/// A page, or what a page loads.
async fn show(inner: &Arc<Inner>, head: &Parts, actor: Actor, route: Route) -> Response<Body> {
    let now = inner.clock.wall();
    if route == Route::Live {
        return stream(inner, actor);
    }
    if answer::wants_json(&head.headers) {
        return answer::json_of(inner, &actor, &route);
    }
    let note = (value(&pairs(head.uri.query().unwrap_or_default()), "done")
        .and_then(|act| act.parse().ok()))
    .and_then(|act| inner.acts.get(act))
    .filter(|act| act.who == actor.name)
    .map(|act| {
        note(
            !matches!(act.result, super::ActResult::Failed(_)),
            format!("{}: {}.", act.what, act.result),
        )
    });
    let frame = inner.frame(&actor, now, note);
    let page = match route {
        Route::Overview => inner.overview(&actor).await.map(|view| page::overview(&frame, &view)),
        Route::Integration(name) => {
            inner.integration(&actor, &name).map(|view| page::integration(&frame, &view))
        }
        Route::Find(asked) => {
            inner.find(&actor, &asked).await.map(|found| page::find(&frame, &found))
        }
        Route::Lane(view) => inner.lane(&actor, view).await.map(|page| page::lane(&frame, &page)),
        Route::Message(id) => {
            inner.message(&actor, id, false).await.map(|view| page::message(&frame, &view))
        }
        Route::Acts => inner
            .needs(&actor, super::Right::Look, super::Scope::All)
            .map(|()| page::acts(&frame, &inner.acts.all(), &inner.tasks)),
        Route::ActsCsv => match inner.needs(&actor, super::Right::Look, super::Scope::All) {
            Ok(()) => return answer::csv(page::csv(&inner.acts.all())),
            Err(error) => Err(error),
        },
        Route::Task(number) => inner.task(&actor, number).map(|view| page::task(&frame, &view)),
        Route::Live | Route::Style | Route::Script | Route::Nothing => Err(NoPage::NotFound),
    };
    match page {
        Ok(page) => answer::page(StatusCode::OK, page),
        Err(error) => answer::no_page(error),
    }
}

fn stream(inner: &Arc<Inner>, actor: Actor) -> Response<Body> {
    if let Err(error) = inner.needs(&actor, super::Right::Look, super::Scope::All) {
        return answer::no_page(error);
    }
    let Some(place) = inner.streams.place() else {
        return answer::text(StatusCode::SERVICE_UNAVAILABLE, "Too many pages look already.");
    };
    let weak = Arc::downgrade(inner);
    let parts = move || {
        let (inner, actor) = (weak.upgrade(), actor.clone());
        async move { inner?.parts(&actor).await }
    };
    answer::events(Body::from_stream(live::stream(place, parts)))
}

/// Reads a form, and whether it is one of ours.
async fn form<B>(
    inner: &Inner,
    head: &Parts,
    body: B,
    actor: &Actor,
) -> Result<Form, (StatusCode, String)>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let media = head.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
    let media = media.and_then(|media| media.split(';').next()).map(str::trim);
    if !media.is_some_and(|media| media.eq_ignore_ascii_case(FORM)) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Acts are sent as {FORM}.")));
    }
    let read = Limited::new(body, LARGEST).collect().await;
    let bytes: Bytes = match read {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return Err((
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("A form has at most {LARGEST} bytes."),
            ));
        }
    };
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| (StatusCode::BAD_REQUEST, "The form is no text.".to_owned()))?;
    let (pairs, now) = (route::pairs(text), inner.clock.wall());
    let token = value(&pairs, "token").unwrap_or_default();
    if !inner.tokens.is_valid(token, actor, act::name(&pairs), now) {
        let why = "This form is too old, or not from this console. Go back, load the page again and repeat it.";
        return Err((StatusCode::FORBIDDEN, why.to_owned()));
    }
    Ok(Form { pairs, actor: actor.clone(), now })
}

async fn after(inner: Arc<Inner>, form: Form, actor: Actor) -> Response<Body> {
    let now = form.now;
    match Arc::clone(&inner).act(form).await {
        Ok(after) => match after.reveals {
            // Not by an address, so that it isn't shown again by going back or sharing it.
            Some(id) => {
                let frame = inner.frame(&actor, now, Some(after.note));
                match inner.message(&actor, id, true).await {
                    Ok(view) => answer::page(StatusCode::OK, page::message(&frame, &view)),
                    Err(error) => answer::no_page(error),
                }
            }
            None => answer::see_other(&format!("{}&done={}", after.to, after.act)),
        },
        Err(Refused::Page(why)) => answer::no_page(why),
        Err(Refused::Form(why)) => {
            answer::text(StatusCode::UNPROCESSABLE_ENTITY, &format!("Not done: {why}."))
        }
        Err(Refused::TooMany) => {
            answer::text(StatusCode::TOO_MANY_REQUESTS, "Not done: at most 20 acts a minute.")
        }
        Err(Refused::Unrecorded) => {
            answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Not done: it could not be recorded.")
        }
        Err(Refused::BrokeOff) => answer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "It broke off. Look whether it has been done before you repeat it.",
        ),
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").finish_non_exhaustive()
    }
}

impl fmt::Debug for ConsoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleBuilder").finish_non_exhaustive()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
/// The largest form, in bytes.
const LARGEST: usize = 64 * 1024;
