//! What people change on a console, for all instances.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::acts::Wanted;
use super::error::{FleetError, FleetErrorKind};
use super::handle::Fleet;
use super::inner::Inner;
use super::words::SETTINGS;
use crate::control::{FleetConfigure, FleetSet, FleetSettings, FleetWord, Obeyed};
use crate::outbox::OutboxError;

impl Inner {
    /// Sets a control, waits as long as instances need to obey, and says who does.
    pub(super) async fn set_by_console(self: Arc<Self>, set: FleetSet) -> Result<Obeyed, String> {
        let FleetSet { integration, control, to, who, why, wanted_for, is_set_back } = set;
        let wanted = match wanted_for {
            None => Wanted::Open,
            Some(time) if is_set_back => Wanted::ThenBack(time),
            Some(time) => Wanted::For(time),
        };
        let fleet = Fleet(self);
        let set = fleet.set_for(&integration, &control, &to, wanted, &who, &why);
        let revision = set.await.map_err(|error| told(&error))?;
        Ok(fleet.obeyed(&integration, revision).await)
    }

    /// Gives an integration settings, waits as long as instances need to obey, and says who does. All that is wrong is told
    /// at once, each by its setting.
    pub(super) async fn configure_by_console(
        self: Arc<Self>,
        new: FleetConfigure,
    ) -> Result<Obeyed, Vec<String>> {
        let FleetConfigure { integration, text, seen, who, why } = new;
        let said = self.said_settings(&integration).await;
        let said = said.map_err(|error| vec![told(&error.into())])?;
        let changed = |said: Option<FleetWord>| {
            let by = said.map(|said| format!(" by {}", said.who)).unwrap_or_default();
            vec![format!("they were changed meanwhile{by}: load the page again")]
        };
        let is_seen = |seen: u64| said.as_ref().map_or(0, |said| said.revision) == seen;
        if !seen.is_none_or(is_seen) {
            return Err(changed(said));
        }
        let table = table(&text).map_err(|why| vec![why])?;
        match self.configure_seen(&integration, &table, seen, &who, &why).await {
            Ok(Some(revision)) => Ok(Fleet(self).obeyed(&integration, revision).await),
            Ok(None) => Err(changed(None)),
            Err(error) if error.errors().is_empty() => Err(vec![told(&error)]),
            Err(error) => Err(error.errors().iter().map(ToString::to_string).collect()),
        }
    }

    /// What the fleet says of an integration's settings, and all of them as they are on this instance, if it has it.
    pub(super) async fn settings_for_console(
        &self,
        integration: &str,
    ) -> Result<FleetSettings, OutboxError> {
        let said = self.said_settings(integration).await?;
        let table = said.as_ref().and_then(|said| serde_json::from_str(&said.says).ok());
        let own = self.registry.named(integration).into_iter().next();
        Ok(FleetSettings {
            text: table.as_ref().map(in_toml).unwrap_or_default(),
            said,
            present: own.map(|target| in_toml(&target.present_table())),
        })
    }

    async fn said_settings(&self, integration: &str) -> Result<Option<FleetWord>, OutboxError> {
        let is_it = |word: &FleetWord| word.integration == integration && word.of == SETTINGS;
        Ok(self.shown_words().await?.into_iter().find(is_it))
    }
}

impl Fleet {
    async fn obeyed(&self, integration: &str, revision: u64) -> Obeyed {
        let view = self.wait_obeyed(revision, OBEYED).await.map_err(|error| error.to_string())?;
        // Whoever may steer one integration need not see another.
        Ok(view.only(|other| other == integration))
    }
}

/// What somebody wrote, or why it can't be read.
fn table(text: &str) -> Result<Value, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1));
        format!("{}{}", line.unwrap_or_default(), error.message())
    })
}

/// Nothing of a table that TOML has no words for.
fn in_toml(table: &Value) -> String {
    toml::to_string(table).unwrap_or_default()
}

/// Why nothing was stored, as far as nobody knows better.
fn told(error: &FleetError) -> String {
    match error.kind() {
        FleetErrorKind::Unavailable => format!("{error}; {IN_DOUBT}"),
        // Whoever may steer one integration need not see the name of another.
        FleetErrorKind::NoIntegration => "no instance has this integration".to_owned(),
        _ => error.to_string(),
    }
}

const IN_DOUBT: &str = "it isn't set here either, and if the connection was lost on the way, it may be stored all \
     the same: the page of all instances says so when the database answers";
/// Instances need 3 s at most.
const OBEYED: Duration = Duration::from_secs(4);
