use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HOST, HeaderName};
use http::request::Parts;
use http::uri::Authority;

use crate::terms::Right;

/// Who asks. The host logs people in; the console records what they do under this name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The name that acts are recorded under.
    pub name: String,
}

/// What a right is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope<'a> {
    /// The console as a whole: the list of integrations, the search, the list of acts.
    All,
    /// One integration.
    Integration(&'a str),
    /// One lane of the outbox.
    Lane(&'a str),
}

/// Who may do what. Nothing is allowed that this doesn't allow.
///
/// ```
/// use http::request::Parts;
/// use outrigger::console::{Access, Actor, Right, Scope};
///
/// /// A proxy in front logs people in and names them in a header.
/// struct Proxy;
///
/// impl Access for Proxy {
///     fn actor(&self, request: &Parts) -> Option<Actor> {
///         let name = request.headers.get("x-remote-user")?.to_str().ok()?;
///         Some(Actor { name: name.to_owned() })
///     }
///
///     fn may(&self, actor: &Actor, right: Right, scope: Scope<'_>) -> bool {
///         let is_payments = matches!(scope, Scope::Integration("payments") | Scope::Lane("payments"));
///         matches!(right, Right::Look | Right::Search) || (actor.name == "ada" && is_payments)
///     }
/// }
/// ```
pub trait Access: Send + Sync + 'static {
    /// Who sends this request; `None` refuses it with 401.
    fn actor(&self, request: &Parts) -> Option<Actor>;

    /// Whether they may do this. It is asked for each page and each act; a refusal is answered with 403.
    fn may(&self, actor: &Actor, right: Right, scope: Scope<'_>) -> bool;
}

/// Everybody who reaches the console may look, and nobody may do anything or search.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOnly;

/// Whoever is on this machine may do everything. For a developer's machine.
///
/// A request is refused
///
/// - if its [`Peer`] isn't a loopback address, or if it has none;
/// - if a proxy has forwarded it (`forwarded`, `x-forwarded-for`, `x-real-ip`, `via`), because a proxy makes
///   everybody local. A proxy that adds none of these headers can't be seen: don't put one before the console;
/// - if its `host`, or the authority of its URI, isn't `localhost`, an address in `127.0.0.0/8` or `[::1]`, at any
///   port. A page of another site can let its name lead to this machine (DNS rebinding), but the browser
///   then sends that name.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOnLoopback;

/// The address that a request came from. The host puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Access for ReadOnly {
    fn actor(&self, _: &Parts) -> Option<Actor> {
        Some(Actor { name: "anybody".to_owned() })
    }

    fn may(&self, _: &Actor, right: Right, _: Scope<'_>) -> bool {
        right == Right::Look
    }
}

impl Access for OpenOnLoopback {
    fn actor(&self, request: &Parts) -> Option<Actor> {
        let Peer(peer) = request.extensions.get()?;
        let is_forwarded = FORWARDING.iter().any(|name| request.headers.contains_key(name));
        let is_local =
            peer.ip().to_canonical().is_loopback() && !is_forwarded && names_this_machine(request);
        is_local.then(|| Actor { name: "somebody on this machine".to_owned() })
    }

    fn may(&self, _: &Actor, _: Right, _: Scope<'_>) -> bool {
        true
    }
}

/// Whether the request is for a name of this machine. It has one or more: all must be.
fn names_this_machine(request: &Parts) -> bool {
    let hosts = request.headers.get_all(HOST).iter();
    let hosts = hosts.map(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let mut named = request.uri.authority().cloned().map(Some).into_iter().chain(hosts).peekable();
    named.peek().is_some() && named.all(|name| name.is_some_and(|name| is_local(name.host())))
}

fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The headers by which proxies say that they forward a request for somebody else.
const FORWARDING: [HeaderName; 4] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    http::header::VIA,
];
