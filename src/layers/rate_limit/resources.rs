use http::{Method, Uri};

use crate::outcome::Resource;

/// The parts of a request's method and path by which providers divide their limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// The path's first segment that is no `api` and no version.
    first: u64,
    /// The method and the path, without what looks like an id.
    shape: u64,
    /// The segment after the first.
    second: u64,
}

/// Where a request goes. Its route is worked out only if a limit asks for it.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Line(Method, Uri),
    Route(Route),
}

/// Which of a provider's resources a route belongs to, as its answers said.
///
/// GitHub counts searches, code searches and GraphQL apart from everything else, and only the answer
/// names the resource that its figures are for. Discord does so for each shape of a path, and counts
/// each channel or guild apart, which is the path's second segment.
#[derive(Debug, Default)]
pub(super) struct Resources(Vec<(u64, Resource)>);

impl Route {
    pub(super) fn of(method: &Method, uri: &Uri) -> Self {
        let mut shape = fold(BASIS, method.as_str().as_bytes());
        let (mut first, mut second) = (BASIS, BASIS);
        let segments = uri.path().as_bytes().split(|byte| *byte == b'/');
        for (at, segment) in segments.skip_while(|segment| is_prefix(segment)).enumerate() {
            match at {
                0 => first = fold(BASIS, segment),
                1 => second = fold(BASIS, segment),
                _ => {}
            }
            let is_id = segment.iter().any(u8::is_ascii_digit);
            shape = fold(fold(shape, if is_id { b"#" } else { segment }), b"/");
        }
        Self { first, shape, second }
    }

    /// The id of the limit that an answer with this resource reports, for this route.
    pub(super) fn own(self, resource: Resource) -> u64 {
        match resource {
            Resource::Named(name) => name,
            Resource::Bucket(name) => fold(name, &self.second.to_ne_bytes()),
        }
    }

    /// The part of the route that determines its resource.
    fn key(self, resource: Resource) -> u64 {
        match resource {
            Resource::Named(_) => self.first,
            Resource::Bucket(_) => self.shape,
        }
    }
}

impl Target {
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Line(method, uri) => Route::of(method, uri),
            Self::Route(route) => *route,
        }
    }
}

impl Resources {
    /// The resource that the route's last answer named.
    pub(super) fn of(&self, route: Route) -> Option<u64> {
        let known = self.0.iter().find(|(key, resource)| *key == route.key(*resource))?;
        Some(route.own(known.1))
    }

    pub(super) fn learn(&mut self, route: Route, resource: Resource) {
        let key = route.key(resource);
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = resource,
            None => {
                self.0.truncate(MAX_ROUTES - 1);
                self.0.push((key, resource));
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// `api`, a version such as `v3`, or nothing.
fn is_prefix(segment: &[u8]) -> bool {
    match segment {
        [] | b"api" => true,
        [b'v', version @ ..] => !version.is_empty() && version.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// FNV-1a.
fn fold(hash: u64, bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(hash, mix)
}

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
/// The most routes that are kept. Providers have fewer; more means that paths begin with an id.
const MAX_ROUTES: usize = 32;
