//! A source of an application's own: what an admin page says.

use std::time::Duration;

use http::Request;
use outrigger::Integration;
use outrigger::event::SourceProblem;
use outrigger::kill_switch::{SourceError, SwitchSetting, SwitchSource};
use tokio::time::sleep;

/// An admin endpoint that answers what the file would hold, asked again and again.
pub(crate) struct AdminEndpoint {
    api: Integration,
    url: String,
    /// Only what is new is a word: the same one again would undo what others said since.
    heard: Option<String>,
}

impl AdminEndpoint {
    pub(crate) fn new(url: String) -> Result<Self, outrigger::ConfigError> {
        Ok(Self { api: Integration::user_flow("admin").build()?, url, heard: None })
    }

    async fn ask(&self) -> Result<String, outrigger::Error> {
        let request = Request::get(&self.url).body(()).expect("the URL is one");
        self.api.send(request).await?.into_body().text().await
    }
}

impl SwitchSource for AdminEndpoint {
    async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
        loop {
            sleep(Duration::from_millis(50)).await;
            let text = match self.ask().await {
                Ok(text) if self.heard.as_ref() == Some(&text) => continue,
                Ok(text) => text,
                Err(error) => {
                    return Some(Err(SourceError::new(
                        SourceProblem::Unreadable,
                        error.to_string(),
                    )));
                }
            };
            let word = text.parse::<SwitchSetting>();
            self.heard = Some(text);
            let malformed =
                |error| SourceError::new(SourceProblem::Malformed, format!("admin: {error}"));
            return Some(word.map_err(malformed));
        }
    }
}
