use super::record::AuditRecord;
use crate::outcome::BoxError;

/// Where records go. It is called on a thread of its own, and may block there.
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
    /// When it could not: it is asked again a second later, up to three times in all.
    fn write(&mut self, record: &AuditRecord) -> Result<(), BoxError>;

    /// Makes sure of what was written so far; asked whenever nothing waits, and by
    /// [`Audit::flush`](super::Audit::flush).
    ///
    /// # Errors
    ///
    /// When it could not. The error is kept as [trouble](super::Audit::trouble).
    fn flush(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}
