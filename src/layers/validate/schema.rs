use std::fmt;
use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::check::{Answered, Check};
use super::finding::Finding;
use super::prefix::Prefix;
use crate::redact::shown_pointer;
use crate::settings::{ConfigError, ValidationError};

/// Whether an answer of JSON fits a JSON Schema: [`Verdict::Invalid`](super::Verdict::Invalid), with the first
/// place that doesn't fit and the schema's keyword there.
///
/// ```
/// use outrigger::validate::{Check, JsonSchema, ValidateLayer};
/// use serde_json::json;
///
/// # fn main() -> Result<(), outrigger::ConfigError> {
/// let charge = JsonSchema::new(&json!({
///     "type": "object",
///     "required": ["id", "amount"],
///     "properties": { "amount": { "type": "integer" } },
/// }))?;
/// let layer = ValidateLayer::new().enforce(charge.at("/v1/charges/{id}"));
/// # let _ = layer;
/// # Ok(()) }
/// ```
///
/// Draft 2020-12, unless `$schema` says another. It is compiled once, here. Nothing is fetched: a `$ref`
/// leads to a place in the same schema. Patterns take time in proportion to the text, because they have
/// neither look-around nor back-references; `format` says nothing wrong. Describe what you read, and
/// leave `additionalProperties` alone: a new member is no failure.
///
/// Needs the feature `json-schema`.
#[derive(Clone)]
pub struct JsonSchema {
    validator: Arc<Validator>,
}

impl JsonSchema {
    /// This schema.
    ///
    /// # Errors
    ///
    /// If it is no schema, has a reference that leads out of it, or a pattern that can't be matched in
    /// linear time: names the place in the schema.
    pub fn new(schema: &Value) -> Result<Self, ConfigError> {
        Self::compile(schema).map_err(|problem| {
            ConfigError::of(None, ValidationError::new("validate.schema", problem))
        })
    }

    /// The same; what is wrong is a sentence.
    pub(super) fn compile(schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options()
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex());
        let validator = options.build(schema).map_err(|error| {
            let at = error.instance_path().to_string();
            let place = if at.is_empty() { "the schema".to_owned() } else { at };
            format!("{place}: {error}: mend it, or take it out")
        })?;
        Ok(Self { validator: Arc::new(validator) })
    }
}

impl Check for JsonSchema {
    fn name(&self) -> &'static str {
        "schema"
    }

    fn check(&self, _: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let json = match body.json() {
            Ok(json) => json,
            Err(finding) => return finding,
        };
        match self.validator.validate(json) {
            Ok(()) => Finding::pass(),
            Err(error) => {
                // The path's segments are the answer's keys, which may be values; the keyword is the schema's.
                let path = error.instance_path().to_string();
                let segments = path.split('/').skip(1);
                Finding::invalid(format!("it breaks `{}`", error.kind().keyword()))
                    .at(shown_pointer(segments))
            }
        }
    }
}

impl fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSchema").finish_non_exhaustive()
    }
}
