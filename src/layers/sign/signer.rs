use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::error::SignError;
use super::input::{Signed, SigningInput};

/// Signs requests.
///
/// A function of that form is one, for a key that is in memory. A key that is elsewhere, in a KMS or an
/// HSM, is asked by an async method:
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use outrigger::sign::{Sign, SignError, Signed, SigningInput};
///
/// struct Kms;
///
/// impl Kms {
///     async fn mac(&self, text: &str) -> std::io::Result<String> {
///         Ok(format!("mac of {} bytes", text.len())) // a request of yours
///     }
/// }
///
/// impl Sign for Kms {
///     async fn sign(&self, input: &SigningInput) -> Result<Signed, SignError> {
///         let text = format!("{} {}", input.method, input.uri);
///         let mac = self.mac(&text).await.map_err(|_| SignError::new("the kms is away"))?;
///         let mac = HeaderValue::try_from(mac).map_err(|_| SignError::new("the mac is no header"))?;
///         Ok(Signed::new(HeaderMap::from_iter([(http::HeaderName::from_static("x-mac"), mac)])))
///     }
/// }
/// ```
///
/// If it panics, the attempt is refused. If it hangs, the attempt's limits end it.
pub trait Sign: Send + Sync + 'static {
    /// Signs one attempt.
    ///
    /// It takes the time from its input, and not from the machine: the layer corrects it.
    ///
    /// # Errors
    ///
    /// If there can be no signature: nothing is sent, and the caller gets the error's text.
    fn sign(&self, input: &SigningInput) -> impl Future<Output = Result<Signed, SignError>> + Send;
}

/// A signer as a trait object.
pub(super) trait AnySigner: Send + Sync {
    fn sign_boxed(self: Arc<Self>, input: SigningInput) -> BoxedSigning;
}

pub(super) type BoxedSigning = Pin<Box<dyn Future<Output = Result<Signed, SignError>> + Send>>;

impl<S: Sign> AnySigner for S {
    fn sign_boxed(self: Arc<Self>, input: SigningInput) -> BoxedSigning {
        Box::pin(async move { self.sign(&input).await })
    }
}

impl<F> Sign for F
where
    F: Fn(&SigningInput) -> Result<Signed, SignError> + Send + Sync + 'static,
{
    async fn sign(&self, input: &SigningInput) -> Result<Signed, SignError> {
        self(input)
    }
}
