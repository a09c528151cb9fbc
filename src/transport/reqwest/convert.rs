use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body as _;
use reqwest::{ResponseBuilderExt, Url};

use super::witness::Witness;
use crate::body::{Body, IntoBytes};
use crate::context::{Context, UriIsSigned};
use crate::outcome::{Error, ErrorKind};
use crate::terms::Delivery;
use crate::transport::hop::{expects_body, refuse_credentials};

/// Converts a request of reqwest to one of `http`.
pub(crate) fn to_http(request: reqwest::Request) -> Result<Request<Body>, Error> {
    let request: Request<reqwest::Body> = request.try_into().map_err(unsendable)?;
    Ok(request.map(Body::from))
}

/// A request for reqwest. What a witness rides on is a stream, which is sent once; otherwise bytes stay
/// bytes, which the client can send again.
pub(super) fn to_client(
    request: Request<Body>,
    witness: Option<&Witness>,
) -> Result<reqwest::Request, Error> {
    let context = request.extensions().get::<Context>().cloned();
    let (mut head, body) = request.into_parts();
    refuse_credentials(&head.uri).map_err(|error| Error::from_client(error, context.as_ref()))?;
    if head.extensions.get::<UriIsSigned>().is_some() && !is_kept(&head.uri) {
        return Err(Error::from_client(Error::unsendable(OTHER_URI), context.as_ref()));
    }
    let body = match witness {
        Some(witness) => {
            if body.is_end_stream() && expects_body(&head.method) {
                // RFC 9110, 8.6. The client isn't told, and so it doesn't say.
                head.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
            }
            reqwest::Body::wrap(witness.watch(body, &head.method))
        }
        None => match body.into_bytes() {
            Ok(bytes) => reqwest::Body::from(bytes),
            Err(stream) => reqwest::Body::wrap(stream),
        },
    };
    let request = Request::from_parts(head, body);
    let refused = |error| Error::from_client(unsendable(error), context.as_ref());
    request.try_into().map_err(refused)
}

/// Converts a response from reqwest, and saves its URL.
pub(super) fn from_client(response: reqwest::Response) -> Response<reqwest::Body> {
    let url = Response::builder().url(response.url().clone()).body(());
    let mut response = Response::from(response);
    if let Ok(url) = url {
        response.extensions_mut().extend(url.into_parts().0.extensions);
    }
    response
}

/// Converts a response of `http` to one of reqwest, whose URL is this one unless it is known to have come from
/// another.
pub(crate) fn to_reqwest(response: Response<Body>, asked: Url) -> reqwest::Response {
    let (mut head, body) = response.into_parts();
    #[cfg(feature = "redirect")]
    let asked = {
        let from = head.extensions.get::<tower_http::follow_redirect::RequestUri>();
        from.and_then(|from| Url::parse(&from.0.to_string()).ok()).unwrap_or(asked)
    };
    if let Ok(with_url) = Response::builder().url(asked).body(()) {
        // A reqwest client's own comes last, and stays.
        let known = std::mem::replace(&mut head.extensions, with_url.into_parts().0.extensions);
        head.extensions.extend(known);
    }
    Response::from_parts(head, reqwest::Body::wrap(body)).into()
}

impl From<reqwest::Body> for Body {
    fn from(body: reqwest::Body) -> Self {
        match body.as_bytes() {
            Some([]) => Self::empty(),
            Some(bytes) => Bytes::copy_from_slice(bytes).into(),
            None => Self::new(body),
        }
    }
}

/// Whether the client sends a URI as it is: it parses it as a URL, which encodes what a URI leaves, and takes
/// dots out of paths.
fn is_kept(uri: &Uri) -> bool {
    let sent = |url: Url| {
        let host =
            uri.host().is_some_and(|host| url.host_str() == Some(&host.to_ascii_lowercase()));
        let path = url.path() == uri.path() && url.query() == uri.query();
        host && path
    };
    Url::parse(&uri.to_string()).is_ok_and(sent)
}

fn unsendable(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Request, Delivery::NotSent).with_source(error.without_url().into())
}

const OTHER_URI: &str =
    "its uri is signed, and the reqwest client sends another: encode it as a url does";
