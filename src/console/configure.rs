//! The settings of an integration on all instances of a fleet.

use super::access::{Actor, Scope};
use super::acts::ConsoleAct;
use super::inner::{Inner, NoPage};
use super::page::SettingsView;
use super::set::NO_FLEET;
use super::words::{self, Phrase, cut, phrase};
use crate::control::FleetConfigure;
use crate::terms::Right;

/// What somebody wrote.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) integration: String,
    /// In TOML.
    pub(super) text: String,
    /// The number of the change that the page showed, if they say so.
    pub(super) seen: Option<u64>,
}

/// What was written and not stored, and all that is wrong with it.
pub(super) struct Rejected {
    pub(super) written: Written,
    pub(super) errors: Vec<Phrase>,
}

impl Inner {
    /// What the fleet says of an integration's settings. What was rejected is shown again, so that it can be mended.
    pub(super) async fn settings(
        &self,
        actor: &Actor,
        integration: String,
        rejected: Option<Rejected>,
    ) -> Result<SettingsView, NoPage> {
        let scope = Scope::Integration(&integration);
        self.needs(actor, Right::Look, scope)?;
        let may_configure = self.access.may(actor, Right::Configure, scope);
        let fleet = self.registry.fleet().ok_or(NoPage::NotFound)?;
        let settings = fleet.settings(integration.clone()).await;
        if settings.as_ref().is_ok_and(|known| known.said.is_none() && known.present.is_none()) {
            return Err(NoPage::NotFound);
        }
        Ok(SettingsView { integration, settings, may_configure, rejected })
    }

    /// Says who obeys; or all that is wrong.
    pub(super) async fn configure(
        &self,
        written: Written,
        act: &ConsoleAct,
    ) -> Result<Phrase, Rejected> {
        let Some(fleet) = self.registry.fleet() else {
            return Err(Rejected { written, errors: vec![NO_FLEET.into()] });
        };
        let Written { integration, text, seen } = written.clone();
        let (who, why) = (act.who.clone(), act.why.clone());
        let new = FleetConfigure { integration, text, seen, who, why };
        match fleet.configure(new).await {
            Ok(obeyed) => Ok(phrase!(
                "the settings are those of all instances: {obeyed}",
                obeyed = words::obeyed(obeyed)
            )),
            Err(errors) => {
                let errors = errors.into_iter().map(Phrase::from).collect();
                Err(Rejected { written, errors })
            }
        }
    }
}

impl Written {
    /// For the record, in one line.
    pub(super) fn said(&self) -> Phrase {
        let integration = cut(&self.integration);
        let lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
        match lines.collect::<Vec<_>>().join("; ") {
            none if none.is_empty() => {
                phrase!("{integration}: no settings of all instances", integration = integration)
            }
            settings => phrase!(
                "{integration}: settings of all instances to {settings}",
                integration = integration,
                settings = cut(&settings)
            ),
        }
    }
}

impl Rejected {
    /// All that is wrong, in one line.
    pub(super) fn in_one(&self) -> Phrase {
        Phrase::list(self.errors.clone(), "; ")
    }
}
