//! Examples that the providers' documentation gives, and what is read out of their events.

use outrigger::inbox::{Facts, GitHub, Shopify, Slack, StandardWebhooks, Stripe, Verified};
use outrigger::outbox::Timestamp;

use crate::bench::{NOW, refusal, verify};
use crate::sign::{self, Signed, new};

/// The example of Standard Webhooks' libraries.
pub(crate) const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/// Svix' example for the asymmetric scheme, over the same message.
pub(crate) const WHPK: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
pub(crate) const V1A: &str =
    "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
/// The secret of GitHub's and of Slack's documentation.
pub(crate) const GITHUB: &str = "It's a Secret to Everybody";
const SLACK: &str = "8f742231b10e8888abcd99yyyzzz85a5";

pub(crate) fn standard(signature: &str) -> Signed {
    let id = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
    let headers = [id, ("webhook-timestamp", "1614265330"), ("webhook-signature", signature)];
    new(&headers, r#"{"test": 2432232314}"#)
}

pub(crate) fn facts(verified: Verified) -> Facts {
    match verified {
        Verified::Event(facts) => *facts,
        other => panic!("no event: {other:?}"),
    }
}

#[test]
fn standard_webhooks_shared_secret() {
    let scheme = StandardWebhooks::new([WHSEC]).unwrap();
    let read = facts(verify(&scheme, &standard(V1)).unwrap());
    assert_eq!(read, Facts::signed_id("msg_p5jXN8AQM9LWM0D4loKWxJek"));
}

#[test]
fn standard_webhooks_public_key() {
    let scheme = StandardWebhooks::new([WHPK]).unwrap();
    assert!(verify(&scheme, &standard(V1A)).is_ok());
    let altered = standard(V1A).body(r#"{"test": 2432232315}"#);
    assert_eq!(refusal(&scheme, &altered).unwrap().name(), "signature");
}

#[test]
fn standard_webhooks_under_svix_names() {
    let svix = ["svix-id", "svix-timestamp", "svix-signature"];
    let mut signed = standard(V1);
    signed.headers.iter_mut().zip(svix).for_each(|(header, name)| header.0 = name);
    assert!(verify(&StandardWebhooks::new([WHSEC]).unwrap(), &signed).is_ok());
}

#[test]
fn standard_webhooks_one_of_several_signatures_is_enough() {
    let (shared, public) =
        (StandardWebhooks::new([WHSEC]).unwrap(), StandardWebhooks::new([WHPK]).unwrap());
    let other = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";
    for all in [
        format!("{other} {V1}"),
        format!("{V1A} {V1} {other}"),
        format!("v2,new v1,garbage garbage {V1} {V1A}"),
    ] {
        assert!(verify(&shared, &standard(&all)).is_ok(), "{all}");
    }
    assert!(verify(&public, &standard(&format!("{V1} {V1A}"))).is_ok());
    // The right bytes under another version's name are none.
    let renamed = V1.replace("v1,", "v1a,");
    assert_eq!(refusal(&shared, &standard(&renamed)).unwrap().name(), "malformed_header");
    assert_eq!(refusal(&shared, &standard(V1A)).unwrap().name(), "signature");
    assert_eq!(refusal(&public, &standard(V1)).unwrap().name(), "signature");
    let many = [V1; 9].join(" ");
    assert_eq!(refusal(&shared, &standard(&many)).unwrap().name(), "malformed_header");
}

#[test]
fn standard_webhooks_kind_and_time() {
    let body = r#"{"type":"user.created","timestamp":"2021-02-25T15:02:09.5Z","data":{}}"#;
    let signed = sign::standard(&[&[7; 24]], "msg_1", NOW, body);
    let secret = format!("whsec_{}", sign::base64(&[7; 24]));
    let read = facts(verify(&StandardWebhooks::new([secret]).unwrap(), &signed).unwrap());
    let time = Timestamp(1_614_265_329_500);
    assert_eq!(read, Facts::signed_id("msg_1").kind("user.created").time(time));
}

#[test]
fn github() {
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let signed = new(&[("x-hub-signature-256", right)], "Hello, World!");
    let scheme = GitHub::new([GITHUB]).unwrap();
    assert_eq!(
        facts(verify(&scheme, &signed).unwrap()),
        Facts::of_body().keep(&keep(&signed), &[])
    );
    assert_eq!(sign::github(GITHUB, "1", "Hello, World!").header("x-hub-signature-256"), right);
}

#[test]
fn slack() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow\
        &channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner\
        &command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
        T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let headers = [("x-slack-request-timestamp", "1531420618"), ("x-slack-signature", signature)];
    let years = std::time::Duration::from_secs(10 * 365 * 24 * 3600);
    let scheme = Slack::new([SLACK]).unwrap();
    assert_eq!(refusal(&scheme, &new(&headers, body)).unwrap().name(), "too_old");
    let read = facts(verify(&scheme.tolerance(years), &new(&headers, body)).unwrap());
    assert_eq!(read, Facts::of_body_and("1531420618").time(Timestamp(1_531_420_618_000)));
}

#[test]
fn slack_events_and_its_question() {
    let scheme = Slack::new([SLACK]).unwrap();
    let question =
        r#"{"token":"old","challenge":"3eZbrw1aBm2rZgRNFdxV","type":"url_verification"}"#;
    let answer = verify(&scheme, &sign::slack(SLACK, NOW, question)).unwrap();
    assert_eq!(answer, Verified::Answer("3eZbrw1aBm2rZgRNFdxV".into()));
    let forged = sign::slack("other", NOW, question);
    assert_eq!(refusal(&scheme, &forged).unwrap().name(), "signature");

    let body = r#"{"type":"event_callback","event_id":"Ev08MFMKH6","event_time":1614265300,"event":{"type":"app_mention"}}"#;
    let read = facts(verify(&scheme, &sign::slack(SLACK, NOW, body)).unwrap());
    let time = Timestamp(1_614_265_300_000);
    assert_eq!(read, Facts::signed_id("Ev08MFMKH6").kind("app_mention").time(time));
}

#[test]
fn stripe() {
    let body = r#"{"id":"evt_1","api_version":"2026-10-28","created":1614265300,"type":"invoice.paid","data":{"object":{"id":"in_7"}}}"#;
    let secret = "whsec_test_secret";
    let signed = sign::stripe(&[secret], NOW, body);
    let read = facts(verify(&Stripe::new([secret]).unwrap(), &signed).unwrap());
    let expected = Facts::signed_id("evt_1")
        .kind("invoice.paid")
        .time(Timestamp(1_614_265_300_000))
        .order_key("in_7")
        .api_version("2026-10-28")
        .keep(&keep(&signed), &["content-type"]);
    assert_eq!(read, expected);
    // Computed by another program: so the tests' own signing is right, too.
    let header = "t=1614265330,v1=1c85623cfb52e27f927d9e4eac778cbe54c3d4f90b17edce4689e027779c4380";
    let other = new(&[("stripe-signature", header)], r#"{"id":"evt_1","type":"invoice.paid"}"#);
    assert!(verify(&Stripe::new([secret]).unwrap(), &other).is_ok());
    // A body that is no event of Stripe's is one all the same, if Stripe signed it.
    let odd = sign::stripe(&[secret], NOW, "[1]").without("content-type");
    let read = facts(verify(&Stripe::new([secret]).unwrap(), &odd).unwrap());
    assert_eq!(read, Facts::of_body());
}

#[test]
fn shopify() {
    let (secret, body) = ("hush", r#"{"id":820982911946154508,"note":"Zoë"}"#);
    let signed = sign::shopify(secret, "orders/paid", "98880550-7158", body);
    // Computed by another program.
    let right = "+aALRvt8qMOewemb05cXWI6xdYGz5XikBQGl8nRES8k=";
    assert_eq!(signed.header("x-shopify-hmac-sha256"), right);
    let read = facts(verify(&Shopify::new([secret]).unwrap(), &signed).unwrap());
    let kept = [
        "x-shopify-api-version",
        "x-shopify-event-id",
        "x-shopify-topic",
        "x-shopify-triggered-at",
    ];
    let expected = Facts::of_body_and("orders/paid")
        .id("98880550-7158")
        .kind("orders/paid")
        .time(Timestamp(1_614_265_329_500))
        .order_key("orders/820982911946154508")
        .api_version("2026-10")
        .keep(&keep(&signed), &kept);
    assert_eq!(read, expected);
}

fn keep(signed: &Signed) -> http::HeaderMap {
    signed.request().headers().clone()
}
