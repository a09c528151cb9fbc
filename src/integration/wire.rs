use bytes::Bytes;
use http_body::Body as _;

use crate::body::Body;
use crate::context::UploadProgress;
use crate::pattern::{Form, Saved, Wire, sealed};
use crate::replay::Recording;
use crate::timeout::Watched;

/// The bodies of an integration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IntegrationWire {}

/// What is kept of a request's body to send it again.
#[derive(Default)]
pub(crate) enum SavedBody {
    #[default]
    Nothing,
    /// It is all here: another one costs nothing.
    Here(Body),
    /// It is recorded while it is sent.
    Recorded(Recording<Body>),
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
    fn save(&mut self, body: Body, cap: usize) -> Body {
        let is_short = body.as_bytes().is_none_or(|bytes| bytes.len() <= cap);
        match body.again().filter(|_| is_short) {
            Some(again) => {
                *self = Self::Here(again);
                body
            }
            None => {
                let mut recording = Recording::default();
                let recorded = recording.start(body, cap);
                *self = Self::Recorded(recording);
                Body::new(recorded)
            }
        }
    }

    fn again(&self) -> Option<Body> {
        match self {
            Self::Nothing => None,
            Self::Here(body) => body.again(),
            Self::Recorded(recording) => recording.again().map(Body::new),
        }
    }

    fn is_kept(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recording) => recording.is_kept(),
        }
    }

    fn is_sent(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recording) => recording.is_sent(),
        }
    }

    fn clear(&mut self) {
        *self = Self::Nothing;
    }
}
