use std::fmt;

use http::Method;

use crate::context::{CallTarget, PathTemplate};
use crate::replay::is_safe;
use crate::telemetry::known;

/// A call's target, as attributes of OpenTelemetry's conventions.
#[derive(Clone, Copy)]
pub(super) struct TargetAttributes<'a>(pub(super) Option<&'a CallTarget>);

/// The name of a span. There are few names for many calls.
pub(super) struct SpanName<'a> {
    pub(super) integration: Option<&'a str>,
    pub(super) target: TargetAttributes<'a>,
}

impl<'a> TargetAttributes<'a> {
    /// The method, if it is one of the known ones.
    pub(super) fn method(self) -> &'a str {
        self.known().map_or(known::OTHER, Method::as_str)
    }

    /// The method, if it is another one.
    pub(super) fn method_original(self) -> Option<&'a str> {
        if self.known().is_some() { None } else { self.0.map(|target| target.method().as_str()) }
    }

    /// The host; IPv6 addresses without brackets.
    pub(super) fn host(self) -> Option<&'a str> {
        let host = self.0?.host()?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Some(bare.unwrap_or(host))
    }

    /// As `i64`, because OpenTelemetry's bridge turns other types into texts.
    pub(super) fn port(self) -> Option<i64> {
        self.0?.port().map(i64::from)
    }

    pub(super) fn scheme(self) -> Option<&'a str> {
        self.0?.scheme()
    }

    pub(super) fn template(self) -> Option<&'a str> {
        self.0?.path_template().map(PathTemplate::as_str)
    }

    /// Whether its method is safe (RFC 9110, 9.2.1).
    pub(super) fn is_safe(self) -> bool {
        self.0.is_some_and(|target| is_safe(target.method()))
    }

    fn known(self) -> Option<&'a Method> {
        self.0.map(CallTarget::method).filter(|method| known::method(method).is_some())
    }
}

impl fmt::Display for SpanName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(integration) = self.integration {
            write!(f, "{integration} ")?;
        }
        match self.target.known() {
            Some(method) => f.write_str(method.as_str())?,
            None => f.write_str("HTTP")?,
        }
        self.target.template().map_or(Ok(()), |template| write!(f, " {template}"))
    }
}
