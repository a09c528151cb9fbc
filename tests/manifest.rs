//! What the manifest promises of the toolchain.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

/// The whole graph, of all features and platforms.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// `1.88`, `1.88.0`: as numbers that can be compared.
fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().expect("a number")).collect();
    parts.resize(3, 0);
    parts
}

/// All that a user compiles with us: neither what only tests need nor what only this crate's build does.
fn compiled_by_users<'a>(nodes: &HashMap<&'a str, &'a Value>, root: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut next) = (BTreeSet::new(), vec![root]);
    while let Some(id) = next.pop() {
        if !found.insert(id) {
            continue;
        }
        let dependencies = nodes[id]["deps"].as_array().expect("a list");
        next.extend(
            dependencies.iter().filter(|one| is_for_users(one)).map(|one| text(&one["pkg"])),
        );
    }
    found
}

fn is_for_users(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array().expect("a list");
    kinds.iter().any(|kind| kind["kind"] != "dev")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_say() {
    let metadata = metadata();
    let list =
        |value: &'static str| metadata.pointer(value).and_then(Value::as_array).expect(value);
    let nodes = list("/resolve/nodes").iter().map(|node| (text(&node["id"]), node)).collect();
    let compiled = compiled_by_users(&nodes, text(&metadata["resolve"]["root"]));
    assert!(compiled.len() > 50, "only {} packages were looked at", compiled.len());
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    let packages = list("/packages").iter().filter(|one| compiled.contains(text(&one["id"])));
    let newer: Vec<_> = packages
        .filter(|one| one["rust_version"].as_str().is_some_and(|needed| version(needed) > ours))
        .map(|one| format!("{} needs Rust {}", text(&one["name"]), text(&one["rust_version"])))
        .collect();
    assert!(newer.is_empty(), "older versions of these, or a newer `rust-version`: {newer:?}");
}
