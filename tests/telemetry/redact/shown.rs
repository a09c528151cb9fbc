//! By where it stands: headers, URLs, bodies of each kind.

use http::{HeaderMap, HeaderName, HeaderValue};
use outrigger::event::Kept;
use outrigger::redact::Redactor;

use super::{body, header, of_type, standard, text};

#[test]
fn secret_headers_are_hidden() {
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-amz-security-token",
        "x-shop-secret",
        "stripe-signature",
        "x-hub-signature-256",
        "x-vault-password",
        "x-csrf-token",
        "x-forwarded-for",
        "x-customer-email",
    ] {
        assert_eq!(header(name, "plain"), "[redacted]", "{name}");
    }
    for name in ["content-type", "idempotency-key", "retry-after", "x-request-id", "etag"] {
        assert_eq!(header(name, "plain"), "plain", "{name}");
    }
    assert_eq!(header("x-note", "to ada@crm.test"), "to [redacted]");
    assert_eq!(header("location", "/a/9?token=x"), "/a/[redacted]?token=[redacted]");
    assert_eq!(header("link", "</a?cursor=x>; rel=next"), "</a?cursor=[redacted]>; rel=next");
    let mut sensitive = HeaderValue::from_static("plain");
    sensitive.set_sensitive(true);
    assert_eq!(standard().header(&HeaderName::from_static("x-any"), &sensitive), "[redacted]");
}

#[test]
fn urls_show_where_and_no_more() {
    let uri = |uri: &str| standard().uri(&uri.parse().unwrap());
    assert_eq!(
        uri("https://ada:p@crm.test:81/orders/7?q=ada&x#f"),
        "https://[redacted]@crm.test:81/[redacted]?q=[redacted]&[redacted]"
    );
    assert_eq!(uri("https://crm.test/"), "https://crm.test/");
    let shows = standard().show_paths().show_query("page").show_query("token");
    let shown = shows.uri(&"https://crm.test/o/7/a@b.test?page=2&token=x".parse().unwrap());
    assert_eq!(shown, "https://crm.test/o/7/[redacted]?page=2&token=[redacted]");
    assert_eq!(
        text("error sending request for url (https://u:p/w@crm.test/v1/orders/77?a=b): reset"),
        "error sending request for url (https://[redacted]/v1/orders/[redacted]?a=[redacted] reset"
    );
    assert_eq!(
        text("GET https://crm.test/v1?api_key=a&token=5: timed out after 2 s, password=x y"),
        "GET https://crm.test/v1?api_key=[redacted]&token=[redacted] timed out after 2 s, password=[redacted]"
    );
    assert_eq!(
        text("see https://crm.test/problems/out-of-credit"),
        "see https://crm.test/problems/out-of-credit"
    );
}

#[test]
fn a_url_in_the_query_of_another_one_shows_neither() {
    for (given, shown) in [
        ("/cb?code=SECRET&next=https://shop.test/", "/cb?code=[redacted]&next=[redacted]"),
        ("/a/9?n=https://shop.test/b/7", "/a/[redacted]?n=[redacted]"),
        ("cb?code=SECRET#https://shop.test/", "cb?code=[redacted]#[redacted]"),
        ("https://shop.test/a/9?code=SECRET", "https://shop.test/a/[redacted]?code=[redacted]"),
        ("//shop.test/a?code=SECRET", "//shop.test/a?code=[redacted]"),
    ] {
        assert_eq!(header("location", given), shown);
    }
    let told = "went to /cb?code=SECRET&next=https://shop.test/ twice";
    assert_eq!(text(told), "went to /cb?code=[redacted]&next=[redacted] twice");
}

#[test]
fn json_keeps_its_shape() {
    assert_eq!(
        body(
            "application/json",
            r#"{"code":"bad","user":{"id":7,"email":"a@b.c","cardNumber":[1,2]},"pin":12,"ok":true}"#
        ),
        r#"{"code":"bad","user":{"id":7,"email":"[redacted]","cardNumber":"[redacted]"},"pin":"[redacted]","ok":true}"#
    );
    assert_eq!(
        body(
            "application/problem+json",
            r#"{"type":"https://p.test/no-credit","detail":"for ada@crm.test","n":4242424242424242}"#
        ),
        r#"{"type":"https://p.test/no-credit","detail":"for [redacted]","n":"[redacted]"}"#
    );
    assert_eq!(
        body(
            "application/json",
            r#"[{"value":"x1","field":"password"},{"field":"amount","value":"9"}]"#
        ),
        r#"[{"value":"[redacted]","field":"password"},{"field":"amount","value":"9"}]"#
    );
    assert_eq!(
        body("application/json", r#"{"name":"Ada","a":{"name":"first_name"},"b":{"key":"k-1_x"}}"#),
        r#"{"name":"[redacted]","a":{"name":"first_name"},"b":{"key":"[redacted]"}}"#
    );
    assert_eq!(
        body("application/json", r#"{"name":{"first":"Ada"},"\u0070in":"1234"}"#),
        r#"{"name":"[redacted]","\u0070in":"[redacted]"}"#
    );
    assert_eq!(
        body("application/json", r#"{"raw":"{\"password\":\"hunter2\",\"ok\":1}"}"#),
        r#"{"raw":"{\"password\":\"[redacted]\",\"ok\":1}"}"#
    );
    assert_eq!(
        body("application/json", "{\"a\":1}\n{\"token\":2}"),
        "{\"a\":1}\n{\"token\":\"[redacted]\"}"
    );
}

#[test]
fn spaces_that_json_does_not_know_hold_nobody_up() {
    for space in ["\u{a0}", "\u{2003}", "\u{2028}", "\u{3000}", "\u{feff}", "é"] {
        let inside = format!("{{\"address\":{{\n{space}{space}\"street\":\"x\"}},\"n\":{space}1}}");
        let shown = body("application/json", &inside);
        assert!(shown.starts_with(r#"{"address":"#) && !shown.contains("street"), "{shown}");
    }
}

#[test]
fn a_value_goes_with_all_that_is_inside_if_its_name_is_secret() {
    for (given, shown) in [
        (
            r#"[{"op":"add","path":"/user/password","value":{"x":["HUNTER2"]}},{"n":[5]}]"#,
            r#"[{"op":"add","path":"/user/password","value":"[redacted]"},{"n":[5]}]"#,
        ),
        (
            r#"{"value":["HUNTER2",{"x":"HUNTER2"}],"field":"password"}"#,
            r#"{"value":"[redacted]","field":"password"}"#,
        ),
        (
            r#"{"field":"password","data":{"x":"HUNTER2"}}"#,
            r#"{"field":"password","data":"[redacted]"}"#,
        ),
        (
            r#"{"path":["user","password"],"received":"HUNTER2"}"#,
            r#"{"path":["user","password"],"received":"[redacted]"}"#,
        ),
        (r#"{"field":"amount","value":{"x":[5]}}"#, r#"{"field":"amount","value":{"x":[5]}}"#),
    ] {
        assert_eq!(body("application/json", given), shown);
        for at in 0..given.len() {
            let cut = Kept::cut(&given.as_bytes()[..at], 9_999);
            let shown = standard().body(&of_type("application/json"), &cut).unwrap_or_default();
            assert!(!shown.contains("HUNT"), "{shown}");
        }
    }
    let envelope = Kept::cut(r#"{"data":{"id":7,"code":"bad","mor"#, 9_999);
    let shown = standard().body(&of_type("application/json"), &envelope);
    assert_eq!(shown.as_deref(), Some(r#"{"data":{"id":7,"code":"bad","[redacted]""#));
}

#[test]
fn what_is_cut_loses_its_end() {
    let cut = |media: &str, text: &str| {
        standard().body(&of_type(media), &Kept::cut(text, 9_999)).unwrap_or_default()
    };
    let card = r#"{"code":"bad","note":"4242 4242 42"#;
    assert_eq!(cut("application/json", card), r#"{"code":"bad","note":"[redacted]""#);
    assert_eq!(cut("application/json", r#"{"n":42424242"#), r#"{"n":"[redacted]""#);
    assert_eq!(
        cut("application/json", r#"{"a":1,"user":{"password":{"x":1"#),
        r#"{"a":1,"user":{"password":"[redacted]""#
    );
    assert_eq!(
        cut("application/json", r#"{"value":"x1","field":"pass"#),
        r#"{"value":"[redacted]","field":"[redacted]""#
    );
    assert_eq!(cut("text/plain", "sent to 4242 4242 42"), "sent to[redacted]");
    assert_eq!(cut("text/plain", "sent to ada.love"), "sent to[redacted]");
    assert_eq!(cut("application/x-www-form-urlencoded", "a=1&b=42424"), "a=1&b=[redacted]");
    let lying = cut("application/json", r#"{"a":1,,"password":"hun"#);
    assert!(!lying.contains("hun"), "{lying}");
}

#[test]
fn forms_and_parts_are_redacted_by_name() {
    assert_eq!(
        body(
            "application/x-www-form-urlencoded",
            "amount=7&card%5Bcvc%5D=123&note=ada%40crm.test&x"
        ),
        "amount=7&card%5Bcvc%5D=[redacted]&note=[redacted]&[redacted]"
    );
    let parts = "--b\r\ncontent-disposition: form-data; name=\"amount\"\r\n\r\n7\r\n--b\r\n\
        Content-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\n\
        content-disposition: form-data; name=\"cv\"; filename=\"ada.txt\"\r\n\r\nfile text\r\n--b--\r\n";
    let shown = "amount: 7\npassword: [redacted]\ncv: [11 bytes]\n";
    assert_eq!(body("multipart/form-data; boundary=b", parts), shown);
    assert_eq!(body("text/plain", parts), shown, "whatever it calls itself");
    assert_eq!(body("multipart/form-data", parts), shown);
    assert_eq!(body("multipart/form-data; boundary=other", parts), "");
    let other_case = parts.replace("filename", "FileName");
    assert_eq!(body("multipart/form-data; boundary=b", &other_case), shown);
}

#[test]
fn a_boundary_that_can_be_none_is_found_in_the_body() {
    let part = "--b\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n5\r\n--b--\r\n";
    for boundary in ["", &"-".repeat(71)] {
        assert_eq!(body(&format!("multipart/form-data; boundary=\"{boundary}\""), part), "n: 5\n");
    }
}

#[test]
fn what_is_no_text_is_not_shown() {
    for media in ["application/octet-stream", "image/png", "application/grpc", "text/csv"] {
        assert_eq!(standard().body(&of_type(media), &Kept::whole("plain")), None, "{media}");
    }
    assert_eq!(standard().body(&of_type("text/plain"), &Kept::whole(*b"a\xffb")), None);
    assert_eq!(standard().body(&of_type("text/plain"), &Kept::whole(*b"p\0i\0n\0")), None);
    let mut packed = of_type("application/json");
    packed.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert_eq!(standard().body(&packed, &Kept::whole("{}")), None);
    let unsaid = standard().body(&HeaderMap::new(), &Kept::whole("down"));
    assert_eq!(unsaid.as_deref(), Some("down"));
}

#[test]
fn what_is_hidden_can_be_set() {
    let own = standard().also_field("loyalty_number").show_field("name");
    let own = own.also_header(HeaderName::from_static("x-plan"));
    let shown = own.body(
        &of_type("application/json"),
        &Kept::whole(r#"{"loyaltyNumber":7,"name":"Ada","token":"t"}"#),
    );
    assert_eq!(
        shown.unwrap(),
        r#"{"loyaltyNumber":"[redacted]","name":"Ada","token":"[redacted]"}"#
    );
    let plan = own.header(&HeaderName::from_static("x-plan"), &HeaderValue::from_static("gold"));
    assert_eq!(plan, "[redacted]");
}
