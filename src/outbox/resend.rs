//! Whether a message that the provider may have done is sent again.

use super::deliver::Delivery;
use super::input::Outcome;
use super::lane::{Probed, UnknownOutcome};
use super::stored::StoredMessage;
use super::time::Timestamp;
use crate::rt::{self, callback};
use crate::terms::outbox::DeadReason;

impl Delivery {
    /// Without the rest of its batch: its key doesn't protect it any more.
    pub(super) async fn told_apart(&self, now: Timestamp) -> Probed {
        match &self.lane.unknown {
            _ if !self.message.progress.may_be_done() => Probed::NotDone,
            Some(UnknownOutcome::Probe(_)) => self.may_resend(now).await,
            _ => Probed::Unknown,
        }
    }

    /// What becomes of a message of a batch that isn't repeated, of which this was told.
    pub(super) fn apart_if(&self, told: Probed, now: Timestamp) -> Outcome {
        match told {
            Probed::Done => self.delivered(now),
            Probed::NotDone => Outcome::RetryApart { at: now },
            Probed::Unknown => Outcome::Dead(DeadReason::UnknownOutcome),
        }
    }

    /// Whether a message whose effect nobody knows may be sent again.
    pub(super) async fn may_resend(&self, now: Timestamp) -> Probed {
        let StoredMessage { content, progress, .. } = &self.message;
        let valid_until = progress.key_valid_until;
        let is_known = valid_until.is_some_and(|until| now < until);
        let resend = |may: bool| if may { Probed::NotDone } else { Probed::Unknown };
        match &self.lane.unknown {
            Some(UnknownOutcome::Probe(ask)) => {
                let Some(asked) = callback::call("probe", || ask(self.message.clone())) else {
                    return Probed::Unknown;
                };
                let due = rt::after(rt::now(), self.lane.call_limit);
                let told = rt::until(Some(due), callback::run("probe", asked)).await;
                told.flatten().unwrap_or(Probed::Unknown)
            }
            Some(UnknownOutcome::Park) => Probed::Unknown,
            Some(UnknownOutcome::Resend) => resend(is_known || valid_until.is_none()),
            None => resend(is_known || content.method.is_idempotent()),
        }
    }
}
