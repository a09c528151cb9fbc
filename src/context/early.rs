use std::sync::OnceLock;

/// A fact that is mostly known from the start, and otherwise found out once, later.
///
/// What is known before anybody shares it costs a plain store, and reading it a plain load.
#[derive(Debug)]
pub(crate) struct Early<T> {
    from_the_start: Option<T>,
    later: OnceLock<T>,
}

impl<T> Early<T> {
    pub(super) fn new(known: Option<T>) -> Self {
        Self { from_the_start: known, later: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.from_the_start.as_ref().or_else(|| self.later.get())
    }

    pub(crate) fn get_or_init(&self, find_out: impl FnOnce() -> T) -> &T {
        match &self.from_the_start {
            Some(known) => known,
            None => self.later.get_or_init(find_out),
        }
    }
}
