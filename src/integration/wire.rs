use bytes::Bytes;
use http_body::Body as _;

use crate::body::Body;
use crate::context::UploadProgress;
use crate::pattern::{Form, Saved, Wire, sealed};
use crate::replay::RecordedBody;
use crate::timeout::Watched;

/// The body types of an integration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IntegrationWire {}

/// A request's body, saved to be sent again.
#[derive(Default)]
pub(crate) enum SavedBody {
    #[default]
    Nothing,
    /// All its bytes are in memory: a copy costs nothing.
    Here(Body),
    /// It is recorded while it is sent.
    Recorded(RecordedBody<Body>),
}

impl sealed::Wire for IntegrationWire {}

impl Wire for IntegrationWire {
    type Body = Body;
    type Data = Bytes;
    type Saved = SavedBody;

    fn watch(body: Body, progress: &UploadProgress) -> Body {
        Body::new(Watched::watch(Watched::wrap(body), progress))
    }

    fn length(body: &Body) -> Option<u64> {
        body.size_hint().exact()
    }
}

impl Saved<Body> for SavedBody {
    fn copy(&mut self, body: &Body, cap: usize) -> bool {
        let is_short = body.as_bytes().is_some_and(|bytes| bytes.len() <= cap);
        let Some(again) = body.again().filter(|_| is_short) else { return false };
        *self = Self::Here(again);
        true
    }

    fn record(&mut self, body: Body, cap: usize) -> Body {
        let mut recorded = RecordedBody::default();
        let sent = recorded.start(body, cap);
        *self = Self::Recorded(recorded);
        Body::new(sent)
    }

    fn again(&self) -> Option<Body> {
        match self {
            Self::Nothing => None,
            Self::Here(body) => body.again(),
            Self::Recorded(recorded) => recorded.again().map(Body::new),
        }
    }

    fn is_kept(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recorded) => recorded.is_kept(),
        }
    }

    fn is_sent(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recorded) => recorded.is_sent(),
        }
    }

    fn clear(&mut self) {
        *self = Self::Nothing;
    }
}
