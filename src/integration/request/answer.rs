use std::future::Future;

use bytes::Bytes;
use http::Response;

use crate::body::Body;
use crate::outcome::{Error, ErrorKind};
use crate::terms::Delivery;

/// What to do with an answer, named as on reqwest's `Response`.
///
/// ```
/// use outrigger::{Body, ResponseExt};
///
/// # async fn read(response: http::Response<Body>) -> Result<(), outrigger::Error> {
/// let text = response.error_for_status()?.text().await?;
/// # let _ = text;
/// # Ok(()) }
/// ```
pub trait ResponseExt: sealed::Sealed + Sized {
    /// An answer with a status of 400 to 599 as an error.
    ///
    /// # Errors
    ///
    /// Of kind [`Status`](ErrorKind::Status) and delivery [`Answered`](Delivery::Answered). Its text
    /// names the status and nothing of the body, which is dropped.
    fn error_for_status(self) -> Result<Self, Error>;

    /// The body as JSON, of at most 16 MiB.
    ///
    /// # Errors
    ///
    /// As [`Body::bytes`]; and of kind [`Invalid`](ErrorKind::Invalid) if it is not what `T` wants:
    /// its text names the place, and no value.
    #[cfg(feature = "json")]
    fn json<T: serde::de::DeserializeOwned>(self) -> impl Future<Output = Result<T, Error>> + Send;

    /// The same, of at most `most` bytes.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json).
    #[cfg(feature = "json")]
    fn json_up_to<T: serde::de::DeserializeOwned>(
        self,
        most: usize,
    ) -> impl Future<Output = Result<T, Error>> + Send;

    /// See [`Body::text`].
    ///
    /// # Errors
    ///
    /// As [`Body::text`].
    fn text(self) -> impl Future<Output = Result<String, Error>> + Send;

    /// See [`Body::text_up_to`].
    ///
    /// # Errors
    ///
    /// As [`Body::text`].
    fn text_up_to(self, most: usize) -> impl Future<Output = Result<String, Error>> + Send;

    /// See [`Body::bytes`].
    ///
    /// # Errors
    ///
    /// As [`Body::bytes`].
    fn bytes(self) -> impl Future<Output = Result<Bytes, Error>> + Send;

    /// See [`Body::bytes_up_to`].
    ///
    /// # Errors
    ///
    /// As [`Body::bytes`].
    fn bytes_up_to(self, most: usize) -> impl Future<Output = Result<Bytes, Error>> + Send;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Response<Body> {}

impl ResponseExt for Response<Body> {
    fn error_for_status(self) -> Result<Self, Error> {
        let status = self.status();
        match status.is_client_error() || status.is_server_error() {
            false => Ok(self),
            true => Err(Error::new(ErrorKind::Status(status), Delivery::Answered)),
        }
    }

    #[cfg(feature = "json")]
    async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        parse(&self.into_body().bytes().await?)
    }

    #[cfg(feature = "json")]
    async fn json_up_to<T: serde::de::DeserializeOwned>(self, most: usize) -> Result<T, Error> {
        parse(&self.into_body().bytes_up_to(most).await?)
    }

    async fn text(self) -> Result<String, Error> {
        self.into_body().text().await
    }

    async fn text_up_to(self, most: usize) -> Result<String, Error> {
        self.into_body().text_up_to(most).await
    }

    async fn bytes(self) -> Result<Bytes, Error> {
        self.into_body().bytes().await
    }

    async fn bytes_up_to(self, most: usize) -> Result<Bytes, Error> {
        self.into_body().bytes_up_to(most).await
    }
}

#[cfg(feature = "json")]
fn parse<T: serde::de::DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(json).map_err(|error| {
        let text = error.to_string();
        // Of serde's sentences, this one alone never quotes a value.
        let what = match text.split_once(" at line") {
            Some((what, _)) if what.starts_with("missing field") => what,
            _ if error.is_data() => "a value of another type than expected",
            _ if json.is_empty() => "there is no body",
            _ => "it is no json",
        };
        let (line, column) = (error.line(), error.column());
        Error::new(ErrorKind::Invalid, Delivery::Answered)
            .with_detail(format!("{what} (line {line}, column {column})"))
    })
}
