use super::record::AuditRecord;
use crate::outcome::BoxError;

/// A destination of records. It is called on a separate thread, and may block.
///
/// ```
/// use outrigger::BoxError;
/// use outrigger::telemetry::audit::{AuditRecord, AuditSink};
///
/// struct Print;
///
/// impl AuditSink for Print {
///     fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError> {
///         println!("{}", record.to_json());
///         Ok(())
///     }
/// }
/// ```
pub trait AuditSink: Send + 'static {
    /// Writes one record.
    ///
    /// # Errors
    ///
    /// If it couldn't. It is called again a second later, up to three times in all.
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError>;

    /// Flushes the records written so far. It is called when no record waits, and by
    /// [`Audit::flush`](super::Audit::flush).
    ///
    /// # Errors
    ///
    /// If it couldn't. The error is reported as [trouble](super::Audit::trouble).
    fn flush(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}
