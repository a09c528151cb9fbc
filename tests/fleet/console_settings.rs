//! A console's form for the settings of all instances.

use http::header::LOCATION;
use http::{Request, StatusCode};
use outrigger::Body;

use crate::bench::{Instance, PATIENCE, Place, named};
use crate::console::{Pages, token_of};

const PAGE: &str = "?settings=payments";

/// A setting as it is, by its path.
fn present(instance: &Instance, path: &str) -> serde_json::Value {
    let config = serde_json::to_value(instance.payments.config()).unwrap();
    config.pointer(path).cloned().unwrap_or_default()
}

/// The form, filled in.
fn form(page: &str, settings: &str) -> String {
    let seen = page.split(r#"name="seen" value=""#).nth(1).expect("a number");
    let seen = seen.split('"').next().unwrap();
    let fields = [
        ("act", "configure"),
        ("token", token_of(page, "configure")),
        ("integration", "payments"),
        ("seen", seen),
        ("settings", settings),
        ("why", "they are <slow>"),
    ];
    serde_urlencoded::to_string(fields).unwrap()
}

#[tokio::test]
async fn settings_in_toml_are_given_to_all_instances_and_shown_with_who_and_why() {
    let Some(place) = Place::new().await else { return };
    let (one, other) = (place.instance("web-1").await, place.instance("web-2").await);
    let pages = Pages::of(&one);
    let empty = pages.get("ada", PAGE).await;
    assert!(empty.contains("The fleet says nothing"), "{empty}");
    assert!(pages.get("ada", "?integration=payments").await.contains(PAGE));
    let written = "deadline = \"5s\"\r\n[retry]\r\nmax_attempts = 1\r\n";
    let done = pages.post("ada", form(&empty, written)).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let page = pages.get("ada", done.headers()[LOCATION].to_str().unwrap()).await;
    let said = "payments: settings of all instances to deadline = &quot;5s&quot;; [retry]; max_attempts = 1: done";
    assert!(page.contains(said) && page.contains("2 of 2 obey"), "{page}");
    assert!(page.contains("they are &lt;slow&gt;") && page.contains("ada"), "{page}");
    for instance in [&one, &other] {
        assert_eq!(present(instance, "/deadline"), "5s");
        assert_eq!(present(instance, "/retry/max_attempts"), 1);
    }
    // The form begins with what is said.
    let (_, text) = page.split_once("<textarea").unwrap();
    assert!(text.contains("deadline = &quot;5s&quot;"), "{text}");

    // Two who had the same page: the second is told, and what was written isn't lost.
    let late = pages.post("ada", form(&empty, "deadline = \"7s\"")).await;
    assert_eq!(late.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let again = late.into_body().text().await.unwrap();
    assert!(again.contains("they were changed meanwhile by ada"), "{again}");
    assert!(again.contains("7s"), "{again}");
    assert_eq!(present(&one, "/deadline"), "5s");
    // So they are until the page is loaded again, also if what was written can't be read.
    let wrong =
        pages.post("ada", form(&again, "deadline =")).await.into_body().text().await.unwrap();
    assert!(wrong.contains("they were changed meanwhile by ada"), "{wrong}");

    let fresh = pages.get("ada", PAGE).await;
    let typo =
        pages.post("ada", form(&fresh, "deadline =")).await.into_body().text().await.unwrap();
    let change = serde_json::json!({ "deadline": "6s" });
    one.fleet.configure("payments", change, "eve", "why").await.unwrap();
    let late = pages.post("ada", form(&typo, "")).await;
    assert_eq!(late.status(), StatusCode::UNPROCESSABLE_ENTITY, "what eve did meanwhile stays");

    let fresh = pages.get("ada", PAGE).await;
    let done = pages.post("ada", form(&fresh, "")).await;
    let page = pages.get("ada", done.headers()[LOCATION].to_str().unwrap()).await;
    assert!(page.contains("payments: no settings of all instances: done"), "{page}");
    assert_ne!(present(&one, "/deadline"), "5s");
}

#[tokio::test]
async fn all_mistakes_are_shown_by_their_settings_beside_what_was_written_and_nothing_is_stored() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let pages = Pages::of(&one);
    let page = pages.get("ada", PAGE).await;
    let wrong = "deadline = \"soon\"\nnot_one = \"</textarea><b>\"\n[retry]\nmax_attemps = 2";
    for (written, mistakes) in [
        (wrong, &["deadline: ", "not_one: ", "retry.max_attemps: "][..]),
        ("deadline = 5\nretry = = 2", &["line 2: "]),
        ("deadline = \"1s\"\ntimeout.attempt = \"2s\"", &["timeout.attempt: "]),
        ("preset = \"background\"", &["preset: it was built as user_flow"]),
    ] {
        let answer = pages.post("ada", form(&page, written)).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let again = answer.into_body().text().await.unwrap();
        let (_, list) =
            again.split_once("Nothing was stored:").unwrap_or_else(|| panic!("{again}"));
        let list = list.split_once("</ul>").unwrap().0;
        assert_eq!(list.matches("<li>").count(), mistakes.len(), "{list}");
        assert!(mistakes.iter().all(|mistake| list.contains(mistake)), "{list}");
        let line = written.lines().next().unwrap().replace('"', "&quot;");
        assert!(again.contains(&line) && !again.contains("</textarea><b>"), "{again}");
    }
    assert_eq!(one.fleet.instances().await.unwrap().revision, 0);
    assert!(pages.get("ada", "?acts").await.contains("not_one"));
}

#[tokio::test]
async fn it_takes_a_right_of_its_own() {
    let Some(place) = Place::new().await else { return };
    let one = place.instance("web-1").await;
    let _secret = named("secret", &one.registry);
    let pages = Pages::of(&one);
    let change =
        one.fleet.configure("payments", serde_json::json!({ "deadline": "5s" }), "eve", "why");
    one.fleet.wait_obeyed(change.await.unwrap(), PATIENCE).await.unwrap();
    // Bob looks, and has no form.
    let page = pages.get("bob", PAGE).await;
    assert!(page.contains("eve") && !page.contains("<textarea"), "{page}");
    assert!(!pages.get("bob", "?settings=secret").await.contains("TOML"));
    let fields = serde_json::json!({
        "act": "configure", "integration": "payments", "settings": "", "seen": 1, "why": "a test",
    });
    let act = Request::post("/").header("x-user", "bob").header("authorization", "Bearer s3cr3t");
    let act = act.header("content-type", "application/json").body(Body::from(fields.to_string()));
    let refused = pages.ask(act.unwrap()).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let why = refused.into_body().text().await.unwrap();
    assert!(why.contains("You have no right to this."), "{why}");
    for nothing in ["?settings=nobody", "?settings="] {
        assert_eq!(pages.get("ada", nothing).await.trim(), "There is no such page.");
    }
    let request = Request::get(format!("/{PAGE}")).header("x-user", "bob");
    let request = request.header("accept", "application/json").body(Body::empty()).unwrap();
    let text = pages.ask(request).await.into_body().text().await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["settings"], "deadline = \"5s\"\n", "{json}");
    assert_eq!((&json["told"]["who"], &json["told"]["revision"]), (&"eve".into(), &1.into()));
}
