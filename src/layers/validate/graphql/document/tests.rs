use proptest::prelude::*;

use super::only_reads;

#[test]
fn a_query_is_one_in_every_form() {
    for document in [
        "{ me { name } }",
        "query { me }",
        "query Me($id: ID! = \"}\", $in: In = {a: [1, 2.5e-3]}) @cached(ttl: 60) { me(id: $id) { ...Name } } fragment Name on User { name }",
        "\u{feff}# mutation { a }\r\nquery{a}",
        "{ a(text: \"mutation { b }\") b(text: \"\"\"\n mutation { \"x\" \\\"\"\" } \"\"\") }",
        "query q { mutation subscription: fragment }",
        "fragment F on T { a } { ...F }",
        "{a,b,,c}",
    ] {
        assert!(only_reads(document, None), "{document}");
    }
}

#[test]
fn what_is_not_plainly_a_query_is_none() {
    for document in [
        "",
        "mutation { pay }",
        "mutation{pay}",
        "subscription { paid }",
        "{ a } mutation { pay }",
        "query { a } query { b }",
        "# query { a }\nmutation { pay }",
        "\"\"\" query { a } \"\"\" mutation { pay }",
        "{ a",
        "{ a } }",
        "{ a ) }",
        "query (",
        "query { a(text: \"\n\") }",
        "query { a(text: \"",
        "query { a(text: \"\\",
        "query { a(text: \"\"\" ) }",
        "Query { a }",
        "type Query { a: Int }",
        "extend type Query { a: Int }",
        "fragment F on T { a }",
        "query { ä }",
        "query",
        "query Me",
        "{}",
        "query { }",
        "{ a { } }",
        "{ {a} }",
        "{\"from\":\"2026\"}",
        "{ from: 2026 }",
        "{ a: $b }",
        "{ a: [b] }",
    ] {
        assert!(!only_reads(document, None), "{document}");
    }
}

#[test]
fn of_several_operations_the_named_one_counts() {
    let both = "query Read { a } mutation Write { b } query Other { c }";
    assert!(only_reads(both, Some("Read")) && only_reads(both, Some("Other")));
    assert!(!only_reads(both, Some("Write")) && !only_reads(both, Some("read")));
    assert!(!only_reads(both, None) && !only_reads(both, Some("")));
    // A server may take either.
    assert!(!only_reads("query A { a } mutation A { b }", Some("A")));
    assert!(!only_reads("{ a }", Some("A")));
}

/// A part of a selection, with everything that may look like an operation, or the end of one.
fn selection() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("mutation".to_owned()),
        Just("query: subscription".to_owned()),
        Just("...F".to_owned()),
        Just("# } mutation { a }\na".to_owned()),
        Just("b(s: \"} mutation { a } \\\" \\\\\")".to_owned()),
        Just("c(s: \"\"\"} mutation { a } \\\"\"\" \" \"\" \\ \"\"\")".to_owned()),
        Just("d(o: {a: [1, {b: \"]\"}], e: E}, n: -1.5e+3, v: $v)".to_owned()),
        Just("e @include(if: $v)".to_owned()),
        Just(", \t\r\n\u{feff}a".to_owned()),
        "[a-zA-Z_][a-zA-Z0-9_]{0,8}",
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let several = proptest::collection::vec(inner, 1..4);
        several.prop_map(|parts| format!("x {{ {} }}", parts.join(" ")))
    })
}

/// An object as a query of somebody else's language.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("1".to_owned()), Just("null".to_owned()), Just("\"a\"".to_owned())];
    let value = leaf.prop_recursive(3, 16, 3, |inner| {
        proptest::collection::vec(("[a-z]{1,3}", inner), 0..3).prop_map(|members| {
            let members = members.iter().map(|(name, value)| format!("\"{name}\": {value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        })
    });
    value.prop_map(|value| format!("{{\"q\": {value}}}"))
}

proptest! {
    #[test]
    fn a_generated_operation_is_what_its_keyword_says(
        keyword in prop_oneof![Just("query"), Just("mutation"), Just("subscription")],
        name in "[A-Z][a-z]{0,5}",
        variables in prop_oneof![Just(""), Just("($v: Boolean = true, $o: O = {a: \"}\"})")],
        body in selection(),
        before in prop_oneof![Just(""), Just("# query { a }\n"), Just("fragment F on T { a } ")],
    ) {
        let document = format!("{before}{keyword} {name}{variables} @d(a: {{}}) {{ {body}\n }}");
        prop_assert_eq!(only_reads(&document, None), keyword == "query");
        prop_assert_eq!(only_reads(&document, Some(&name)), keyword == "query");
        // Beside a mutation, it has to be named.
        let both = format!("{document} mutation {name}x {{ pay }}");
        prop_assert!(!only_reads(&both, None));
        prop_assert_eq!(only_reads(&both, Some(&name)), keyword == "query");
        let named = format!("{name}x");
        prop_assert!(!only_reads(&both, Some(&named)));
    }

    #[test]
    fn a_mutation_is_never_taken_for_a_query_whatever_is_cut_or_put_in(
        body in selection(),
        noise in "[{}()\\[\\]\"#\\\\ a\n]{0,4}",
        at in 0.0..1.0f64,
    ) {
        let mut document = format!("mutation Pay {{ {body}\n }}");
        let at = document.char_indices().map(|(at, _)| at).nth((document.chars().count() as f64 * at) as usize);
        let at = at.unwrap_or(0).max("mutation ".len());
        if document.is_char_boundary(at) {
            document.insert_str(at, &noise);
        }
        prop_assert!(!only_reads(&document, Some("Pay")));
    }

    #[test]
    fn nothing_breaks_it(document in ".{0,200}", name in proptest::option::of(".{0,5}")) {
        let _ = only_reads(&document, name.as_deref());
    }

    #[test]
    fn json_is_no_query(json in json()) {
        prop_assert!(!only_reads(&json, None), "{}", json);
    }
}

#[test]
fn a_hostile_document_is_read_once() {
    let began = crate::rt::now();
    let deep = "{".repeat(1 << 20);
    let quotes = format!("{{ a(s: \"{} }}", "\\\"".repeat(1 << 19));
    let blocks = format!("{{ a(s: \"\"\"{} }}", "\"\"\\\"\"\"".repeat(1 << 17));
    let comments = "#\n".repeat(1 << 19);
    for document in [&deep, &quotes, &blocks, &comments] {
        assert!(!only_reads(document, None));
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
}
