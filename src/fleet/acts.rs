//! What people change, for all instances.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::database::NewPosition;
use super::error::FleetError;
use super::handle::Fleet;
use super::inner::Inner;
use super::names::Names;
use super::words::SETTINGS;
use crate::IntegrationConfig;
use crate::control::{ControlError, FleetView, InstanceState};
use crate::rt;
use crate::settings::{ConfigError, ValidationError};

/// What somebody asks for.
struct Asked<'a> {
    integration: &'a str,
    control: &'a str,
    position: &'a str,
    wanted: Wanted,
    who: &'a str,
    why: &'a str,
}

/// For how long a position is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// Until somebody sets it otherwise.
    Open,
    /// For this time by the database's clock. It stays afterwards, and the console says that its time is over.
    For(Duration),
    /// For this time by the database's clock. Then the fleet sets it back to what it said before, with the time that this had; if it
    /// had said nothing, to the control's default, which this instance or another has to know.
    ThenBack(Duration),
}

impl Fleet {
    /// Sets a control of all instances, and returns when that is stored: the number of the change, which
    /// [`wait_obeyed`](Self::wait_obeyed) takes. Each instance obeys within 3 s. Of who and why, 500 characters are kept.
    ///
    /// # Errors
    ///
    /// If no instance has the integration, the control or the position (as far as instances tell which they have; those of
    /// earlier versions don't), or the database doesn't answer. The error says which name was probably meant.
    pub async fn set(
        &self,
        integration: &str,
        control: &str,
        position: &str,
        who: &str,
        why: &str,
    ) -> Result<u64, FleetError> {
        self.set_for(integration, control, position, Wanted::Open, who, why).await
    }

    /// The same, for a time.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub async fn set_for(
        &self,
        integration: &str,
        control: &str,
        position: &str,
        wanted: Wanted,
        who: &str,
        why: &str,
    ) -> Result<u64, FleetError> {
        let default = self.0.check(integration, control, position).await?;
        let new = Asked { integration, control, position, wanted, who, why };
        self.0.set(new, default.as_deref()).await
    }

    /// The same, whether or not there is such an integration, control or position: for what will be deployed. Instances
    /// obey it when they have it.
    ///
    /// # Errors
    ///
    /// If the database doesn't answer, or [`Wanted::ThenBack`] is asked for and this instance doesn't know the control's default.
    pub async fn set_ahead(
        &self,
        integration: &str,
        control: &str,
        position: &str,
        wanted: Wanted,
        who: &str,
        why: &str,
    ) -> Result<u64, FleetError> {
        let default = Names::of(&self.0.registry).find(integration, control, position);
        let new = Asked { integration, control, position, wanted, who, why };
        self.0.set(new, default.ok().flatten().as_deref()).await
    }

    /// Gives an integration settings on all instances: a table as a file gives it, such as a `toml::Table` or a JSON object. Returns
    /// when they are stored: the number of the change. They take the place of those that the fleet gave before and of a
    /// file's; an empty table undoes them.
    ///
    /// # Errors
    ///
    /// All mistakes at once, and nothing is stored; or that no instance has the integration, or that the database doesn't
    /// answer. Whether settings can work together depends on what is set in code. That is checked if this instance has
    /// the integration; others tell what they can't obey.
    pub async fn configure(
        &self,
        integration: &str,
        table: impl Serialize,
        who: &str,
        why: &str,
    ) -> Result<u64, FleetError> {
        let table = serde_json::to_value(table).map_err(|error| {
            let mistake = ValidationError::new("settings", error.to_string());
            ConfigError::of(Some(integration), mistake)
        })?;
        // Whatever there is: nobody else has changed it meanwhile.
        self.0
            .configure_seen(integration, &table, None, who, why)
            .await
            .map(Option::unwrap_or_default)
    }

    /// The fleet says no more about a control, or about an integration's `settings`: what was last in force stays so, and what is set
    /// on the spot from now on is no trouble. Returns the number of the change. It is for integrations that are gone, too.
    ///
    /// # Errors
    ///
    /// If the database doesn't answer.
    pub async fn forget(&self, integration: &str, of: &str) -> Result<u64, FleetError> {
        let revision = self.0.database.forget(integration, of).await?;
        self.0.wake.notify_one();
        Ok(revision)
    }

    /// Waits until every instance that gives signs has taken over this change, or at most so long. Whoever is named then
    /// in the answer hasn't.
    ///
    /// # Errors
    ///
    /// If the database doesn't answer.
    pub async fn wait_obeyed(
        &self,
        revision: u64,
        limit: Duration,
    ) -> Result<FleetView, FleetError> {
        self.0.wait_obeyed(revision, limit).await
    }
}

impl Inner {
    /// Gives an integration settings, if those that are there have the number `seen`, whatever they are if there is none.
    /// Returns the change's number; `None` if they have another.
    pub(super) async fn configure_seen(
        &self,
        integration: &str,
        table: &Value,
        seen: Option<u64>,
        who: &str,
        why: &str,
    ) -> Result<Option<u64>, FleetError> {
        IntegrationConfig::read(table)?;
        let own = self.registry.named(integration);
        own.iter().try_for_each(|target| Arc::clone(target).check_table(table))?;
        if own.is_empty() {
            self.needs_known(integration).await?;
        }
        let revision =
            self.database.configure(integration, &table.to_string(), who, why, seen).await?;
        self.wake.notify_one();
        Ok(revision)
    }

    async fn set(&self, asked: Asked<'_>, default: Option<&str>) -> Result<u64, FleetError> {
        let Asked { integration, control, position: to, wanted, who, why } = asked;
        if control == SETTINGS {
            return Err(ControlError::NoControl(control.to_owned()).into());
        }
        let (wanted_for, back) = match wanted {
            Wanted::Open => (None, None),
            Wanted::For(time) => (Some(time), None),
            Wanted::ThenBack(time) => (Some(time), Some(default.ok_or_else(unknown_default)?)),
        };
        let new = NewPosition { integration, control, to, who, why, wanted_for, back };
        let revision = self.database.set(&new).await?;
        self.wake.notify_one();
        Ok(revision)
    }

    /// Returns the control's default position, if an instance tells it.
    async fn check(
        &self,
        integration: &str,
        control: &str,
        to: &str,
    ) -> Result<Option<String>, FleetError> {
        let mut names = Names::of(&self.registry);
        if let Ok(default) = names.find(integration, control, to) {
            return Ok(default);
        }
        let (is_known, others) = self.database.names(integration).await?;
        names.extend(others);
        // Instances of earlier versions have it, and don't tell which controls it has.
        if is_known && !names.has(integration) {
            return Ok(None);
        }
        Ok(names.find(integration, control, to)?)
    }

    async fn needs_known(&self, integration: &str) -> Result<(), FleetError> {
        match self.database.names(integration).await? {
            (true, _) => Ok(()),
            (false, names) => Err(names.no_integration(integration).into()),
        }
    }

    async fn wait_obeyed(&self, revision: u64, limit: Duration) -> Result<FleetView, FleetError> {
        let end = rt::after(rt::now(), limit);
        loop {
            let view = self.database.view().await?;
            let is_behind = |it: &crate::control::FleetInstance| {
                // Whoever has a higher number than the database hasn't read it since it was restored.
                let has_it = (revision..=view.revision).contains(&it.revision);
                it.state != InstanceState::NotSeen && !has_it
            };
            if !view.instances.iter().any(is_behind) || rt::now() >= end {
                return Ok(view);
            }
            rt::sleep_until(rt::after(rt::now(), LOOK)).await;
        }
    }
}

fn unknown_default() -> ControlError {
    let why = "it can only be set back by itself if an instance tells its default position";
    ControlError::Refused(why.to_owned())
}

/// How often it is looked whether all obey.
const LOOK: Duration = Duration::from_millis(300);
