use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::database::MIGRATIONS;
use super::error::{Cause, FleetError};
use super::inner::Inner;
use super::{hints, polling, share};
use crate::control::{FleetView, FleetWord};
use crate::outbox::postgres::{in_schema, quoted};
use crate::rt;

/// One instance of a fleet: what all of them obey, in one database. See the [module](super). Clones share it.
#[derive(Clone)]
#[must_use = "an instance obeys only while its fleet runs"]
pub struct Fleet(pub(super) Arc<Inner>);

impl Fleet {
    /// Makes the tables, or brings them to this version. Several processes may do it at once.
    ///
    /// # Errors
    ///
    /// [`FleetErrorKind::Database`](super::FleetErrorKind::Database) if the database's user may not make tables: run
    /// [`migrations`](Self::migrations) as one who may.
    pub async fn migrate(&self) -> Result<(), FleetError> {
        Ok(self.0.database.migrate().await?)
    }

    /// What [`migrate`](Self::migrate) runs in an existing schema of this name, in order: for those who keep their schema
    /// themselves. Version 1 is the first.
    ///
    /// # Panics
    ///
    /// If the name has other characters than letters, digits and `_`, or more than 63.
    #[must_use]
    pub fn migrations(schema: &str) -> Vec<String> {
        let quoted = quoted(schema);
        MIGRATIONS.iter().map(|sql| in_schema(sql, &quoted)).collect()
    }

    /// Obeys the fleet until it is [shut down](Self::shut_down). While the database is away, it goes on trying, and all
    /// stays as it was told last.
    ///
    /// # Errors
    ///
    /// [`FleetErrorKind::Running`](super::FleetErrorKind::Running) if it ran before: a fleet that has ended is built anew.
    pub async fn run(&self) -> Result<(), FleetError> {
        if !self.0.starts() {
            return Err(Cause::Running.into());
        }
        let inner = &*self.0;
        all(vec![
            Box::pin(polling::run(inner)),
            Box::pin(share::run(inner)),
            Box::pin(hints::run(inner)),
        ])
        .await;
        Ok(())
    }

    /// Ends [`run`](Self::run): it takes this instance off the list, for which the database has a second. Controls and
    /// settings stay as they are.
    pub fn shut_down(&self) {
        self.0.stop.send_replace(true);
    }

    /// Waits until this instance has heard the fleet for the first time and obeys it, for at most so long; whether it has.
    /// A service that must not begin with the settings of its code waits for it before it takes requests.
    pub async fn wait_heard(&self, limit: Duration) -> bool {
        let mut heard = self.0.heard.subscribe();
        let heard = heard.wait_for(|heard| *heard);
        matches!(rt::until(Some(rt::after(rt::now(), limit)), heard).await, Some(Ok(_)))
    }

    /// This instance's name.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.0.name
    }

    /// All that the fleet says, by integration: positions of controls and settings, with who said so, why and since when.
    ///
    /// # Errors
    ///
    /// If the database doesn't answer.
    pub async fn words(&self) -> Result<Vec<FleetWord>, FleetError> {
        Ok(self.0.shown_words().await?)
    }

    /// All instances: who obeys, who doesn't, and for how long. As text, it is a sentence.
    ///
    /// # Errors
    ///
    /// If the database doesn't answer.
    pub async fn instances(&self) -> Result<FleetView, FleetError> {
        Ok(self.0.database.view().await?)
    }
}

/// Waits for all of them.
async fn all(mut parts: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    poll_fn(|cx| {
        parts.retain_mut(|part| part.as_mut().poll(cx).is_pending());
        if parts.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("instance", &self.0.name)
            .field("schema", &self.0.database.schema)
            .finish_non_exhaustive()
    }
}
