use super::builder::{IntegrationBuilder, Service};
use super::handle::Integration;
use crate::error::Error;
use crate::transport::reqwest::{ReqwestTransport, to_http, to_reqwest};

impl<T> IntegrationBuilder<T> {
    /// Sends through this client: its pool, proxies, cookies and redirects stay.
    ///
    /// Build it with `.retry(reqwest::retry::never())`; the
    /// [transport's page](crate::transport::reqwest) says why.
    pub fn reqwest(
        self,
        client: ::reqwest::Client,
    ) -> IntegrationBuilder<Service<ReqwestTransport>> {
        self.service(ReqwestTransport::new(client))
    }
}

impl Integration {
    /// Calls the API with a request of reqwest's, and answers with a response of reqwest's.
    ///
    /// # Errors
    ///
    /// As [`send`](Integration::send).
    pub async fn execute(&self, request: ::reqwest::Request) -> Result<::reqwest::Response, Error> {
        Ok(to_reqwest(self.send(to_http(request)?).await?))
    }
}
