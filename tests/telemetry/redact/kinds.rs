//! Kinds of bodies, each with its own way to say what a value is.

use super::{body, text};

#[test]
fn a_pair_of_texts_is_a_name_and_its_value() {
    for (given, shown) in [
        (
            r#"{"headers":[["authorization","HUNTER2"],["accept","a/b"]]}"#,
            r#"{"headers":[["authorization","[redacted]"],["accept","a/b"]]}"#,
        ),
        (
            r#"[["x\u002dapi-key","HUNTER2"],["n",5]]"#,
            r#"[["x\u002dapi-key","[redacted]"],["n",5]]"#,
        ),
        (r#"{"missing":["token","amount"]}"#, r#"{"missing":["token","amount"]}"#),
    ] {
        assert_eq!(body("application/json", given), shown);
    }
}

#[test]
fn what_another_field_names_is_secret_by_any_of_its_names() {
    for given in [
        r#"{"propertyName":"Password","attemptedValue":"HUNTER2"}"#,
        r#"{"property_name":"password","current-value":"HUNTER2"}"#,
        r#"{"k":"apiKey","v":"HUNTER2"}"#,
        r#"{"loc":["body","password"],"got":"HUNTER2"}"#,
    ] {
        let shown = body("application/json", given);
        assert!(!shown.contains("HUNTER2"), "{shown}");
    }
    let amount = r#"{"propertyName":"amount","attemptedValue":"1200"}"#;
    assert_eq!(body("application/json", amount), amount);
}

#[test]
fn a_form_tells_by_its_other_fields() {
    let form = |given| body("application/x-www-form-urlencoded", given);
    for (given, shown) in [
        ("field=password&value=HUNTER2&n=5", "field=password&value=[redacted]&n=5"),
        ("value=HUNTER2&n=5&key=api%5Fkey", "value=[redacted]&n=5&key=[redacted]"),
        ("field=amount&value=1200", "field=amount&value=1200"),
        (
            "grant_type=authorization_code&code=HUNTER2",
            "grant_type=authorization_code&code=[redacted]",
        ),
        ("code=51&message=declined", "code=51&message=declined"),
    ] {
        assert_eq!(form(given), shown);
    }
}

#[test]
fn an_element_tells_what_the_next_one_holds() {
    for (given, shown) in [
        (
            "<e><key>password</key><value>HUNTER2</value></e><n>5</n>",
            "<e><key[redacted]</key><value[redacted]</value></e><n>5</n>",
        ),
        (
            "<param><label>pin</label><kind>x</kind><value><int>7</int></value><n>5</n></param>",
            "<param><label>pin</label><kind>x</kind><value[redacted]</value><n>5</n></param>",
        ),
        (
            "<dict><key>token</key>\n<string>HUNTER2</string></dict>",
            "<dict><key[redacted]</key>\n<string[redacted]</string></dict>",
        ),
        ("<field>amount</field><value>1200</value>", "<field>amount</field><value>1200</value>"),
        (
            "<field>pin</field><value>1</value><field>n</field><value>5</value>",
            "<field>pin</field><value[redacted]</value><field>n</field><value>5</value>",
        ),
    ] {
        assert_eq!(body("application/xml", given), shown);
    }
}

#[test]
fn a_part_is_named_as_its_reader_names_it() {
    for (head, shown) in [
        ("name=\"p%61ssword\"", "p%61ssword: [redacted]\n"),
        ("x=\"a;name=n;\"; name=\"password\"", "password: [redacted]\n"),
        ("name=\"x;y\"", "x;y: HUNTER2\n"),
        ("name=\"x\"\r\ncontent-transfer-encoding: base64", "x: [9 bytes]\n"),
    ] {
        let head = format!("content-disposition: form-data; {head}");
        let parts = format!("--b\r\n{head}\r\n\r\nHUNTER2\r\n--b--\r\n");
        assert_eq!(body("multipart/form-data; boundary=b", &parts), shown);
    }
}

#[test]
fn lines_that_stand_further_in_belong_to_their_name() {
    for (given, shown) in [
        (
            "db:\n  password: |\n    HUNTER2\n\n    HUNTER2\n  host: db7\n",
            "db:\n  password: |\n[redacted]\n  host: db7\n",
        ),
        ("token: >-\n  HUNTER2\n  HUNTER2", "token: >-\n[redacted]"),
        ("note: |\n  five\n", "note: |\n  five\n"),
        ("token: | HUNTER2\nn: 5", "token: [redacted]\nn: 5"),
    ] {
        assert_eq!(text(given), shown);
    }
    assert_eq!(text("password\u{ff1a}HUNTER2"), "password\u{ff1a}[redacted]");
}
