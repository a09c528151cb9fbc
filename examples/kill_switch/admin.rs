//! Another source: what an admin page answers, asked again and again.

use std::time::Duration;

use http::Request;
use outrigger::event::SourceProblem;
use outrigger::kill_switch::{Polled, SourceError, SwitchSource};
use outrigger::{ConfigError, Integration};

/// The endpoint answers what the file would hold.
pub(crate) fn endpoint(url: String) -> Result<impl SwitchSource, ConfigError> {
    let api = Integration::user_flow("admin").build()?;
    Ok(Polled::new(Duration::from_millis(50), move || {
        let call = Request::get(&url).body(()).map(|request| api.send(request));
        async move {
            let away = |error: &dyn std::error::Error| {
                SourceError::new(SourceProblem::Unreadable, format!("admin: {error}"))
            };
            let response =
                call.map_err(|error| away(&error))?.await.map_err(|error| away(&error))?;
            let text = response.into_body().text().await.map_err(|error| away(&error))?;
            text.parse().map_err(|error| {
                SourceError::new(SourceProblem::Malformed, format!("admin: {error}"))
            })
        }
    }))
}
