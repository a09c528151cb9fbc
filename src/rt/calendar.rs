use std::time::{Duration, SystemTime};

/// Clamps a time to what can be written as a date, however wrong a clock is.
pub(crate) fn clamp_to_year_9999(at: SystemTime) -> SystemTime {
    at.clamp(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + LATEST)
}

/// The last second of the year 9999.
const LATEST: Duration = Duration::from_secs(253_402_300_799);
