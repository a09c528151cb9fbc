use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The host's settling functions, each with its lane. A lane that was given two keeps both names, so that the
/// builder can refuse it.
pub(super) struct Hooks<H: ?Sized>(Vec<(String, Arc<H>)>);

impl<H: ?Sized> Hooks<H> {
    pub(super) fn add(&mut self, lane: impl Into<String>, hook: Arc<H>) {
        self.0.push((lane.into(), hook));
    }

    /// The function of a lane.
    pub(super) fn of(&self, lane: &str) -> Option<&Arc<H>> {
        self.0.iter().find(|(name, _)| name == lane).map(|(_, hook)| hook)
    }

    /// Each as this function makes it.
    pub(super) fn map(self, make: impl Fn(Arc<H>) -> Arc<H>) -> Self {
        Self(self.0.into_iter().map(|(lane, hook)| (lane, make(hook))).collect())
    }

    /// The lane of each.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(lane, _)| lane.as_str())
    }

    #[cfg(feature = "postgres")]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What [`Store::hooked`](super::Store::hooked) says.
    pub(super) fn hooked(&self) -> Vec<String> {
        self.lanes().map(str::to_owned).collect()
    }
}

impl<H: ?Sized> Default for Hooks<H> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<H: ?Sized> Clone for Hooks<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: ?Sized> From<BTreeMap<String, Arc<H>>> for Hooks<H> {
    fn from(hooks: BTreeMap<String, Arc<H>>) -> Self {
        Self(hooks.into_iter().collect())
    }
}

impl<H: ?Sized> fmt::Debug for Hooks<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lanes()).finish()
    }
}
