//! A planted secret is in no output.

use outrigger::drift::DriftLayer;

use crate::bench::{Bench, answer, bare, get};

/// As keys of payment providers look.
const PLANTED: &str = "sk_live_4eC39HqLyjWDarjtT1zdp7dc";

#[tokio::test(start_paused = true)]
async fn a_secret_in_a_header_or_a_url_is_in_no_event_no_health_and_no_debug() {
    let layer = DriftLayer::new().notice_header(http::HeaderName::from_static("x-api-warn"));
    let bench = Bench::over(layer);
    let link = format!("</a/{PLANTED}?k={PLANTED}>; rel=\"sunset successor-version\"");
    let (warning, text) = (format!("299 - \"{PLANTED} is old\""), format!("stop using {PLANTED}"));
    let headers = [
        ("link", &*link),
        ("warning", &*warning),
        ("x-api-warn", &*text),
        ("deprecation", PLANTED),
        ("content-type", PLANTED),
    ];
    for request in [get("/v1/orders/{id}"), bare("GET")] {
        let drifts = bench.send(request, answer(&headers, "")).await;
        assert_eq!(drifts.len(), 5, "{drifts:?}");
    }
    let (layer, handle) = (bench.layer(), bench.handle());
    let debug = format!("{layer:?} {layer:#?} {handle:?} {handle:#?} {:?}", handle.drifts());
    let said = bench.told().said.lock().unwrap().clone();
    for output in [&debug, &said] {
        assert!(output.contains("deprecation") || output.contains("Deprecation"), "{output}");
        for secret in ["4eC39", "hunter2", "ada-lovelace"] {
            assert!(!output.contains(secret), "{secret} in {output}");
        }
    }
}
