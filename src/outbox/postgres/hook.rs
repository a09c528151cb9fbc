use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;

use super::error::Failure;
use super::pool::TRIES;
use super::store::PostgresStore;
use crate::outbox::error::{OutboxError, OutboxErrorKind};
use crate::outbox::sealing::{Seal, for_hook};
use crate::outbox::settlement::hook_error;
use crate::outbox::stored::{Answer, StoredMessage};
use crate::outcome::BoxError;
use crate::rt::{self, callback};

/// A function of the host that settles delivered messages of a lane, in the transaction that marks them
/// delivered. What it writes is rolled back if it fails, panics or takes longer than 10 s. It must not end the
/// transaction.
pub type PostgresHook = dyn for<'a> Fn(&'a Transaction<'a>, &'a StoredMessage, &'a Answer) -> PostgresHookFuture<'a>
    + Send
    + Sync;

/// What a [`PostgresHook`] returns.
pub type PostgresHookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

impl PostgresStore {
    /// Settles delivered messages of a lane by this function, in the transaction that marks them delivered.
    /// While it fails, it is repeated, and the call isn't. What it writes is rolled back if it fails, panics
    /// or takes longer than 10 s. It must not end the transaction. If it returns the error of a statement that met
    /// another transaction (40001, 40P01, 55P03), it is run again at once, 5 times in all, before it has failed.
    #[must_use]
    pub fn on_delivered<F>(mut self, lane: impl Into<String>, settle: F) -> Self
    where
        F: for<'a> Fn(&'a Transaction<'a>, &'a StoredMessage, &'a Answer) -> PostgresHookFuture<'a>
            + Send
            + Sync
            + 'static,
    {
        self.hooks.add(lane, Arc::new(settle));
        self
    }

    /// With settling functions that see what is sealed opened.
    pub(in crate::outbox) fn opening(mut self, seal: Option<Arc<dyn Seal>>) -> Self {
        if let Some(seal) = seal {
            self.hooks = self.hooks.map(|hook| opening(hook, &seal));
        }
        self
    }
}

/// The function, of what is sealed.
fn opening(hook: Arc<PostgresHook>, seal: &Arc<dyn Seal>) -> Arc<PostgresHook> {
    let seal = Arc::clone(seal);
    of(move |tx, message, answer| {
        let (hook, opened) = (Arc::clone(&hook), for_hook(&*seal, message, answer));
        Box::pin(async move {
            let (message, answer) = opened?;
            hook(tx, &message, &answer).await
        })
    })
}

fn of<F>(hook: F) -> Arc<PostgresHook>
where
    F: for<'a> Fn(&'a Transaction<'a>, &'a StoredMessage, &'a Answer) -> PostgresHookFuture<'a>
        + Send
        + Sync
        + 'static,
{
    Arc::new(hook)
}

/// Runs it in a savepoint. What it said if it failed, and left nothing behind.
///
/// A transaction that was in its way is no failure of its: then the store's whole transaction is done again, as
/// often as the store does that.
pub(super) async fn run(
    tx: &Transaction<'_>,
    hook: &PostgresHook,
    conflicts: &AtomicU32,
    message: &StoredMessage,
    answer: &Answer,
) -> Result<Result<(), String>, Failure> {
    tx.batch_execute(BEGIN).await?;
    let mut settled = match callback::call(NAME, || hook(tx, message, answer)) {
        Some(work) => {
            let due = rt::after(rt::now(), LIMIT);
            rt::until(Some(due), callback::run(NAME, work)).await.flatten()
        }
        None => None,
    };
    // It may have hidden that one of its statements failed: then the savepoint can't be released.
    if matches!(settled, Some(Ok(()))) {
        match tx.batch_execute("RELEASE outrigger_hook").await.map_err(Failure::from) {
            Ok(()) => return Ok(Ok(())),
            Err(failure) if failure.is_lost => return Err(failure),
            Err(failure) => settled = Some(Err(failure.error.into())),
        }
    }
    if let Some(Err(error)) = &settled
        && is_conflict(&**error)
        && conflicts.fetch_add(1, Ordering::Relaxed) + 1 < TRIES
    {
        let why = "another transaction was in a settling function's way";
        let error = OutboxError::new(OutboxErrorKind::Busy, why);
        return Err(Failure { again: true, ..error.into() });
    }
    tx.batch_execute("ROLLBACK TO outrigger_hook; RELEASE outrigger_hook").await?;
    Ok(hook_error(settled))
}

/// Whether a statement met another transaction: a deadlock, a failed serialization, or a lock that is taken.
fn is_conflict(error: &(dyn StdError + 'static)) -> bool {
    const CODES: [SqlState; 3] = [
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::LOCK_NOT_AVAILABLE,
    ];
    let mut cause = Some(error);
    while let Some(error) = cause {
        let code = error.downcast_ref::<tokio_postgres::Error>().and_then(|error| error.code());
        if code.is_some_and(|code| CODES.contains(code)) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// How long settling takes at most for one message: the function, and what the server still does for it.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(10);
/// The server ends a statement of the function that takes longer, too, so that the batch goes on.
const BEGIN: &str = "SAVEPOINT outrigger_hook; SET LOCAL statement_timeout = 10000";
const NAME: &str = "on_delivered";
