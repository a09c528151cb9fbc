//! The page shows what is tested here.

use std::fs;
use std::path::Path;

/// What stands between `start` and `end`, each on a line of its own.
fn blocks(text: &str, start: &str, end: &str) -> Vec<String> {
    let (mut blocks, mut lines) = (Vec::new(), text.lines());
    while lines.by_ref().any(|line| line == start) {
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

fn recipes() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let texts =
        files.into_iter().flatten().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    texts.flat_map(|text| blocks(&text, "// recipe", "// end")).collect()
}

#[test]
fn the_page_shows_each_recipe_as_it_is_tested() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/guide/through_an_sdk.md");
    let mut shown = blocks(&fs::read_to_string(page).unwrap(), "```ignore", "```");
    let mut tested = recipes();
    shown.sort();
    tested.sort();
    assert!(tested.len() > 10, "only {} recipes", tested.len());
    assert_eq!(shown, tested);
}

#[test]
fn the_method_for_aws_shows_the_recipe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(root.join("../../src/integration/aws.rs")).unwrap();
    let shown = blocks(&source.replace("    /// ", "").replace("    ///", ""), "```ignore", "```");
    let tested = fs::read_to_string(root.join("tests/aws.rs")).unwrap();
    assert_eq!(shown, blocks(&tested, "// recipe", "// end"));
}

#[test]
fn the_page_names_each_version() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../src/guide/through_an_sdk.md")).unwrap();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let headings: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let named: Vec<_> = headings.iter().filter_map(|heading| heading.rsplit_once(' ')).collect();
    let named =
        named.iter().filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()));
    let mut count = 0;
    for (name, version) in named {
        let locked = format!("name = \"{name}\"\nversion = \"{version}");
        assert!(lock.contains(&locked), "Cargo.lock has no {name} {version}");
        count += 1;
    }
    assert_eq!(count, 10, "of {headings:?}");
}
