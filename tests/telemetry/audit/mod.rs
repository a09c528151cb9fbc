//! Records of attempts: what is in them, where they go, and that they harm nobody.

mod files;
mod happened;
mod harmless;
mod records;
mod secrets;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outrigger::BoxError;
use outrigger::telemetry::audit::{Audit, AuditRecord, AuditSink};

/// A sink that keeps what it is given.
#[derive(Clone, Default)]
pub(super) struct Collected(Arc<Mutex<Vec<AuditRecord>>>);

impl Collected {
    /// All of it, once everything is written.
    pub(super) fn records(&self, audit: &Audit) -> Vec<AuditRecord> {
        assert!(audit.flush(Duration::from_secs(10)), "{:?}", audit.trouble());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl AuditSink for Collected {
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.clone());
        Ok(())
    }
}

/// An audit of failures too, and what it collects.
pub(super) fn collecting() -> (Audit, Collected) {
    let collected = Collected::default();
    (Audit::to(collected.clone()).failures(4_096).start().unwrap(), collected)
}
