use std::time::Duration;

use crate::settings::Errors;

/// From which answers shapes are learned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a config does nothing until a layer has it"]
pub struct ShapeConfig {
    pub(crate) answers: u32,
    pub(crate) time: Duration,
    pub(crate) body_cap: usize,
}

impl ShapeConfig {
    /// From the first 200 answers of an endpoint, of an hour at least; bodies of at most 64 KiB.
    pub fn new() -> Self {
        Self { answers: 200, time: Duration::from_secs(3600), body_cap: 64 * 1024 }
    }

    /// From how many answers of an endpoint its shape is learned, 200 by default. As many have to lack a
    /// field before it is gone, and a tenth of as many to have a new one.
    pub fn answers(mut self, least: u32) -> Self {
        self.answers = least;
        self
    }

    /// Over how long a time at least, an hour by default: answers of one minute may be of one customer.
    pub fn time(mut self, least: Duration) -> Self {
        self.time = least;
        self
    }

    /// The largest body that is looked at, in bytes: 64 KiB by default, 1 MiB at most. While it is read, that
    /// much is copied; then it is parsed in its call's task.
    pub fn body_cap(mut self, bytes: usize) -> Self {
        self.body_cap = bytes;
        self
    }

    pub(in crate::layers::drift) fn check_into(&self, errors: &mut Errors<'_>) {
        if self.answers == 0 {
            errors.add("shapes.answers", "nothing is learned from no answer: set 1 or more");
        }
        if self.body_cap == 0 {
            errors.add("shapes.body_cap", "no body is that short: set the bytes to look at");
        }
        if self.body_cap > LARGEST_BODY {
            errors.add(
                "shapes.body_cap",
                format_args!(
                    "a body is parsed in its call's task: set {LARGEST_BODY} (1 MiB) at most"
                ),
            );
        }
    }
}

impl Default for ShapeConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// To parse one takes some milliseconds.
const LARGEST_BODY: usize = 1024 * 1024;
