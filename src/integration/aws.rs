use std::sync::{Arc, Once};

use aws_smithy_runtime_api::box_error::BoxError as SdkError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use tower_service::Service;

use super::handle::Integration;
use crate::outcome::{Error, ErrorKind};
use crate::rt::callback;

/// An integration as the HTTP client of an AWS SDK. See [`Integration::aws`].
#[derive(Clone, Debug)]
pub struct AwsClient {
    integration: Integration,
    /// That the SDK's own retries are on is told once.
    told: Arc<Once>,
}

impl Integration {
    /// The HTTP client of an AWS SDK for Rust: what `http_client` of a service's configuration takes.
    ///
    /// Switch the SDK's own retries off. A retry loop above an integration makes several calls of one
    /// operation: the last one's error says nothing of those before it, and a POST that may have been
    /// carried out is sent again. Where they are on, the first operation tells it once, by feature
    /// `tracing` at level WARN.
    ///
    /// ```ignore
    /// use aws_sdk_sts::Client;
    /// use aws_sdk_sts::config::Builder;
    /// use aws_sdk_sts::config::retry::RetryConfig;
    /// use outrigger::Integration;
    ///
    /// fn client(config: Builder, sts: &Integration) -> Client {
    ///     let config = config.http_client(sts.aws()).retry_config(RetryConfig::disabled());
    ///     Client::from_conf(config.build())
    /// }
    /// ```
    ///
    /// An operation that gets no answer fails with a `DispatchFailure`. It is a timeout, an I/O error,
    /// or the user's (the request can't be sent as it is) where [`Error::kind`] says so, and of no kind
    /// otherwise. Its sources hold the [`Error`] itself, whose [`delivery`](Error::delivery) says
    /// whether the operation may have happened.
    ///
    /// The integration's own limits count. The connect and read timeouts of the SDK's configuration have
    /// no effect here; its timeouts of an attempt and of an operation end a call from outside. The guide has
    /// [more on it](crate::guide::through_an_sdk#aws-sdk-sts-197).
    #[must_use]
    pub fn aws(&self) -> AwsClient {
        AwsClient { integration: self.clone(), told: Arc::new(Once::new()) }
    }
}

impl HttpClient for AwsClient {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn validate_final_config(
        &self,
        _: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), SdkError> {
        let retries = config.load::<RetryConfig>().filter(|retries| retries.has_retry());
        if let Some(retries) = retries {
            self.told.call_once(|| warn(self.integration.name(), retries.max_attempts()));
        }
        Ok(())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new(env!("CARGO_PKG_NAME"), Some(env!("CARGO_PKG_VERSION").into())))
    }
}

impl HttpConnector for AwsClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut service = self.integration.tower();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x();
            let request = request.map_err(|error| ConnectorError::user(error.into()))?;
            let response = service.call(request).await.map_err(failed)?;
            let response = HttpResponse::try_from(response.map(SdkBody::from_body_1_x));
            // A header that isn't UTF-8.
            response.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn failed(error: Error) -> ConnectorError {
    match error.kind() {
        ErrorKind::Timeout(_) => ConnectorError::timeout(error.into()),
        ErrorKind::Transport(_) => ConnectorError::io(error.into()),
        ErrorKind::Request => ConnectorError::user(error.into()),
        _ => ConnectorError::other(error.into(), None),
    }
}

fn warn(integration: &str, max_attempts: u32) {
    // The `tracing` subscriber is the host's, and may panic.
    callback::call("tracing", || {
        tracing::warn!(
            target: "outrigger",
            integration,
            max_attempts,
            "the AWS SDK's own retries are on: set `RetryConfig::disabled()`, because outrigger retries"
        );
    });
}
