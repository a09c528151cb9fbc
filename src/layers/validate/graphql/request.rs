//! Around a call: what its request asks for.

use std::fmt;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::super::media::is_json;
use super::check::GraphQl;
use super::document::only_reads;
use super::endpoint::Endpoint;
use crate::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use crate::replay::OnlyReads;

/// Marks queries as safe to repeat, although they are sent by POST, and asks for GraphQL's media type. See
/// the [module](super).
///
/// It stands outside [`retry`](crate::retry) and [`hedge`](crate::hedge); an integration puts it there.
#[derive(Clone, Debug, Default)]
pub struct MarkQueries {
    endpoint: Endpoint,
}

impl MarkQueries {
    /// The other half of a check: `check` reads what the answers say, and this marks the requests that they
    /// answer. It takes from the check the [path](GraphQl::at_path), so that other requests stay as they are, and
    /// the [persisted queries](GraphQl::persisted_queries); codes are for answers only.
    ///
    /// [`IntegrationBuilder::graphql`](crate::IntegrationBuilder::graphql) adds both halves. By hand:
    ///
    /// ```
    /// use outrigger::Integration;
    /// use outrigger::validate::ValidateLayer;
    /// use outrigger::validate::graphql::{GraphQl, MarkQueries};
    ///
    /// let check = GraphQl::new().at_path("/graphql");
    /// let shop = Integration::user_flow("shop")
    ///     .around_call(MarkQueries::of(&check))
    ///     .validate(ValidateLayer::new().report(check));
    /// # let _ = shop;
    /// ```
    #[must_use]
    pub fn of(graphql: &GraphQl) -> Self {
        Self { endpoint: graphql.endpoint.clone() }
    }

    fn mark<W: Wire>(&self, request: &mut http::Request<W::Body>) {
        if !self.endpoint.has(request.uri()) {
            return;
        }
        if !request.headers().contains_key(ACCEPT) {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static(WANTED));
        }
        if *request.method() != Method::POST || !is_json_request(request.headers()) {
            return;
        }
        let body = W::in_memory(request.body()).filter(|body| body.len() <= LONGEST);
        if body.is_some_and(|body| self.asks_only(body)) {
            request.extensions_mut().insert(OnlyReads);
        }
    }

    /// Whether a request's body, which is JSON, asks for a query alone. Batches don't.
    fn asks_only(&self, body: &[u8]) -> bool {
        let Ok(asked) = serde_json::from_slice::<Asked>(body) else { return false };
        match (asked.document, asked.hash) {
            (Some(document), _) => only_reads(&document, asked.operation_name.as_deref()),
            (None, Some(hash)) => self.endpoint.persisted.contains(&hash),
            (None, None) => false,
        }
    }
}

impl Pattern for MarkQueries {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        next.run(call, attempt).await
    }

    /// Before the call takes a key from its scope, which is for one that isn't safe.
    fn begin<W: Wire>(&self, attempt: &Attempt<W>) {
        attempt.request(|request| self.mark::<W>(request));
    }
}

/// The members of a request that say what it asks for. Each may be there once: of two, a server takes
/// either.
#[derive(Default)]
struct Asked {
    document: Option<String>,
    operation_name: Option<String>,
    /// The hash of a persisted document: `documentId` (GraphQL over HTTP, appendix A), or
    /// `extensions.persistedQuery.sha256Hash` (Apollo, *Automatic persisted queries*).
    hash: Option<String>,
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Asked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Asked, A::Error> {
        let (mut document, mut name, mut id, mut extensions) = (None, None, None, None);
        while let Some(key) = members.next_key::<String>()? {
            let place = match key.as_str() {
                "query" => &mut document,
                "operationName" => &mut name,
                "documentId" => &mut id,
                "extensions" => {
                    let read = members.next_value::<serde_json::Value>()?;
                    if extensions.replace(read).is_some() {
                        return Err(A::Error::custom("a member is there twice"));
                    }
                    continue;
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if place.replace(members.next_value::<Option<String>>()?).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        let persisted = extensions.as_ref().and_then(|read| read.pointer(PERSISTED)?.as_str());
        let hash = match (id.flatten(), persisted.map(str::to_owned)) {
            // A server takes either.
            (Some(_), Some(_)) => None,
            (id, hash) => id.or(hash),
        };
        Ok(Asked { document: document.flatten(), operation_name: name.flatten(), hash })
    }
}

fn is_json_request(headers: &HeaderMap) -> bool {
    let essence = super::super::media::essence(headers);
    headers.get_all(CONTENT_TYPE).iter().count() == 1 && essence.is_some_and(is_json)
}

/// GraphQL over HTTP, 5.1: both, because older servers don't know their own.
const WANTED: &str = "application/graphql-response+json, application/json;q=0.9";
/// A longer request is taken for what it is sent as.
const LONGEST: usize = 1 << 20;
const PERSISTED: &str = "/persistedQuery/sha256Hash";
