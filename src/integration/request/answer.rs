use std::future::Future;

use bytes::Bytes;
use http::Response;

#[cfg(feature = "json")]
use crate::body::AnswerOf;
use crate::body::{Body, error_about};
use crate::outcome::{Error, ErrorKind, FailedCheck, SharedClassifier, class_of_head, wait_of};
use crate::retry::Retries;
use crate::rt::Clock;
#[cfg(feature = "json")]
use crate::validate::{Checked, decode, fault_of};

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
    /// An answer with a status of 400 to 599, or one that failed its [check](crate::validate), as an error.
    ///
    /// # Errors
    ///
    /// Of kind [`Status`](ErrorKind::Status), or [`Invalid`](ErrorKind::Invalid) if only its check failed, with the call's ids, attempts, and
    /// [delivery](Error::delivery) over all attempts: [`Answered`](crate::Delivery::Answered), unless one
    /// before this answer was lost. [`Error::retry_after`] is what the provider asks for, and
    /// [`Error::gave_up`] why it was not tried again. Its text names
    /// the integration, the host and the status, and nothing of the body, which is dropped.
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

    /// The body as JSON, of at most 16 MiB, with what of it the type doesn't know: to notice that a provider
    /// adds members, before you need them.
    ///
    /// # Errors
    ///
    /// As [`json`](Self::json); its text names the place as a JSON pointer.
    #[cfg(feature = "json")]
    fn checked<T: serde::de::DeserializeOwned>(
        self,
    ) -> impl Future<Output = Result<Checked<T>, Error>> + Send;

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
        let failed_check = self.extensions().get::<FailedCheck>().cloned();
        let is_error = status.is_client_error() || status.is_server_error();
        if !is_error && failed_check.is_none() {
            return Ok(self);
        }
        let (mut head, body) = self.into_parts();
        let by = SharedClassifier::default();
        let class = class_of_head(&by, status, &head.headers, &head.extensions);
        let clock = Clock::system();
        let wait = wait_of(&by, class, &head.headers, &mut head.extensions, &clock);
        let kind = if is_error { ErrorKind::Status(status) } else { ErrorKind::Invalid };
        let mut error = error_about(kind, body.answer_of()).with_retry_after(wait);
        if let Some(failed) = failed_check {
            error = error.with_detail(failed.to_string()).with_source(Box::new(failed));
        }
        Err(match head.extensions.get::<Retries>() {
            Some(retries) => error.with_gave_up(retries.gave_up, retries.attempts),
            None => error,
        })
    }

    #[cfg(feature = "json")]
    async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        let of = self.body().answer_of();
        parse(&self.into_body().bytes().await?, of)
    }

    #[cfg(feature = "json")]
    async fn json_up_to<T: serde::de::DeserializeOwned>(self, most: usize) -> Result<T, Error> {
        let of = self.body().answer_of();
        parse(&self.into_body().bytes_up_to(most).await?, of)
    }

    #[cfg(feature = "json")]
    async fn checked<T: serde::de::DeserializeOwned>(self) -> Result<Checked<T>, Error> {
        let of = self.body().answer_of();
        let json = self.into_body().bytes().await?;
        decode(&json)
            .map_err(|finding| error_about(ErrorKind::Invalid, of).with_detail(finding.to_string()))
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
fn parse<T>(json: &[u8], of: Option<AnswerOf>) -> Result<T, Error>
where
    T: serde::de::DeserializeOwned,
{
    serde_json::from_slice(json).map_err(|error| {
        let (what, line, column) = (fault_of(&error, json), error.line(), error.column());
        error_about(ErrorKind::Invalid, of)
            .with_detail(format!("{what} (line {line}, column {column})"))
    })
}
