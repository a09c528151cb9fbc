use http::Uri;

/// Where a request goes, as far as providers divide their limits by it: the path's first segment that
/// is no `api` and no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route(u64);

/// Which of a provider's resources a route belongs to, as its answers said.
///
/// GitHub counts searches, code searches and GraphQL apart from all the rest, and names what an
/// answer's figures are of only in the answer.
#[derive(Debug, Default)]
pub(super) struct Resources(Vec<(Route, u64)>);

impl Route {
    pub(super) fn of(uri: &Uri) -> Self {
        let mut rest = uri.path().as_bytes();
        // Every call is asked for it: bytes are read once.
        let first = loop {
            let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let (segment, further) = rest.split_at(end);
            match further {
                [_, further @ ..] if is_prefix(segment) => rest = further,
                _ if is_prefix(segment) => break &rest[..0],
                _ => break segment,
            }
        };
        // FNV-1a.
        let mix =
            |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(first.iter().fold(0xcbf2_9ce4_8422_2325, mix))
    }
}

impl Resources {
    /// The resource that the route's last answer named.
    pub(super) fn of(&self, route: Route) -> Option<u64> {
        self.0.iter().find(|(known, _)| *known == route).map(|(_, resource)| *resource)
    }

    pub(super) fn learn(&mut self, route: Route, resource: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == route) {
            Some((_, known)) => *known = resource,
            None => {
                self.0.truncate(MOST - 1);
                self.0.push((route, resource));
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// `api`, or a version such as `v3`.
fn is_prefix(segment: &[u8]) -> bool {
    match segment {
        [] | b"api" => true,
        [b'v', version @ ..] => !version.is_empty() && version.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Routes that are known at once: more than GitHub's paths begin with is a path that begins with an id.
const MOST: usize = 32;
