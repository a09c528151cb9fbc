use super::builder::IntegrationBuilder;
use super::handle::Integration;
use super::request::CallOptions;
use super::source::Service;
use crate::context::AttemptLimit;
use crate::outcome::Error;
use crate::transport::reqwest::{ReqwestTransport, to_http, to_reqwest};

impl<T> IntegrationBuilder<T> {
    /// Sends through this client: its pool, proxies and cookies stay, and its redirects as far as they
    /// don't send a body again.
    ///
    /// A client that follows none is better told of:
    /// [`ReqwestTransport::single_hop`](crate::transport::reqwest::ReqwestTransport::single_hop). The
    /// [transport's page](crate::transport::reqwest) says why.
    pub fn reqwest(
        self,
        client: impl ReqwestClient,
    ) -> IntegrationBuilder<Service<ReqwestTransport>> {
        let mut builder = self.service(client.into_transport());
        builder.endpoint.set_reqwest();
        builder
    }
}

/// What [`IntegrationBuilder::reqwest`] takes: a `reqwest::Client` of the version that this crate uses,
/// or a [`ReqwestTransport`].
///
/// A client of another version is another type:
///
/// ```compile_fail,E0277
/// /// That of another major version.
/// #[derive(Clone)]
/// struct Client;
///
/// let shop = outrigger::Integration::user_flow("shop").reqwest(Client).build();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a client of the reqwest that outrigger uses",
    label = "not a `reqwest::Client` of version 0.13",
    note = "two versions of reqwest are two different crates: depend on `reqwest = \"0.13\"`; `cargo tree -i reqwest` shows who brings which"
)]
pub trait ReqwestClient {
    /// The client as a transport.
    #[doc(hidden)]
    fn into_transport(self) -> ReqwestTransport;
}

#[diagnostic::do_not_recommend]
impl<C: Into<ReqwestTransport>> ReqwestClient for C {
    fn into_transport(self) -> ReqwestTransport {
        self.into()
    }
}

impl Integration {
    /// Calls the API with a request of reqwest's, and answers with a response of reqwest's.
    ///
    /// The request's own timeout is one of each attempt: to the answer's head, and with a reqwest client
    /// below, to the end of its body. The response's URL is where it came from, as far as the client below
    /// tells of redirects, as reqwest's does and the own one; else the one that was asked.
    ///
    /// The response's own `bytes`, `text` and `json` read as much as comes, decompressed, until the deadline
    /// ends it. [`Body::bytes`](crate::Body::bytes) has a bound:
    ///
    /// ```
    /// use outrigger::Body;
    ///
    /// # async fn read(response: reqwest::Response) -> Result<(), outrigger::Error> {
    /// let response = http::Response::from(response);
    /// let text = Body::from(response.into_body()).text().await?;
    /// # let _ = text;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send`](Integration::send).
    pub async fn execute(&self, request: ::reqwest::Request) -> Result<::reqwest::Response, Error> {
        self.execute_with(request, CallOptions::new()).await
    }

    /// The same, with options: a request of reqwest's has no place for a key, a deadline or an
    /// override of its retries.
    ///
    /// ```
    /// use outrigger::{CallOptions, Integration};
    ///
    /// # async fn charge(stripe: Integration, client: reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let request = client.post("https://api.stripe.com/v1/charges").body("amount=1000").build()?;
    /// let options = CallOptions::new().idempotency_key("order-1042-charge");
    /// let response = stripe.execute_with(request, options).await?;
    /// # let _ = response;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`send_with`](Integration::send_with).
    pub async fn execute_with(
        &self,
        request: ::reqwest::Request,
        options: CallOptions,
    ) -> Result<::reqwest::Response, Error> {
        let (url, method) = (request.url().clone(), request.method().clone());
        let timeout = request.timeout().copied();
        let call = match to_http(request) {
            Ok(mut request) => {
                let own_limit = timeout.filter(|_| !self.shared.endpoint.has_reqwest());
                if let Some(limit) = own_limit {
                    request.extensions_mut().insert(AttemptLimit(limit));
                }
                self.send_with(request, options)
            }
            Err(error) => self.refuse(error, method),
        };
        Ok(to_reqwest(call.await?, url))
    }
}
