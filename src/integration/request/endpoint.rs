use http::header::USER_AGENT;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

#[cfg(feature = "outbox")]
use super::uri::without_braces;
use super::uri::{in_ascii, is_absolute, leads_out};
use crate::outcome::Error;
#[cfg(feature = "outbox")]
use crate::outcome::reference;
use crate::settings::ValidationError;
use crate::transport::hop::refuse_credentials;

/// Where an integration's requests go, and what each of them carries.
#[derive(Clone, Debug, Default)]
pub(in crate::integration) struct Endpoint {
    base: Option<Base>,
    /// Further origins that requests may go to.
    origins: Vec<Origin>,
    /// Set on each request that has no header of that name.
    headers: HeaderMap,
    /// The user agent was set.
    has_user_agent: bool,
    /// The client below is reqwest's, which reads its requests' timeouts itself.
    #[cfg(feature = "reqwest")]
    has_reqwest: bool,
    mistakes: Vec<ValidationError>,
}

/// A URL to which others are relative.
#[derive(Clone, Debug)]
struct Base {
    origin: Origin,
    /// Without a slash at its end.
    path: String,
}

/// A scheme, a host and a port.
#[derive(Clone, Debug)]
pub(in crate::integration) struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl Endpoint {
    pub(in crate::integration) fn set_base(&mut self, url: &str) {
        match Base::parse(url) {
            Ok(base) => self.base = Some(base),
            Err(problem) => self.refuse("base_url", &problem),
        }
    }

    pub(in crate::integration) fn allow_origin(&mut self, url: &str) {
        match Base::parse(url) {
            Ok(base) if base.path.is_empty() => self.origins.push(base.origin),
            Ok(_) => self.refuse("allow_origin", "an origin has no path: leave it out"),
            Err(problem) => self.refuse("allow_origin", &problem),
        }
    }

    pub(in crate::integration) fn set_header<N, V>(&mut self, field: &str, name: N, value: V)
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        match (name.try_into(), value.try_into()) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            (Err(_), _) => self.refuse(field, "the name is no header name"),
            (_, Err(_)) => self.refuse(field, "the value has characters that no header may have"),
        }
    }

    pub(in crate::integration) fn set_user_agent<V: TryInto<HeaderValue>>(&mut self, value: V) {
        self.has_user_agent = true;
        self.set_header("user_agent", USER_AGENT, value);
    }

    /// The user agent of an own client that was given none.
    pub(in crate::integration) fn default_user_agent(&mut self) {
        if !self.has_user_agent && !self.headers.contains_key(USER_AGENT) {
            self.headers.insert(USER_AGENT, HeaderValue::from_static(NAME_AND_VERSION));
        }
    }

    #[cfg(feature = "reqwest")]
    pub(in crate::integration) fn set_reqwest(&mut self) {
        self.has_reqwest = true;
    }

    #[cfg(feature = "reqwest")]
    pub(in crate::integration) fn has_reqwest(&self) -> bool {
        self.has_reqwest
    }

    pub(in crate::integration) fn has_header(&self, name: &HeaderName) -> bool {
        self.headers.contains_key(name)
    }

    pub(in crate::integration) fn refuse(&mut self, field: &str, problem: &str) {
        self.mistakes.push(ValidationError::new(field, problem));
    }

    pub(in crate::integration) fn mistakes(&self) -> Vec<ValidationError> {
        let mut mistakes = self.mistakes.clone();
        if self.base.is_none() && !self.origins.is_empty() {
            let problem = "without a base url, requests may go to all origins: set `base_url`, too";
            mistakes.push(ValidationError::new("allow_origin", problem));
        }
        mistakes
    }

    /// The URI of a path, or a URI as it is.
    pub(super) fn uri(&self, of: &str) -> Result<Uri, Error> {
        match (&self.base, is_absolute(of)) {
            (_, true) => of.parse().map_err(Error::from),
            (Some(base), false) => base.join(of),
            (None, false) => Err(Error::unsendable(format!("{NO_BASE}, and its uri is relative"))),
        }
    }

    /// Gives the request what each request carries; the error if it may not go where it wants to. Returns
    /// whether that is the base URL's origin, or whether there is none.
    pub(in crate::integration) fn prepare<B>(
        &self,
        request: &mut Request<B>,
    ) -> Result<bool, Error> {
        let is_to_base = self.direct(request)?;
        for (name, value) in &self.headers {
            // A default may be a credential, which is for the provider alone.
            let is_for_all = is_to_base || name == USER_AGENT;
            if is_for_all && !request.headers().contains_key(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        Ok(is_to_base)
    }

    /// Makes the request's URI absolute, and checks where it leads. Returns whether that is the base
    /// URL's origin, or whether there is none.
    fn direct<B>(&self, request: &mut Request<B>) -> Result<bool, Error> {
        refuse_credentials(request.uri())?;
        let is_to_base = self.complete(request)?;
        if let Some(uri) = in_ascii(request.uri())? {
            *request.uri_mut() = uri;
        }
        Ok(is_to_base)
    }

    fn complete<B>(&self, request: &mut Request<B>) -> Result<bool, Error> {
        let Some(base) = &self.base else { return Ok(true) };
        match (Origin::of(request.uri()), request.uri().authority()) {
            (None, Some(_)) => Err(Error::unsendable("its uri has a host and no scheme")),
            (None, None) => {
                let path = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
                *request.uri_mut() = base.join(path)?;
                Ok(true)
            }
            (Some(origin), _) if base.origin.is(&origin) => Ok(true),
            (Some(origin), _) if self.may_go_to(base, &origin) => Ok(false),
            (Some(Origin { scheme, authority }), _) => {
                let why = format!(
                    "{scheme}://{authority} is not the origin of its base url: `allow_origin` allows others"
                );
                Err(Error::unsendable(why))
            }
        }
    }

    /// Whether requests may go to this URI's origin.
    pub(in crate::integration) fn allows(&self, uri: &Uri) -> bool {
        match (&self.base, Origin::of(uri)) {
            (None, _) => true,
            (Some(base), Some(origin)) => self.may_go_to(base, &origin),
            (Some(_), None) => false,
        }
    }

    /// Where a reference in the answer to a request to this URI leads, if requests may go there: to the origin
    /// that was asked, or to another one that is allowed.
    #[cfg(feature = "outbox")]
    pub(in crate::integration) fn resolve(&self, sent: &Uri, reference: &str) -> Option<Uri> {
        let mut request = Request::new(());
        request.uri_mut().clone_from(sent);
        self.direct(&mut request).ok()?;
        let resolved = reference::resolve(request.uri(), &without_braces(reference))?;
        let may_go = match (Origin::of(request.uri()), Origin::of(&resolved)) {
            (Some(asked), Some(found)) => {
                asked.is(&found) || self.base.is_some() && self.allows(&resolved)
            }
            (None, None) => true,
            _ => false,
        };
        // As it will be asked for: what would be refused then leads nowhere now.
        let mut asked = Request::new(());
        *asked.uri_mut() = resolved;
        self.direct(&mut asked).ok()?;
        may_go.then(|| asked.uri().clone())
    }

    /// Whether this URI's origin is the base URL's, or there is none.
    pub(in crate::integration) fn is_own(&self, uri: &Uri) -> bool {
        let is_base = |base: &Base| Origin::of(uri).is_some_and(|origin| base.origin.is(&origin));
        self.base.as_ref().is_none_or(is_base)
    }

    fn may_go_to(&self, base: &Base, origin: &Origin) -> bool {
        base.origin.is(origin) || self.origins.iter().any(|allowed| allowed.is(origin))
    }
}

impl Base {
    fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri =
            url.parse().map_err(|_| "it is no url: give one like https://api.example/v1")?;
        let origin =
            Origin::of(&uri).ok_or("it must be absolute: give one like https://api.example/v1")?;
        if !["http", "https"].contains(&origin.scheme.as_str()) {
            return Err(format!("its scheme must be http or https, and not {}", origin.scheme));
        }
        if origin.authority.as_str().contains('@') {
            return Err("it holds a user or a password: set them as a default header".into());
        }
        if uri.query().is_some() || url.contains('#') {
            return Err("it must have no query and no fragment: set them on each request".into());
        }
        Ok(Self { origin, path: uri.path().trim_end_matches('/').to_owned() })
    }

    /// The URI of a path under the base's path.
    fn join(&self, relative: &str) -> Result<Uri, Error> {
        if relative.contains(['#', '\\']) || relative == "*" {
            return Err(Error::unsendable("its path has a `#`, a `\\` or is `*`: encode it"));
        }
        let (path, query) = match relative.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (relative, None),
        };
        if leads_out(path) {
            return Err(Error::unsendable(
                "its path has a `.` or `..`, which leads out of the base url",
            ));
        }
        let under = path.trim_start_matches('/');
        let slash = if path.is_empty() && !self.path.is_empty() { "" } else { "/" };
        let mark = if query.is_some() { "?" } else { "" };
        let joined = format!("{}{slash}{under}{mark}{}", self.path, query.unwrap_or_default());
        let joined = Uri::builder()
            .scheme(self.origin.scheme.clone())
            .authority(self.origin.authority.clone())
            .path_and_query(joined)
            .build()?;
        Ok(joined)
    }
}

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?.clone(), uri.authority()?.clone());
        Some(Self { scheme, authority })
    }

    fn is(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.authority.host().eq_ignore_ascii_case(other.authority.host())
            && self.port() == other.port()
    }

    fn port(&self) -> u16 {
        let default = if self.scheme == Scheme::HTTPS { 443 } else { 80 };
        self.authority.port_u16().unwrap_or(default)
    }
}

/// RFC 9110, 10.1.5.
const NAME_AND_VERSION: &str = concat!("outrigger/", env!("CARGO_PKG_VERSION"));
const NO_BASE: &str = "the integration has no base url";
