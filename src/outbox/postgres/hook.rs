use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio_postgres::Transaction;

use super::error::Failure;
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

/// Runs it in a savepoint; false if it failed, and left nothing behind.
pub(super) async fn run(
    tx: &Transaction<'_>,
    hook: &PostgresHook,
    message: &StoredMessage,
    answer: &Answer,
) -> Result<bool, Failure> {
    tx.batch_execute(BEGIN).await?;
    let settled = match callback::call(NAME, || hook(tx, message, answer)) {
        Some(work) => {
            let due = rt::after(rt::now(), LIMIT);
            rt::until(Some(due), callback::run(NAME, work)).await.flatten()
        }
        None => None,
    };
    // It may have hidden that one of its statements failed: then the savepoint can't be released.
    if matches!(settled, Some(Ok(()))) {
        match tx.batch_execute("RELEASE outrigger_hook").await.map_err(Failure::from) {
            Ok(()) => return Ok(true),
            Err(failure) if failure.is_lost => return Err(failure),
            Err(_) => {}
        }
    }
    tx.batch_execute("ROLLBACK TO outrigger_hook; RELEASE outrigger_hook").await?;
    Ok(false)
}

/// How long settling takes at most for one message: the function, and what the server still does for it.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
const LIMIT: Duration = Duration::from_secs(10);
/// The server ends a statement of the function that takes longer, too, so that the batch goes on.
const BEGIN: &str = "SAVEPOINT outrigger_hook; SET LOCAL statement_timeout = 10000";
const NAME: &str = "on_delivered";
