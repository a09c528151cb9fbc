use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;

use super::store::Bounds;
use crate::context::PathTemplate;
use crate::freshness::Windows;
use crate::rt::callback;
use crate::settings::Errors;
use crate::terms::Class;

/// A cache's settings.
#[derive(Clone)]
pub(crate) struct CacheConfig {
    pub(crate) windows: Windows,
    /// Windows of their own for some path templates.
    pub(super) templates: Vec<(PathTemplate, CacheWindows)>,
    /// For which failures a stale answer stands in by the settings.
    pub(super) stale_when: Option<Arc<StaleWhen>>,
    /// The largest body that is stored.
    pub(crate) body_cap: usize,
    /// Of the store in memory.
    pub(super) bounds: Bounds,
}

type StaleWhen = dyn Fn(Class) -> bool + Send + Sync;

/// How long answers are fresh and may be stale, for one path template. What isn't set is as for all
/// others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "windows do nothing until they are given to a layer"]
pub struct CacheWindows {
    pub(super) fresh_for: Option<Duration>,
    pub(super) stale_while_revalidate: Option<Duration>,
    pub(super) stale_if_error: Option<Duration>,
}

impl CacheWindows {
    /// Windows of which none is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// See [`CacheLayer::fresh_for`](super::CacheLayer::fresh_for). With zero, answers that don't say are not
    /// fresh.
    pub fn fresh_for(mut self, lifetime: Duration) -> Self {
        self.fresh_for = Some(lifetime);
        self
    }

    /// See [`CacheLayer::stale_while_revalidate`](super::CacheLayer::stale_while_revalidate).
    pub fn stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = Some(window);
        self
    }

    /// See [`CacheLayer::stale_if_error`](super::CacheLayer::stale_if_error).
    pub fn stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = Some(window);
        self
    }

    fn over(&self, all: Windows) -> Windows {
        Windows {
            fresh_for: self.fresh_for.or(all.fresh_for),
            stale_while_revalidate: self
                .stale_while_revalidate
                .unwrap_or(all.stale_while_revalidate),
            stale_if_error: self.stale_if_error.unwrap_or(all.stale_if_error),
        }
    }
}

impl CacheConfig {
    /// The windows for a request with these extensions.
    pub(super) fn windows_for(&self, extensions: &Extensions) -> Windows {
        if self.templates.is_empty() {
            return self.windows;
        }
        let template = extensions.get::<PathTemplate>();
        let own = self.templates.iter().find(|(path, _)| Some(path) == template);
        own.map_or(self.windows, |(_, own)| own.over(self.windows))
    }

    /// Sets the windows of a path template, in place of those that it has.
    pub(super) fn set_template(&mut self, template: PathTemplate, windows: CacheWindows) {
        self.templates.retain(|(known, _)| *known != template);
        self.templates.push((template, windows));
    }

    /// Whether a stale answer stands in for such a failure by the settings.
    pub(super) fn is_stale_when(&self, class: Class) -> bool {
        let own = self.stale_when.as_ref();
        let own = own.and_then(|own| callback::call("cache condition", || own(class)));
        own.unwrap_or_else(|| is_bad_enough(class))
    }

    pub(super) fn check_into(&self, errors: &mut Errors<'_>) {
        errors.refuse_zero("fresh_for", self.windows.fresh_for);
        if self.body_cap == 0 {
            errors.add("body_cap", "with 0 no answer is stored: raise it, or use `without_cache`");
        }
    }
}

/// The provider failed, throttled or couldn't be asked.
fn is_bad_enough(class: Class) -> bool {
    match class {
        Class::Throttled | Class::Rejected(_) | Class::Timeout(_) => true,
        class => class.is_failure() || class.is_moved(),
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            windows: Windows::default(),
            templates: Vec::new(),
            stale_when: None,
            body_cap: BODY_CAP,
            bounds: Bounds::default(),
        }
    }
}

impl fmt::Debug for CacheConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheConfig")
            .field("windows", &self.windows)
            .field("templates", &self.templates.len())
            .field("body_cap", &self.body_cap)
            .finish_non_exhaustive()
    }
}

/// 1 MiB: larger answers are files, for which memory is the wrong place.
const BODY_CAP: usize = 1 << 20;
