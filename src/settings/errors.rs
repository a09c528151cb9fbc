use std::fmt;

/// Invalid settings, with what to do about each of them.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    integration: Option<String>,
    errors: Vec<ValidationError>,
}

/// One invalid setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationError {
    field: String,
    problem: String,
}

/// Collects errors, each under its layer's name.
#[derive(Debug)]
pub(crate) struct Errors<'a> {
    scope: &'a str,
    found: &'a mut Vec<ValidationError>,
}

// === impl ConfigError ===

impl ConfigError {
    pub(crate) fn check(
        integration: Option<&str>,
        errors: Vec<ValidationError>,
    ) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        Err(Self { integration: integration.map(Into::into), errors })
    }

    /// An error with one invalid setting.
    pub(crate) fn of(integration: Option<&str>, mistake: ValidationError) -> Self {
        Self { integration: integration.map(Into::into), errors: vec![mistake] }
    }

    /// All invalid settings, in the order of the stack.
    #[must_use]
    pub fn errors(&self) -> &[ValidationError] {
        &self.errors
    }

    /// The same as [`errors`](Self::errors).
    #[doc(hidden)]
    #[must_use]
    pub fn mistakes(&self) -> &[ValidationError] {
        self.errors()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len();
        write!(f, "{count} setting{}", if count == 1 { "" } else { "s" })?;
        if let Some(name) = &self.integration {
            write!(f, " of integration {name:?}")?;
        }
        f.write_str(" can't work")?;
        for (at, mistake) in self.errors.iter().enumerate() {
            write!(f, "{} {mistake}", if at == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// The same as `Display`, because a `main` that returns the error prints its `Debug`.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

// === impl ValidationError ===

impl ValidationError {
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The setting's path, for example `retry.backoff`, as in the file if there is one.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong and what to do.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

// === impl Errors ===

impl<'a> Errors<'a> {
    pub(crate) fn new(scope: &'a str, found: &'a mut Vec<ValidationError>) -> Self {
        Self { scope, found }
    }

    pub(crate) fn add(&mut self, field: &str, problem: impl fmt::Display) {
        self.found.push(ValidationError {
            field: format!("{}.{field}", self.scope),
            problem: problem.to_string(),
        });
    }

    /// Adds an error if the limit is zero.
    pub(crate) fn refuse_zero(&mut self, field: &str, limit: Option<std::time::Duration>) {
        if limit.is_some_and(|limit| limit.is_zero()) {
            self.add(
                field,
                "a limit of zero lets nothing through: give it a duration, or leave it unset",
            );
        }
    }
}

/// Runs a layer's checks, and returns all errors together.
pub(crate) fn validate(
    scope: &str,
    check: impl FnOnce(&mut Errors<'_>),
) -> Result<(), ConfigError> {
    let mut found = Vec::new();
    check(&mut Errors::new(scope, &mut found));
    ConfigError::check(None, found)
}
