use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::log::Did;

/// A request that the provider has: from its head to the end of the answer's body. Its drop is the
/// caller's going away.
pub(super) struct Visit {
    shared: Arc<Shared>,
    request: usize,
    /// When the work will be done, unless it has been or never is.
    due: Option<Duration>,
    /// It took up the provider: the work was begun or never will be.
    begun: bool,
    over: bool,
}

impl Visit {
    pub(super) fn new(shared: Arc<Shared>, request: usize) -> Self {
        shared.state().under_way += 1;
        Self { shared, request, due: None, begun: false, over: false }
    }

    pub(super) fn note(&self, did: Did) {
        self.shared.note(self.request, did);
    }

    /// The work will be done at this time of the provider's clock.
    pub(super) fn plan(&mut self, due: Option<Duration>) {
        self.due = due;
    }

    /// The request reached its turn.
    pub(super) fn begin(&mut self) {
        self.begun = true;
    }

    /// The work is done, unless it never is.
    pub(super) fn work(&mut self) {
        if let Some(due) = self.due.take() {
            self.shared.execute(self.request, due);
        }
    }

    /// The request's own body broke.
    pub(super) fn broke(mut self) {
        self.note(Did::BodyBroke);
        self.finish();
    }

    pub(super) fn reset(mut self) {
        self.note(Did::Reset);
        self.finish();
    }

    /// All of the body was taken.
    pub(super) fn end(&mut self) {
        if !self.over {
            self.note(Did::BodyTaken);
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.over = true;
        self.shared.state().under_way -= 1;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        match self.due {
            Some(_) if self.shared.plan.cancels && !self.begun => self.note(Did::DroppedBefore),
            _ => {
                self.work();
                self.note(Did::DroppedAfter);
            }
        }
        self.finish();
    }
}
