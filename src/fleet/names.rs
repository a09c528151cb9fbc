//! Which controls instances have, and what is said of a name that none of them has. It is pure.

use std::collections::BTreeMap;

use super::error::Cause;
use crate::control::{Controllable, Registry};
use crate::settings::read::{nearest, suggestion};

/// The integrations, with their controls, each with its positions, the default first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Names(BTreeMap<String, Controls>);

type Controls = BTreeMap<String, Vec<String>>;

impl Names {
    /// What this instance has.
    pub(super) fn of(registry: &Registry) -> Self {
        let mut names = Self::default();
        for target in registry.all() {
            let integration = target.name().to_owned();
            names.0.entry(integration.clone()).or_default();
            for control in Controllable::controls(target) {
                let positions = control.positions().iter().map(|&position| position.to_owned());
                names.add(&integration, control.name(), positions);
            }
        }
        names
    }

    /// As an instance told it; `None` if a later version tells what this one can't read.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn text(&self) -> String {
        // Texts can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// What others have, too.
    pub(super) fn extend(&mut self, others: Self) {
        for (integration, controls) in others.0 {
            self.0.entry(integration.clone()).or_default();
            for (control, positions) in controls {
                self.add(&integration, &control, positions.into_iter());
            }
        }
    }

    pub(super) fn has(&self, integration: &str) -> bool {
        self.0.contains_key(integration)
    }

    /// The control's default position, if there is this control with this position.
    pub(super) fn find(
        &self,
        integration: &str,
        control: &str,
        position: &str,
    ) -> Result<Option<String>, Cause> {
        let controls = self.0.get(integration).ok_or_else(|| self.no_integration(integration))?;
        let positions = controls.get(control).ok_or_else(|| {
            let names: Vec<_> = controls.keys().map(String::as_str).collect();
            let instead = suggestion(control, &names, "it has");
            Cause::NoName(format!(
                "no instance has a control {control:?} of {integration}: {instead}"
            ))
        })?;
        if !positions.iter().any(|known| known == position) {
            // There are few, and the nearest may be the opposite.
            let all = positions.join(", ");
            let why =
                format!("no instance has a position {position:?} of {control}: use one of {all}");
            return Err(Cause::NoName(why));
        }
        Ok(positions.first().cloned())
    }

    pub(super) fn no_integration(&self, name: &str) -> Cause {
        let names: Vec<_> = self.0.keys().map(String::as_str).collect();
        let near = nearest(name, &names).map(str::to_owned);
        Cause::NoIntegration { name: name.to_owned(), near }
    }

    fn add(&mut self, of: &str, control: &str, positions: impl Iterator<Item = String>) {
        let controls = self.0.entry(of.to_owned()).or_default();
        let known = controls.entry(control.to_owned()).or_default();
        for position in positions {
            // Another version may have more of them.
            if !known.contains(&position) {
                known.push(position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = r#"{"payments":{"kill_switch":["on","off"],"prices":["ready","reload"]}}"#;

    fn said(names: &Names, [integration, control, position]: [&str; 3]) -> Result<String, String> {
        let found = names.find(integration, control, position);
        let error = |cause| super::super::FleetError::from(cause).to_string();
        found.map(Option::unwrap_or_default).map_err(error)
    }

    #[test]
    fn a_name_that_nobody_has_is_refused_with_the_one_that_was_probably_meant() {
        let names = Names::read(TOLD).unwrap();
        assert_eq!(names.text(), TOLD);
        assert_eq!(said(&names, ["payments", "kill_switch", "off"]), Ok("on".to_owned()));
        for (asked, why) in [
            (["paymens", "kill_switch", "off"], "did you mean \"payments\"?"),
            (["payments", "kill_swich", "off"], "did you mean \"kill_switch\"?"),
            (["payments", "x", "off"], "it has kill_switch, prices"),
            (["payments", "kill_switch", "of"], "use one of on, off"),
        ] {
            let error = said(&names, asked).unwrap_err();
            assert!(error.ends_with(why), "{error}");
        }
        let error = said(&names, ["crm", "kill_switch", "off"]).unwrap_err();
        assert_eq!(error, "no instance has an integration of the name \"crm\"");
    }

    #[test]
    fn what_one_of_two_versions_has_is_there_and_the_default_is_the_first_ones() {
        let mut names = Names::read(TOLD).unwrap();
        let later = r#"{"payments":{"kill_switch":["off","half"]},"crm":{}}"#;
        names.extend(Names::read(later).unwrap());
        assert_eq!(said(&names, ["payments", "kill_switch", "half"]), Ok("on".to_owned()));
        assert!(names.has("crm") && names.has("payments"));
        assert_eq!(Names::read("[]"), None, "what a later version may tell");
    }
}
