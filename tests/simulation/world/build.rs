use http::Response;
use outrigger::fallback::FallbackLayer;
use outrigger::rt::{Clock, Rng};
use outrigger::{ConfigError, Integration, IntegrationConfig};

use crate::provider::{Provider, plan};
use crate::spec::{Preset, Spec};
use crate::told::Listener;

/// The integration of a world, in which nothing is left to chance or to the machine's clock.
pub(super) fn build(
    spec: &Spec,
    provider: Provider,
    listener: Listener,
) -> Result<Integration, ConfigError> {
    let name = "provider";
    let builder = match spec.preset {
        Preset::UserFlow => Integration::user_flow(name),
        Preset::Background => Integration::background(name),
    };
    let (rng, wall) = (Rng::seeded(spec.seed), Clock::anchored(plan::epoch()));
    let (ids, spread) = (Rng::seeded(!spec.seed), rng.clone());
    let mut builder = builder
        .correlation(|correlation| correlation.rng(ids))
        .retry(|retry| retry.rng(rng).clock(wall))
        .breaker(|breaker| breaker.rng(spread))
        .rate_limit(|limit| limit.clock(wall))
        .kill_switch(|switch| switch.clock(wall))
        .subscriber(listener)
        .config(config(&spec.settings));
    if spec.fallback {
        builder = builder.fallback(FallbackLayer::value(Response::new("another's answer")));
    }
    builder.service(provider).build()
}

/// Settings as a file has them.
pub(super) fn config(lines: &[String]) -> IntegrationConfig {
    let file = lines.join("\n");
    toml::from_str(&file).unwrap_or_else(|error| panic!("{error}\n{file}"))
}
