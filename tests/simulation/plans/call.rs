use std::time::Duration;

/// One call, at times since the scenario began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) began: Duration,
    /// Absent where it has not ended when nobody waits for it any more.
    pub(crate) end: Option<(End, Duration)>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a success, read to its end.
    Answered,
    /// With anything else.
    Failed,
    /// By the client's own decision: nothing was sent.
    Refused,
}

impl Call {
    pub(crate) fn came_to(&self, end: End) -> bool {
        self.end.is_some_and(|(came, _)| came == end)
    }

    /// How long its caller waited; absent where it has not ended.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.end.map(|(_, at)| at - self.began)
    }

    pub(crate) fn is_answered_within(&self, limit: Duration) -> bool {
        self.came_to(End::Answered) && self.wait().is_some_and(|wait| wait <= limit)
    }
}
