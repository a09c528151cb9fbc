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

/// This package, as the manifest describes it.
fn ours(metadata: &Value) -> &Value {
    let root = &metadata["resolve"]["root"];
    let packages = metadata["packages"].as_array().expect("a list");
    packages.iter().find(|one| one["id"] == *root).expect("the root is one of them")
}

#[test]
fn the_documentation_names_the_feature_of_each_item_that_needs_one() {
    let metadata = metadata();
    let built = &ours(&metadata)["metadata"]["docs"]["rs"];
    assert_eq!(built["all-features"], true);
    assert_eq!(built["rustdoc-args"], serde_json::json!(["--cfg", "docsrs"]));
    let root = include_str!("../src/lib.rs");
    assert!(root.contains("#![cfg_attr(docsrs, feature(doc_cfg))]"));
}

#[test]
fn the_readme_names_the_public_dependencies_as_the_manifest_has_them() {
    let metadata = metadata();
    let dependencies = ours(&metadata)["dependencies"].as_array().expect("a list");
    let readme = include_str!("../README.md");
    let (_, named) = readme.split_once("Public dependencies: ").expect("the README names them");
    let (named, _) = named.split_once("\n\n").expect("a paragraph ends");
    let parts: Vec<_> = named.split('`').collect();
    let version_in = |text: &str| {
        let words = text.split_whitespace().map(|word| word.trim_end_matches([',', ';', '.', ':']));
        words.map(str::to_owned).find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
    };
    let mut compared = 0;
    for (at, name) in parts.iter().enumerate().skip(1).step_by(2) {
        // "`tower-service` and `tower-layer` 0.3": the next version is that of both.
        let after = parts[at + 1..].iter().step_by(2).find_map(|text| version_in(text));
        let after = after.unwrap_or_else(|| panic!("{name} has no version"));
        for known in dependencies.iter().filter(|one| one["kind"].is_null() && one["name"] == *name)
        {
            let asked = text(&known["req"]).trim_start_matches('^');
            let is_same = asked.split('.').zip(after.split('.')).all(|(asked, said)| asked == said);
            assert!(is_same, "the README says {name} {after}, the manifest {asked}");
            compared += 1;
        }
    }
    assert!(compared >= 10, "only {compared} of them were compared");
}

#[test]
fn the_readme_has_every_example_in_its_index_and_stays_short() {
    let metadata = metadata();
    let targets = ours(&metadata)["targets"].as_array().expect("a list");
    let examples: Vec<_> = targets.iter().filter(|one| one["kind"][0] == "example").collect();
    assert!(examples.len() > 20, "only {} examples were found", examples.len());
    let readme = include_str!("../README.md");
    for example in examples {
        let name = text(&example["name"]);
        assert!(
            readme.contains(&format!("[{name}](examples/{name}")),
            "{name} isn't in the README"
        );
    }
    assert!(readme.lines().count() < 250, "{} lines", readme.lines().count());
}
