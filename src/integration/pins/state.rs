use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, Request};

use super::pin::{Pin, Written};
use crate::control::PinHealth;
use crate::event::{Emitter, Event, ShortText};
use crate::outcome::Error;
use crate::rt::{Clock, Lock};

/// The pins of an integration, and what its provider says of them.
#[derive(Debug)]
pub(in crate::integration) struct Pins {
    pins: Vec<Watched>,
    emitter: Emitter,
}

#[derive(Debug)]
struct Watched {
    pin: Pin,
    /// That a caller had a version of its own was told.
    is_overridden: AtomicBool,
    told: Mutex<Told>,
}

/// What answers tell of a version.
#[derive(Debug, Default)]
struct Told {
    /// The version that they had last.
    last: Option<String>,
    /// All that they had.
    known: Vec<String>,
}

/// An extension of a request that doesn't ask for the pinned versions: what its answer tells says nothing
/// of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotPinned;

impl Told {
    /// Whether this version was never told before.
    fn hear(&mut self, version: &str) -> bool {
        if self.last.as_deref() == Some(version) {
            return false;
        }
        self.last = Some(version.to_owned());
        let is_known = self.known.iter().any(|it| it == version);
        let is_new = !is_known && self.known.len() < MOST;
        if is_new {
            self.known.push(version.to_owned());
        }
        is_new
    }
}

impl Pins {
    pub(in crate::integration) fn new(pins: Vec<Pin>, emitter: &Emitter) -> Self {
        let watched =
            |pin| Watched { pin, is_overridden: AtomicBool::default(), told: Mutex::default() };
        Self { pins: pins.into_iter().map(watched).collect(), emitter: emitter.clone() }
    }

    /// Whether answers tell anything of them.
    pub(in crate::integration) fn are_told(&self) -> bool {
        self.pins.iter().any(|watched| watched.pin.told_in.is_some())
    }

    /// Writes them into a request that has none of its own.
    pub(in crate::integration) fn write<B>(&self, request: &mut Request<B>) -> Result<(), Error> {
        for Watched { pin, is_overridden, .. } in &self.pins {
            let written = pin.write(request)?;
            if written != Written::Pinned {
                request.extensions_mut().insert(NotPinned);
            }
            if written == Written::Own && !is_overridden.swap(true, Ordering::Relaxed) {
                self.emitter
                    .emit(None, || Event::PinOverridden { pin: ShortText::new(pin.name()) });
            }
        }
        Ok(())
    }

    /// Marks a request that goes elsewhere, without them.
    pub(in crate::integration) fn leave_out<B>(&self, request: &mut Request<B>) {
        if self.are_told() {
            request.extensions_mut().insert(NotPinned);
        }
    }

    /// Compares them with what an answer tells; the first time that it tells another version, so do we.
    pub(super) fn compare(&self, headers: &HeaderMap) {
        for Watched { pin, told, .. } in &self.pins {
            let version = pin.told_in.as_ref().and_then(|name| headers.get(name)?.to_str().ok());
            let Some(version) = version.map(str::trim_ascii) else { continue };
            let is_new = told.locked().hear(version);
            if is_new && version != pin.version {
                let (pin, version) = (ShortText::new(pin.name()), ShortText::new(version));
                self.emitter.emit(None, || Event::PinDiffers { pin, version });
            }
        }
    }

    pub(in crate::integration) fn health(&self) -> Vec<PinHealth> {
        let now = Clock::system().wall();
        let health = |Watched { pin, told, .. }: &Watched| {
            let told = told.locked().last.clone();
            PinHealth {
                name: pin.name().to_owned(),
                version: pin.version.clone(),
                differs: told.as_ref().is_some_and(|told| *told != pin.version),
                told,
                is_over_a_year_old: pin.is_over_a_year_old(now),
            }
        };
        self.pins.iter().map(health).collect()
    }
}

/// A provider has a few versions at a time. What is another one in each answer is none.
const MOST: usize = 16;
