#![no_main]

use apollo_parser::Parser;
use apollo_parser::cst::{CstNode, Definition, OperationDefinition};
use libfuzzer_sys::fuzz_target;
use outrigger::validate::fuzzing;

// What is taken for a query is one to a whole parser, too, if it can read it.
fuzz_target!(|bytes: &[u8]| {
    if fuzzing::document(bytes) != Some(true) {
        return;
    }
    let text = std::str::from_utf8(bytes).unwrap();
    let (name, document) = text.split_once('\n').unwrap();
    let tree = Parser::new(document).parse();
    if tree.errors().len() > 0 {
        return;
    }
    let operations = tree.document().definitions().filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    });
    let is_meant = |operation: &OperationDefinition| {
        name.is_empty() || operation.name().is_some_and(|found| found.text() == name)
    };
    let meant: Vec<_> = operations.filter(is_meant).collect();
    assert_eq!(meant.len(), 1, "{document}");
    let keyword = meant[0].operation_type();
    let is_query = keyword.is_none_or(|keyword| keyword.query_token().is_some());
    assert!(is_query, "{}", meant[0].source_string());
});
