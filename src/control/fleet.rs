//! All instances of a service, as a registry sees them.

use std::fmt;
#[cfg(feature = "console")]
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::registry::Controllable;

/// How this instance obeys its fleet (feature `fleet`), for one integration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetHealth {
    /// This instance's name.
    pub instance: String,
    /// Whether the fleet's database has answered since the process began. If not, controls and settings are those
    /// of this process.
    pub has_heard: bool,
    /// The time since it answered last; since the fleet was built, if it never has.
    pub heard_ago: Duration,
    /// Since when it doesn't answer, if that is longer than 10 s. Controls and settings stay as they were told last.
    pub unheard_since: Option<SystemTime>,
    /// Until when somebody wanted a control to be where it is, by the database's clock; the earliest.
    pub wanted_until: Option<SystemTime>,
    /// What this instance doesn't obey; all is well if there is nothing.
    pub troubles: Vec<FleetTrouble>,
}

/// What an instance doesn't obey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetTrouble {
    /// The integration.
    pub integration: String,
    /// A control's name, `settings`, or the path of one setting: `settings.retry.max_attempts`.
    pub of: String,
    /// Why.
    pub why: String,
}

/// All instances of a fleet, and what they obey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetView {
    /// The number of the last change that was stored.
    pub revision: u64,
    /// The instances, by name.
    pub instances: Vec<FleetInstance>,
}

/// One process of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetInstance {
    /// Its name.
    pub name: String,
    /// The machine that it runs on, as far as that is known.
    pub host: String,
    /// The version of this library that it was built with.
    pub version: String,
    /// Whether it obeys.
    pub state: InstanceState,
    /// For how long it hasn't obeyed; `None` if it does.
    pub for_time: Option<Duration>,
    /// The time since its last sign, by the database's clock.
    pub seen_ago: Duration,
    /// The number of the last change that it has taken over.
    pub revision: u64,
    /// What it doesn't obey.
    pub troubles: Vec<FleetTrouble>,
}

/// Whether an instance obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InstanceState {
    /// It has taken over everything.
    Obeys,
    /// It hasn't looked yet: it does so within 3 s.
    Behind,
    /// It has looked, and can't obey, or somebody has set it otherwise on the spot.
    Disobeys,
    /// It has given no sign for 15 s: it has ended, hangs, or can't reach the database.
    NotSeen,
}

/// A fleet, as a registry sees it.
pub(crate) trait AnyFleet: Send + Sync {
    /// How this instance obeys it, for one integration.
    fn health(&self, integration: &str) -> FleetHealth;

    /// An integration was registered, and obeys from now on.
    fn obey(&self, newcomer: Arc<dyn Controllable>);

    /// Sets a control of all instances, and waits a moment for them to obey.
    #[cfg(feature = "console")]
    fn set(self: Arc<Self>, set: FleetSet) -> FleetAnswer;

    /// All instances.
    #[cfg(feature = "console")]
    fn view(self: Arc<Self>) -> FleetAnswer;
}

/// All instances, or why they aren't known.
#[cfg(feature = "console")]
pub(crate) type FleetAnswer = Pin<Box<dyn Future<Output = Result<FleetView, String>> + Send>>;

/// A control that a person sets for all instances.
#[cfg(feature = "console")]
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "fleet"), expect(dead_code, reason = "only a fleet reads it"))]
pub(crate) struct FleetSet {
    pub(crate) integration: String,
    pub(crate) control: String,
    pub(crate) to: String,
    pub(crate) who: String,
    pub(crate) why: String,
    /// For how long it is wanted, if they said so.
    pub(crate) wanted_for: Option<Duration>,
    /// Whether it is set back then.
    pub(crate) is_set_back: bool,
}

impl FleetView {
    /// Those that don't obey, or haven't done so yet.
    pub fn disobeying(&self) -> impl Iterator<Item = &FleetInstance> {
        self.instances.iter().filter(|instance| instance.state != InstanceState::Obeys)
    }
}

impl InstanceState {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Obeys => "obeys",
            Self::Behind => "behind",
            Self::Disobeys => "disobeys",
            Self::NotSeen => "not seen",
        }
    }
}

/// A sentence: `4 of 5 obey; web-3 not seen for 40 s`.
impl fmt::Display for FleetView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.instances.len();
        write!(f, "{} of {all} obey", all - self.disobeying().count())?;
        self.disobeying().try_for_each(|instance| write!(f, "; {instance}"))
    }
}

/// Its name, and what is the matter: `web-3 not seen for 40 s`.
impl fmt::Display for FleetInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.state.name())?;
        if let Some(time) = self.for_time {
            write!(f, " for {} s", time.as_secs())?;
        }
        self.troubles.iter().try_for_each(|trouble| write!(f, ", {trouble}"))
    }
}

/// `payments, kill_switch: why`.
impl fmt::Display for FleetTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.integration, self.of, self.why)
    }
}
