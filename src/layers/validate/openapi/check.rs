use std::fmt;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::super::check::{Answered, Check};
use super::super::finding::Finding;
use super::super::prefix::Prefix;
use super::dialect;
use super::operation::{Operation, base_paths};
use crate::settings::{ConfigError, ValidationError};

/// Whether an answer with a 2xx is what an OpenAPI document says of its operation:
/// [`Verdict::Invalid`](crate::validate::Verdict::Invalid), with the first place that doesn't fit.
///
/// ```
/// use outrigger::validate::{OpenApi, ValidateLayer};
/// use serde_json::json;
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let document = json!({
///     "openapi": "3.1.0",
///     "paths": { "/charges/{id}": { "get": { "responses": { "200": { "content": {
///         "application/json": { "schema": { "$ref": "#/components/schemas/charge" } },
///     } } } } } },
///     "components": { "schemas": { "charge": { "required": ["id"] } } },
/// });
/// let layer = ValidateLayer::new().report(OpenApi::new(&document)?);
/// # let _ = layer;
/// # Ok(()) }
/// ```
///
/// - **Which operation** it is, method and path say. If the request has a
///   [`PathTemplate`](crate::context::PathTemplate) that is a path of the document, `/charges/{id}`, it is that.
///   Else the request's own path is compared with those of the document, without the path of one of the
///   document's `servers`: with the server `https://api.test/v1`, `/v1/charges/7` is one of
///   `/charges/{id}`. An answer to any other request isn't looked at.
/// - **Which schema** its answer must fit, status and media type say. Of the operation's `responses`, the
///   entry of the very status is taken, else `2XX`, else `default`; without any, the answer passes. Of that
///   entry's `content`, it is the answer's media type, else a range such as `*/*`. An answer of a media type
///   that isn't there is invalid.
/// - Versions 3.1 and later as they are; of 3.0, `nullable` and `exclusiveMinimum: true` are understood.
///   A member that is `writeOnly` is never required. The rest is as of [`JsonSchema`](super::super::JsonSchema).
///
/// Documents of vendors have megabytes, and more than their answers keep to. Cut out the operations that you
/// call, and add the check by [`report`](super::super::ValidateLayer::report) first.
///
/// Needs the feature `json-schema`.
#[derive(Clone)]
pub struct OpenApi {
    operations: Arc<[Operation]>,
    bases: Arc<[String]>,
}

impl OpenApi {
    /// All operations of this document. Each response's schema is compiled here: a document of hundreds
    /// takes minutes, so name [those that you call](Self::only).
    ///
    /// # Errors
    ///
    /// If it is no OpenAPI document of version 3, or a schema can't be compiled: names the operation.
    pub fn new(document: &Value) -> Result<Self, ConfigError> {
        Self::build(document, |_, _| true)
    }

    /// These operations of this document, by method and path as the document has it.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new), and if one isn't in the document.
    pub fn only<'a>(
        document: &Value,
        operations: impl IntoIterator<Item = (Method, &'a str)>,
    ) -> Result<Self, ConfigError> {
        let wanted: Vec<_> = operations.into_iter().collect();
        let is_wanted = |method: &Method, path: &str| {
            wanted.iter().any(|(wanted, at)| wanted == method && *at == path)
        };
        let built = Self::build(document, is_wanted)?;
        let is_missing = |(method, path): &&(Method, &str)| {
            !built.operations.iter().any(|of| of.is(method, path))
        };
        match wanted.iter().find(is_missing) {
            Some((method, path)) => Err(mistake(format!(
                "{method} {path} isn't in the document: write it as the document does"
            ))),
            None => Ok(built),
        }
    }

    fn build(
        document: &Value,
        is_wanted: impl Fn(&Method, &str) -> bool,
    ) -> Result<Self, ConfigError> {
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.") {
            return Err(mistake(
                "it is no OpenAPI document of version 3: convert it, or use a JSON Schema"
                    .to_owned(),
            ));
        }
        let document = dialect::as_json_schema(document, version.starts_with("3.0"));
        let operations = Operation::all(&document, is_wanted)?;
        Ok(Self { operations: operations.into(), bases: base_paths(&document).into() })
    }

    /// The operation of an answer; a path without parameters comes before one with (OpenAPI 3.1, 4.8.8.2).
    fn operation(&self, answer: &Answered<'_>) -> Option<&Operation> {
        let of_method = || self.operations.iter().filter(|of| of.method == *answer.method);
        let is_named =
            |of: &&Operation| answer.template.is_some_and(|template| of.path == template.as_str());
        if let Some(named) = of_method().find(is_named) {
            return Some(named);
        }
        let path = answer.uri.path();
        let paths: Vec<_> =
            self.bases.iter().filter_map(|base| path.strip_prefix(base.as_str())).collect();
        let fitting = of_method().filter(|of| paths.iter().any(|path| of.fits(path)));
        fitting.min_by_key(|of| of.path.matches('{').count())
    }
}

impl Check for OpenApi {
    fn name(&self) -> &'static str {
        "openapi"
    }

    fn applies(&self, answer: &Answered<'_>) -> bool {
        answer.status.is_success() && self.operation(answer).is_some()
    }

    fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let operation = self.operation(answer);
        operation.map_or_else(Finding::pass, |operation| operation.check(answer, body))
    }
}

impl fmt::Debug for OpenApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenApi")
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn mistake(problem: String) -> ConfigError {
    ConfigError::of(None, ValidationError::new("validate.openapi", problem))
}
