use http::HeaderName;

#[cfg(feature = "json")]
use super::shapes::ShapeConfig;
use crate::settings::Errors;

/// What is watched.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DriftConfig {
    pub(crate) watch: bool,
    /// Headers with a text about a deprecation.
    pub(crate) notice_headers: Vec<HeaderName>,
    /// Absent: bodies aren't looked at.
    #[cfg(feature = "json")]
    pub(crate) shapes: Option<ShapeConfig>,
}

impl DriftConfig {
    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        #[cfg(feature = "json")]
        if let Some(shapes) = &self.shapes {
            shapes.check_into(errors);
        }
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
            #[cfg(feature = "json")]
            shapes: None,
        }
    }
}

/// The headers that have a standard.
const KNOWN: [&str; 5] = ["content-type", "deprecation", "link", "sunset", "warning"];
