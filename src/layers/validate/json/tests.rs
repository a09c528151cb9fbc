use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{duplicates, is_json, read};

/// Objects as text, with names that may be there twice.
fn object() -> impl Strategy<Value = (String, usize)> {
    let leaf = prop_oneof![
        Just(("1".to_owned(), 0)),
        Just((r#"":\":{}[],""#.to_owned(), 0)),
        Just(("[]".to_owned(), 0)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![Just("a"), Just("b"), Just("a:\\\"b")];
        proptest::collection::vec((name, inner), 0..4).prop_map(|members| {
            let text: Vec<_> =
                members.iter().map(|(name, (value, _))| format!("\"{name}\" : {value}")).collect();
            let all = members.iter().map(|(_, (_, all))| all + 1).sum();
            (format!("{{{}}}", text.join(",")), all)
        })
    })
}

proptest! {
    #[test]
    fn what_is_not_in_the_value_was_overwritten((text, all) in object()) {
        let value = read(text.as_bytes()).unwrap();
        prop_assert_eq!(duplicates(text.as_bytes(), &value), all - super::members(&value));
        // Written again, nothing is there twice.
        let again = value.to_string();
        prop_assert_eq!(duplicates(again.as_bytes(), &value), 0);
    }

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = (read(&bytes), duplicates(&bytes, &Value::Object(Map::new())));
    }
}

#[test]
fn what_is_json_by_its_grammar_alone_is_no_failure() {
    for text in
        [r#""\ud83d""#, "1e999", &format!("{}{}", "[".repeat(200), "]".repeat(200)), "\u{feff}1"]
    {
        assert!(is_json(text.as_bytes()), "{text}");
    }
    assert!(is_json(b"\"Jos\xe9\""));
    for text in ["", "{", "<html>", "[1,]", "1 2"] {
        assert!(!is_json(text.as_bytes()), "{text}");
    }
}
