//! What strangers wrote is shown as text, whatever it is.

use http::StatusCode;
use outrigger::outbox::Message;
use proptest::prelude::*;

use super::bench::{Bench, all};

/// Ends an element, an attribute, a script; turns the direction of writing; is a control character.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</time></td><form action=//evil.example>",
    "\u{202e}gnp.exe\u{2066}",
    "a\u{0}b\u{1b}[31m",
];

fn holds_nothing_hostile(page: &str) -> Result<(), String> {
    for found in [
        "<script>alert",
        "<img",
        "onerror=alert(1)>",
        "<form action=//",
        "\u{202e}",
        "\u{2066}",
        "\u{0}",
        "\u{1b}",
    ] {
        if page.contains(found) {
            return Err(format!("{found:?} is on the page"));
        }
    }
    // One script, ours.
    match page.matches("<script").count() {
        1 => Ok(()),
        count => Err(format!("{count} scripts")),
    }
}

async fn everywhere(text: &str) -> Vec<String> {
    let bench = Bench::new(all());
    let mail = Message::post("http://mail.test/send").lane("mailer").body(text.to_owned());
    let mail = mail.dedup_key(text).order_key(text);
    let id = bench.outbox.enqueue(mail).await.unwrap().id;
    let page = "?integration=payments";
    let done = bench.act(text_as_name(text), page, "set", &[("to", text), ("why", text)]).await;
    let done = done.location().to_owned();
    bench.act("ada", "?lane=mailer", "pause", &[("why", text), ("until", "open")]).await.location();
    let revealed = bench.act("ada", &format!("?message={id}"), "reveal", &[("why", text)]).await;
    let find = serde_urlencoded::to_string([("find", text)]).unwrap();
    let mut pages = vec![revealed.text];
    for page in ["", &done, &format!("?{find}"), "?lane=mailer", &format!("?message={id}"), "?acts"]
    {
        let got = bench.get("ada", page).await;
        assert_eq!(got.status, StatusCode::OK, "{page}");
        pages.push(got.text);
    }
    pages
}

/// A header takes no control characters.
fn text_as_name(text: &str) -> &str {
    if http::HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok()) {
        text
    } else {
        "ada"
    }
}

#[tokio::test(start_paused = true)]
async fn markup_of_strangers_is_text_on_every_page() {
    for text in HOSTILE {
        for page in everywhere(text).await {
            holds_nothing_hostile(&page)
                .unwrap_or_else(|found| panic!("{text:?}: {found}\n{page}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_text_leaves_its_place(parts in prop::collection::vec(prop::sample::select(&HOSTILE[..]), 1..4), between in "[ -~]{0,12}") {
        let text = parts.join(&between);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        for page in runtime.block_on(everywhere(&text)) {
            prop_assert!(holds_nothing_hostile(&page).is_ok(), "{:?}", holds_nothing_hostile(&page));
        }
    }
}
