use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{Method, StatusCode};

use super::failed::Failed;
use crate::context::{BusinessKey, CallId, CorrelationId, PathTemplate};
use crate::terms::{Class, Delivery};

/// Records what support needs to repair a flow that continued with a fallback's answer.
///
/// It is called on the task of the call, so it must be quick and must not block. With the feature
/// `serde`, `JsonLines` writes records to a file. If it panics, the record is lost, and the call is not
/// affected.
pub trait FallbackRecorder: Send + Sync + 'static {
    /// Keeps one record.
    fn record(&self, record: FallbackRecord);
}

/// A call that was answered by a fallback, with what support needs to repair what followed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FallbackRecord {
    /// When.
    pub at: SystemTime,
    /// The integration, where it has a name.
    pub integration: Option<String>,
    /// The method.
    pub method: Method,
    /// The path's template, where the request had one.
    pub path: Option<PathTemplate>,
    /// What the business calls the operation, where the request said.
    pub business_key: Option<BusinessKey>,
    /// The key that was sent, by which the provider knows the call if it honours keys; of one that was
    /// stopped before it had one, the key that its caller brought.
    pub idempotency_key: Option<String>,
    /// The id that ties the call to what caused it.
    pub correlation_id: Option<CorrelationId>,
    /// The call's id.
    pub call_id: CallId,
    /// How many requests went out for it.
    pub attempts: u32,
    /// What it failed of.
    pub class: Class,
    /// The last status that the provider answered, where it did.
    pub status: Option<StatusCode>,
    /// What was wrong, where there was no answer.
    pub error: Option<String>,
    /// Whether the provider may have acted all the same.
    pub delivery: Delivery,
    /// From the call's start until it had failed.
    pub elapsed: Duration,
}

impl FallbackRecord {
    pub(super) fn of(failed: &Failed, at: SystemTime) -> Self {
        let context = &failed.context;
        let key = context.idempotency_key().or(failed.own_key.as_ref());
        // If no layer counts attempts, one request went out unless it was refused.
        let sent = u32::from(!failed.class.is_local());
        Self {
            at,
            integration: context.integration().map(ToOwned::to_owned),
            method: failed.method.clone(),
            path: failed.path.clone(),
            business_key: failed.business_key.clone(),
            idempotency_key: key.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
            correlation_id: context.correlation_id().cloned(),
            call_id: context.call_id(),
            attempts: context.attempts_counted().unwrap_or(sent),
            class: failed.class,
            status: failed.status,
            error: failed.error.as_ref().map(ToString::to_string),
            delivery: failed.delivery,
            elapsed: context.elapsed(),
        }
    }
}

impl<R: FallbackRecorder + ?Sized> FallbackRecorder for Arc<R> {
    fn record(&self, record: FallbackRecord) {
        (**self).record(record);
    }
}
