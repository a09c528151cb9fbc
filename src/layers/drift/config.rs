use http::HeaderName;

use crate::settings::Errors;

/// What is watched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriftConfig {
    pub(crate) watch: bool,
    /// Headers with a text about a deprecation.
    pub(crate) notice_headers: Vec<HeaderName>,
}

impl DriftConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        for name in &self.notice_headers {
            if KNOWN.contains(&name.as_str()) {
                errors.add(
                    "notice_headers",
                    format_args!("`{name}` is read anyway, as its standard says: take it out"),
                );
            }
        }
    }
}

impl Default for DriftConfig {
    fn default() -> Self {
        Self {
            watch: true,
            notice_headers: vec![HeaderName::from_static("x-shopify-api-deprecated-reason")],
        }
    }
}

/// The headers that have a standard.
const KNOWN: [&str; 5] = ["content-type", "deprecation", "link", "sunset", "warning"];
