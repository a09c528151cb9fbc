//! Who of a fleet obeys.

use super::phrase::{Phrase, counted, phrase, text};
use crate::control::{FleetView, Obeyed};
use crate::terms::InstanceState;

/// After something was stored for all instances.
pub(in crate::console) fn obeyed(obeyed: Obeyed) -> Phrase {
    match obeyed {
        Ok(view) => in_all(&view),
        Err(error) => {
            phrase!("it is stored, and who obeys can't be asked: {error}", error = error)
        }
    }
}

/// `4 of 5 obey; web-3 not seen for 40 s`
pub(in crate::console) fn in_all(view: &FleetView) -> Phrase {
    let (all, others) = (view.instances.len(), view.disobeying().count());
    let obey = counted!("{n} of {all} obey", n = all - others, all = all);
    let (gone, here): (Vec<_>, Vec<_>) = view.disobeying().partition(|it| it.is_long_gone());
    let here = here.into_iter().map(|instance| {
        let time = instance.for_time.map(|time| format!("{} s", time.as_secs()));
        let state = match instance.state {
            InstanceState::Behind => text!("behind"),
            InstanceState::NotSeen => text!("not seen"),
            _ => text!("disobeys"),
        };
        let troubles = instance.troubles.iter().map(|trouble| format!(" ({trouble})"));
        phrase!(
            "{instance} {state}{span}{troubles}",
            instance = &instance.name,
            state = state,
            span = time.map(|time| phrase!(" for {time}", time = time)),
            troubles = troubles.collect::<String>()
        )
    });
    let gone =
        (!gone.is_empty()).then(|| counted!("{n} not seen for over an hour", n = gone.len()));
    let parts = std::iter::once(obey).chain(here).chain(gone);
    Phrase::list(parts, "; ")
}
