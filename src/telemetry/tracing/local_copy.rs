//! Events of local copies.

use super::span_scope::{SpanScope, record};
use crate::terms::local_copy::{LoadFailure, LocalCopyEvent};

pub(super) fn record_event(scope: &SpanScope<'_>, copy: &'static str, event: LocalCopyEvent) {
    match event {
        LocalCopyEvent::Loaded { changed, count, elapsed } => record!(
            scope,
            DEBUG,
            "a local copy was loaded",
            "outrigger.copy" = copy,
            "outrigger.changed" = changed,
            "outrigger.count" = i64::try_from(count).unwrap_or(i64::MAX),
            "outrigger.elapsed_s" = elapsed.as_secs_f64(),
        ),
        LocalCopyEvent::LoadFailed { failure: LoadFailure::Refused, retry_in, .. } => record!(
            scope,
            ERROR,
            "the guard of a local copy refused what was loaded: a person has to look",
            "outrigger.copy" = copy,
            "outrigger.retry_in_s" = retry_in.as_secs_f64(),
        ),
        LocalCopyEvent::LoadFailed { failure, retry_in, .. } => record!(
            scope,
            WARN,
            "a local copy could not be loaded",
            "outrigger.copy" = copy,
            "outrigger.failure" = failure.name(),
            "outrigger.retry_in_s" = retry_in.as_secs_f64(),
        ),
        LocalCopyEvent::Late => {
            record!(scope, WARN, "a local copy is late", "outrigger.copy" = copy);
        }
        LocalCopyEvent::Expired => {
            record!(scope, ERROR, "a local copy has expired", "outrigger.copy" = copy);
        }
        LocalCopyEvent::SnapshotRead { age, count } => record!(
            scope,
            INFO,
            "a local copy was read from its snapshot",
            "outrigger.copy" = copy,
            "outrigger.age_s" = age.as_secs_f64(),
            "outrigger.count" = i64::try_from(count).unwrap_or(i64::MAX),
        ),
        LocalCopyEvent::SnapshotFailed { problem } => record!(
            scope,
            WARN,
            "the snapshot of a local copy was not read or not written",
            "outrigger.copy" = copy,
            "outrigger.problem" = problem.name(),
        ),
    }
}
