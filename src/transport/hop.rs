//! Records the facts of a client that sends one request a call, where they become known.

#[cfg(feature = "hyper")]
use http::Method;
use http::{Response, StatusCode, Uri};

use crate::context::{Context, Peer};
use crate::outcome::{BoxError, Error, LeftAlone};
use crate::terms::Delivery;

/// Whether a request by this method announces an empty body, with a length of 0 (RFC 9110, 8.6).
#[cfg(feature = "hyper")]
pub(crate) fn expects_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// Refuses a URI with credentials. They must not be sent as they are (RFC 9110, 4.2.4; RFC 9113, 8.3.1). Left
/// out without a word, a call would be somebody else's, or nobody's.
pub(crate) fn refuse_credentials(uri: &Uri) -> Result<(), Error> {
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            let why = "its uri holds credentials: give it an authorization header";
            Err(Error::unsendable(why).with_peer(|| Peer::of(uri)))
        }
        _ => Ok(()),
    }
}

/// The request is handed to a connection: from here on, the provider may act on it.
pub(crate) fn hand_over(context: Option<&Context>) {
    if let Some(context) = context {
        context.state().hand_over();
    }
}

/// A connection is being made for the request: until it is there, nothing is sent.
#[cfg(feature = "test-util")]
pub(crate) fn connects(context: Option<&Context>) {
    if let Some(context) = context {
        context.state().begin_connecting();
    }
}

/// The connection was made, or could not be.
#[cfg(feature = "test-util")]
pub(crate) fn connected(context: Option<&Context>) {
    if let Some(context) = context {
        context.state().end_connecting();
    }
}

/// The connection returned the request, or it was never handed to one.
pub(crate) fn take_back(context: Option<&Context>) {
    if let Some(context) = context {
        context.state().take_back();
    }
}

/// The request was answered. By 421 and 425, the provider says that it left it alone (RFC 9110,
/// 15.5.20; RFC 8470, 5.2).
pub(crate) fn answered<B>(context: Option<&Context>, response: &mut Response<B>) {
    let left_alone =
        matches!(response.status(), StatusCode::MISDIRECTED_REQUEST | StatusCode::TOO_EARLY);
    if let Some(context) = context.filter(|_| left_alone) {
        response.extensions_mut().insert(LeftAlone(context.call_id()));
    }
}

/// The request failed with this error, whose delivery is that of the request.
pub(crate) fn failed(context: Option<&Context>, error: impl Into<BoxError>) -> Error {
    let error = Error::from_client(error, context);
    if error.delivery() == Delivery::NotSent {
        take_back(context);
    }
    error
}
