//! URLs, and forms, which are written as their queries are.

use outrigger::event::Kept;
use outrigger::redact::Redactor;

use super::{body, of_type, standard};

fn uri(uri: &str) -> String {
    standard().uri(&uri.parse().unwrap())
}

#[test]
fn urls_show_where_they_go_and_which_keys_they_have() {
    for (given, shown) in [
        (
            "https://ada:p@crm.test:81/v1/orders/7?q=ada&x&empty=#f",
            "https://[redacted]@crm.test:81/v1/orders/[redacted]?q=[redacted]&[redacted]&empty=",
        ),
        ("https://crm.test/", "https://crm.test/"),
        ("/users/ada/orders/vic", "/users/[redacted]/orders/[redacted]"),
        ("/v22/v2026/V1/Users/oauth2", "/v22/[redacted]/[redacted]/[redacted]/oauth2"),
        ("/a?b=1?c=2", "/[redacted]?b=[redacted]"),
        ("*", "*"),
    ] {
        assert_eq!(uri(given), shown);
    }
    let own = standard().show_paths().show_query("page");
    let shown = own.uri(&"https://crm.test/o/7/a@b.test?page=2&q=x".parse().unwrap());
    assert_eq!(shown, "https://crm.test/o/7/[redacted]?page=2&q=[redacted]");
}

#[test]
fn a_key_that_may_be_a_value_is_hidden_too() {
    for key in
        ["card[number]", "items%5B0%5D[price]", "tags[]", "firstName", "page_size", "$filter"]
    {
        assert_eq!(uri(&format!("/?{key}=x")), format!("/?{key}=[redacted]"));
    }
    for key in [
        "Ada",
        "ada.lovelace",
        "ada%40crm.test",
        "M%C3%BCller",
        "user[Ada Lovelace]",
        "user[ada",
        "user]ada[",
        "532013000",
        "acct_532013000",
        "k4711",
        "2026-11-30",
        "sk_live_abcdefgh",
    ] {
        let form = body("application/x-www-form-urlencoded", &format!("{key}=x&b=y"));
        assert_eq!(form, "[redacted]=[redacted]&b=[redacted]");
    }
}

#[test]
fn a_form_shows_its_keys_and_the_fields_that_somebody_asked_for() {
    let own = standard().show_field("note");
    let shown = |body: Kept| own.body(&of_type("application/x-www-form-urlencoded"), &body);
    let form = "amount=7&user[note]=x&note=for+ada%40crm.test+by+4242+4242+4242+4242&code=bad&x";
    assert_eq!(
        shown(Kept::whole(form)).unwrap(),
        "amount=[redacted]&user[note]=[redacted]&note=[redacted]+by+[redacted]&code=[redacted]&[redacted]"
    );
    assert_eq!(shown(Kept::cut("a=1&note=4242 4242 42", 99)).unwrap(), "a=[redacted][cut]");
    assert_eq!(shown(Kept::cut("note=4242 4242 42", 99)).unwrap(), "[cut]");
}
