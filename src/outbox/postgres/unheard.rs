//! Claims that may have been committed without anybody having heard of it: the connection was lost meanwhile, or
//! whoever asked has left. Their messages were not sent, so the lane's next claim gives them back.

use std::sync::Mutex;

use tokio_postgres::Client;

use super::change::{Changes, hold};
use super::error::Failure;
use super::statements::Statements;
use super::worker::{begin, commit};
use crate::outbox::input::{Input, Outcome};
use crate::outbox::progress::Lease;
use crate::outbox::store::LeaseRef;
use crate::outbox::stored::StoredMessage;
use crate::rt::Lock;

/// Leases that this process may have without knowing it.
#[derive(Default)]
pub(super) struct UnheardClaims(Mutex<Vec<Claim>>);

#[derive(Clone, PartialEq)]
struct Claim {
    lane: String,
    of: LeaseRef,
    /// Another claim may have the same token, if this one was not committed.
    lease: Option<Lease>,
}

/// Claims that are being committed. They are unheard unless it is said that they were heard of.
pub(super) struct Committing<'a> {
    unheard: &'a UnheardClaims,
    claims: Vec<Claim>,
}

impl UnheardClaims {
    /// To be called before the commit.
    pub(super) fn committing(&self, messages: &[StoredMessage]) -> Committing<'_> {
        let claim = |message: &StoredMessage| Claim {
            lane: message.content.lane.clone(),
            of: LeaseRef::of(message),
            lease: message.progress.lease.clone(),
        };
        Committing { unheard: self, claims: messages.iter().map(claim).collect() }
    }

    /// Gives a lane's messages back, as if they had not been claimed.
    pub(super) async fn give_back(
        &self,
        client: &mut Client,
        sql: &Statements,
        lane: &str,
    ) -> Result<(), Failure> {
        let claims: Vec<_> =
            self.0.locked().iter().filter(|claim| claim.lane == lane).cloned().collect();
        if claims.is_empty() {
            return Ok(());
        }
        let tx = begin(client).await?;
        let ids = claims.iter().map(|claim| claim.of.id.to_string()).collect();
        // It waits for a commit that is still under way.
        let (now, mut held) = hold(&tx, sql, ids, &[]).await?;
        let mut changes = Changes::new();
        for Claim { of, lease, .. } in &claims {
            let Some(held) = held.get_mut(&of.id) else { continue };
            let progress = &mut held.message.progress;
            let outcome = Outcome::Snooze { until: now };
            let input = Input::Settle { token: of.token, outcome };
            held.is_changed |= progress.lease == *lease && progress.apply(&input, now).is_ok();
        }
        held.values().for_each(|held| changes.message(held));
        changes.write(&tx, sql).await?;
        commit(tx).await?;
        self.0.locked().retain(|claim| !claims.contains(claim));
        Ok(())
    }
}

impl Committing<'_> {
    /// The commit was answered.
    pub(super) fn heard(mut self) {
        self.claims.clear();
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.unheard.0.locked().append(&mut self.claims);
    }
}
