use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{document, duplicates, pointer, xml};

/// The seeds of a target, each as it is and cut at each byte.
fn seeds(target: &str, mut holds: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let seed = fs::read(entry.unwrap().path()).unwrap();
        (0..=seed.len()).for_each(|end| holds(&seed[..end]));
        count += 1;
    }
    assert!(count >= 3, "{target} has {count} seeds");
}

#[test]
fn all_readers_keep_their_promises_on_the_seeds_of_the_fuzzer() {
    let mut queries = 0;
    seeds("document", |seed| queries += usize::from(document(seed) == Some(true)));
    assert!(queries > 0);
    seeds("pointer", |seed| _ = pointer(seed));
    seeds("duplicates", |seed| _ = duplicates(seed));
    seeds("xml", |seed| _ = xml(seed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_document_is_read_by_its_rules(
        name in "[aA]?",
        text in "(query|mutation|fragment|subscription|on|[aA]|[{}()\\[\\]:@.$\"\\\\#,\n! 1-]){0,24}",
    ) {
        document(format!("{name}\n{text}").as_bytes());
    }

    #[test]
    fn a_place_is_found_by_its_rules(path in "(/(\\*|a|b|~1|0|\\*a)){0,4}", text in json()) {
        pointer(format!("{path}\n{text}").as_bytes());
    }

    #[test]
    fn members_that_are_there_twice_are_counted(text in json()) {
        prop_assert!(duplicates(text.as_bytes()).is_some());
    }

    #[test]
    fn xml_is_read_by_its_rules(
        text in "(<a>|<b>|</a>|</b>|<b/>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<a k='|'>|x|[<>/! ]){0,16}",
    ) {
        xml(format!("a b\n<a>{text}").as_bytes());
    }

    #[test]
    fn no_bytes_break_a_reader(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = (document(&bytes), pointer(&bytes), duplicates(&bytes), xml(&bytes));
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?[1-9][0-9]{0,2}",
        Just("null".to_owned()),
        Just("1e9".to_owned()),
        Just(r#"":\",{\\""#.to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = proptest::collection::vec(("(a|b|\\*|\\*a|/)", inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            members.prop_map(|members| {
                let text = members.iter().map(|(name, value)| format!("\"{name}\" : {value}"));
                format!("{{{}}}", text.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}
