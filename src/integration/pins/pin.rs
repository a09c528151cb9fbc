use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Request, Uri};

use crate::outcome::Error;

/// A version of a provider's API, which each request asks for. See
/// [`IntegrationBuilder::pin`](crate::IntegrationBuilder::pin).
///
/// | profile | asked for by | the answer tells it in |
/// |---|---|---|
/// | [`stripe`](Self::stripe) | `stripe-version` | the same |
/// | [`github`](Self::github) | `x-github-api-version` | `x-github-api-version-selected` |
/// | [`square`](Self::square) | `square-version` | the same |
/// | [`notion`](Self::notion) | `notion-version` | |
/// | [`anthropic`](Self::anthropic) | `anthropic-version` | |
/// | [`shopify`](Self::shopify) | the path, which is yours: `/admin/api/2026-01/…` | `x-shopify-api-version` |
/// | [`azure`](Self::azure) | `api-version` in the query | |
/// | [`header`](Self::header), [`query`](Self::query) | any | [`told_in`](Self::told_in) |
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pin {
    place: Place,
    pub(super) version: String,
    /// The header of an answer that says which version it has.
    pub(super) told_in: Option<HeaderName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Header(HeaderName),
    Query(String),
    /// The host writes it.
    Path,
}

/// What became of a request that is to have a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It asks for the pinned version.
    Pinned,
    /// It asks for a version of its own.
    Own,
    /// It says nothing of versions.
    Unversioned,
}

impl Pin {
    /// A version that a header asks for.
    pub fn header(name: HeaderName, version: impl Into<String>) -> Self {
        Self::new(Place::Header(name), version)
    }

    /// A version that a parameter of the query asks for.
    pub fn query(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self::new(Place::Query(name.into()), version)
    }

    /// Stripe's, such as `2025-09-30.clover`.
    pub fn stripe(version: impl Into<String>) -> Self {
        Self::echoed("stripe-version", version)
    }

    /// GitHub's, such as `2022-11-28`.
    pub fn github(version: impl Into<String>) -> Self {
        let told_in = HeaderName::from_static("x-github-api-version-selected");
        Self::header(HeaderName::from_static("x-github-api-version"), version).told_in(told_in)
    }

    /// Square's, such as `2025-10-16`.
    pub fn square(version: impl Into<String>) -> Self {
        Self::echoed("square-version", version)
    }

    /// Notion's, such as `2022-06-28`.
    pub fn notion(version: impl Into<String>) -> Self {
        Self::header(HeaderName::from_static("notion-version"), version)
    }

    /// Anthropic's, such as `2023-06-01`.
    pub fn anthropic(version: impl Into<String>) -> Self {
        Self::header(HeaderName::from_static("anthropic-version"), version)
    }

    /// Shopify's, such as `2026-01`. It is a part of the paths that you call; the answer tells whether Shopify
    /// fell forward to another, because that one has ended.
    pub fn shopify(version: impl Into<String>) -> Self {
        Self::new(Place::Path, version).told_in(HeaderName::from_static("x-shopify-api-version"))
    }

    /// Azure's, such as `2024-11-01`.
    pub fn azure(version: impl Into<String>) -> Self {
        Self::query("api-version", version)
    }

    /// The header in which answers say which version they have.
    pub fn told_in(mut self, name: HeaderName) -> Self {
        self.told_in = Some(name);
        self
    }

    fn echoed(name: &'static str, version: impl Into<String>) -> Self {
        let name = HeaderName::from_static(name);
        Self::header(name.clone(), version).told_in(name)
    }

    fn new(place: Place, version: impl Into<String>) -> Self {
        Self { place, version: version.into(), told_in: None }
    }

    /// The header, or the parameter of the query, that asks for it; of a path, the header that tells it.
    pub(super) fn name(&self) -> &str {
        match &self.place {
            Place::Header(name) => name.as_str(),
            Place::Query(name) => name,
            Place::Path => self.told_in.as_ref().map_or("path", HeaderName::as_str),
        }
    }

    /// What is wrong with it.
    pub(in crate::integration) fn mistake(&self) -> Option<&'static str> {
        let is_plain = |text: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/+".contains(&byte);
            !text.is_empty() && text.bytes().all(fits)
        };
        match &self.place {
            _ if !is_plain(&self.version) => {
                Some("the version must be of letters, digits and `-._~:/+`: is it set?")
            }
            Place::Query(name) if !is_plain(name) => {
                Some("the parameter's name must be of letters, digits and `-._~:/+`")
            }
            _ => None,
        }
    }

    /// Whether another pin stands at the same place.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.place == other.place && self.name() == other.name()
    }

    pub(in crate::integration) fn header_name(&self) -> Option<&HeaderName> {
        match &self.place {
            Place::Header(name) => Some(name),
            _ => None,
        }
    }

    /// Writes it into a request that has none of its own.
    pub(super) fn write<B>(&self, request: &mut Request<B>) -> Result<Written, Error> {
        let own = |version: &str| match version == self.version {
            true => Written::Pinned,
            false => Written::Own,
        };
        match &self.place {
            Place::Header(name) => {
                if let Some(value) = request.headers().get(name) {
                    return Ok(own(value.to_str().unwrap_or_default()));
                }
                let version = HeaderValue::try_from(&self.version).map_err(http::Error::from)?;
                request.headers_mut().insert(name, version);
            }
            Place::Query(name) => {
                if let Some(version) = parameter(request.uri(), name) {
                    return Ok(own(version));
                }
                *request.uri_mut() = with_parameter(request.uri(), name, &self.version)?;
            }
            Place::Path => {
                let mut segments = request.uri().path().split('/');
                let is_pinned = segments.any(|segment| segment == self.version);
                return Ok(if is_pinned { Written::Pinned } else { Written::Unversioned });
            }
        }
        Ok(Written::Pinned)
    }

    /// Whether its version has a date that is more than a year ago, in whole months.
    pub(super) fn is_over_a_year_old(&self, now: SystemTime) -> bool {
        let (Some(date), Ok(since)) =
            (self.version.get(..7), now.duration_since(SystemTime::UNIX_EPOCH))
        else {
            return false;
        };
        let month = || {
            let (year, month) = date.split_once('-')?;
            let (year, month): (u64, u64) = (year.parse().ok()?, month.parse().ok()?);
            Some(year.checked_sub(1970)? * 12 + month)
        };
        month().is_some_and(|month| since.as_secs() / MONTH.as_secs() + 1 > month + 12)
    }
}

/// The value of a parameter as it stands there.
fn parameter<'u>(uri: &'u Uri, name: &str) -> Option<&'u str> {
    let mut pairs = uri.query()?.split('&');
    pairs.find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })
}

fn with_parameter(uri: &Uri, name: &str, value: &str) -> Result<Uri, Error> {
    let path = uri.path();
    let query = match uri.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}&{name}={value}"),
        None => format!("{path}?{name}={value}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(query.parse().map_err(http::Error::from)?);
    Ok(Uri::from_parts(parts).map_err(http::Error::from)?)
}

/// A twelfth of the Gregorian year.
const MONTH: Duration = Duration::from_secs(2_629_746);
