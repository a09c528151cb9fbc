//! The rules of the module tree, read from `src/`: what may import what, and how many entries it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Imports that break a rule for a reason: file, what it imports, why.
const EXCEPTIONS: [(&str, &str, &str); 1] =
    [("src/body/mod.rs", "replay", "`outrigger::body::ReplayBody` is a public path")];
/// How many entries `src/` may have, so that one look at it shows the design.
const MOST_ENTRIES: usize = 26;

/// What a file imports, or names by its full path.
struct Import {
    file: String,
    line: usize,
    /// The path of the module that it is in.
    from: Vec<String>,
    /// The path of what is imported, from the crate's root.
    to: Vec<String>,
}

/// The crate's root: its modules in order, and what it re-exports.
struct Root {
    modules: Vec<String>,
    /// The path that a name at the root stands for.
    names: BTreeMap<String, Vec<String>>,
}

#[test]
fn every_import_keeps_the_rules() {
    let (root, sources) = (Root::read(), sources());
    let imports = sources.iter().flat_map(|(file, text)| imports(file, text, &root));
    let (mut broken, mut unused) = (Vec::new(), EXCEPTIONS.to_vec());
    for (import, rule) in imports.filter_map(|import| root.broken_by(&import).map(|r| (import, r)))
    {
        let is_this = |file: &str, to: &str| import.file == file && import.to[0] == to;
        unused.retain(|(file, to, _)| !is_this(file, to));
        if !EXCEPTIONS.iter().any(|(file, to, _)| is_this(file, to)) {
            broken.push(rule);
        }
    }
    broken.extend(unused.iter().map(|(file, to, _)| {
        format!(
            "{file} keeps the rules about `{to}`: take it off the exceptions in tests/house.rs."
        )
    }));
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn one_look_at_src_shows_the_design() {
    let entries = fs::read_dir("src").unwrap().count();
    assert!(
        entries <= MOST_ENTRIES,
        "src/ has {entries} entries, but may have at most {MOST_ENTRIES}: give the new one a place in a folder.",
    );
}

#[test]
fn a_rule_that_is_broken_is_found_and_one_that_is_kept_is_not() {
    let root = Root::read();
    let rules = |file: &str, text: &str| -> Vec<String> {
        imports(file, text, &root).iter().filter_map(|import| root.broken_by(import)).collect()
    };
    let retry = "src/layers/retry/state.rs";
    let hop = "src/transport/hop.rs";
    for (file, text, part) in [
        ("src/rt/rng.rs", "\nuse crate::event::Event;", "rng.rs:2 imports `event`"),
        ("src/rt/rng.rs", "use crate::{\nrt,\nevent::Event};", "rng.rs:3 imports `event`"),
        ("src/rt/rng.rs", "use super::super::event::Event;", "rng.rs:1 imports `event`"),
        ("src/rt/rng.rs", "fn f(_: crate::Error) {}", "rng.rs:1 imports `outcome`"),
        (retry, "use crate::hedge::Hedge;", "state.rs:1 imports the layer `hedge`"),
        (retry, "use crate::layers::hedge::Hedge;", "the layer `hedge`"),
        (retry, "use super::super::hedge::Hedge;", "the layer `hedge`"),
        (hop, "fn f(_: crate::timeout::Body) {}", "hop.rs:1 names the layer `timeout`"),
        (hop, "use crate::layers::timeout::Body;", "the layer `timeout`"),
    ] {
        let found = rules(file, text);
        assert!(found.len() == 1 && found[0].contains(part), "{text:?} of {file}: {found:?}");
    }
    for (file, text) in [
        ("src/rt/rng.rs", "/// [An error](crate::Error)\n// crate::event\n"),
        ("src/rt/rng.rs", "#[cfg(test)]\nmod tests {\n    use crate::event::Event;\n}\n"),
        (retry, "use crate::retry::Retry;\nuse super::budget::Budget;"),
        (hop, "use super::hyper::Pool;\nuse crate::event::Event;"),
    ] {
        assert_eq!(rules(file, text), [""; 0], "{text:?} of {file}");
    }
}

// === impl Root ===

impl Root {
    fn read() -> Self {
        let text = code(&fs::read_to_string("src/lib.rs").unwrap());
        let (mut modules, mut names) = (Vec::new(), BTreeMap::new());
        for line in text.lines() {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            if let Some(module) = line.strip_prefix("mod ") {
                modules.push(first_word(module).to_owned());
            }
        }
        for (at, _) in text.match_indices("pub use ") {
            for (_, path) in tree(&text, at + "pub use ".len()) {
                names.insert(path.last().unwrap().clone(), path);
            }
        }
        assert!(modules.len() > 10 && names.contains_key("Error"), "src/lib.rs is read wrongly");
        Self { modules, names }
    }

    /// The path to what is meant, if it leads to a module.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let to = match self.names.get(first) {
            Some(known) => [known, &path[1..]].concat(),
            None => path.to_vec(),
        };
        self.place(&to[0]).map(|_| to)
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|known| known == module)
    }

    /// The rule that an import breaks, in a sentence.
    fn broken_by(&self, import: &Import) -> Option<String> {
        let (from, to) = (import.from.first()?, &import.to[0]);
        let at = format!("{}:{}", import.file, import.line);
        let layer = import.to.get(1).filter(|_| to == "layers");
        if let Some(layer) = layer.filter(|layer| import.from.get(1) != Some(layer)) {
            match from.as_str() {
                "layers" => {
                    return Some(format!(
                        "{at} imports the layer `{layer}`, but no layer may know another."
                    ));
                }
                "transport" => {
                    return Some(format!(
                        "{at} names the layer `{layer}`, but the transport may know none."
                    ));
                }
                _ => {}
            }
        }
        let is_above = self.place(from) < self.place(to);
        is_above.then(|| format!(
            "{at} imports `{to}`, but `{from}` stands above it in src/lib.rs, and a module may import only from those above it.",
        ))
    }
}

// === Reading ===

/// Every file of the library but its tests, and what is in it.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap();
            if name == "tests" || path == Path::new("src/lib.rs") {
                continue;
            }
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.to_str().unwrap().replace('\\', "/"), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    found.sort();
    assert!(found.len() > 100, "only {} files were read", found.len());
    found
}

/// What a file imports from elsewhere in the crate.
fn imports(file: &str, text: &str, root: &Root) -> Vec<Import> {
    let (text, from) = (code(text), module_of(file));
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            // A part of a name, or one of several steps up.
            if before.is_some_and(|sign| sign.is_alphanumeric() || "_:".contains(sign)) {
                continue;
            }
            for (place, path) in tree(&text, at) {
                let steps_up = path.iter().take_while(|step| *step == "super").count();
                let base = if path[0] == "crate" { 0 } else { from.len().saturating_sub(steps_up) };
                let steps = path.iter().filter(|step| !["crate", "super"].contains(&step.as_str()));
                let path: Vec<_> = from[..base].iter().chain(steps).cloned().collect();
                if let Some(to) = root.resolve(&path) {
                    let line = text[..place].lines().count().max(1);
                    found.push(Import { file: file.to_owned(), line, from: from.clone(), to });
                }
            }
        }
    }
    found
}

/// The text without comments and without what is for tests alone, line by line.
fn code(text: &str) -> String {
    let (mut code, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.trim() == "#[cfg(test)]" {
            // As it is formatted, an item ends by a semicolon or by a brace that stands as far in.
            let end = format!("{indent}}}");
            code.push('\n');
            for skipped in lines.by_ref() {
                code.push('\n');
                if skipped == end
                    || (skipped.ends_with(';')
                        && skipped.starts_with(indent)
                        && !skipped[indent.len()..].starts_with(' '))
                {
                    break;
                }
            }
            continue;
        }
        code.push_str(if line.trim_start().starts_with("//") { "" } else { line });
        code.push('\n');
    }
    code
}

/// The module that a file is.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// All paths of a tree such as `a::{b, c::d}`, each with where its own part begins.
fn tree(text: &str, at: usize) -> Vec<(usize, Vec<String>)> {
    let (mut steps, mut at) = (Vec::new(), at);
    loop {
        let name = first_word(&text[at..]);
        if name.is_empty() {
            break;
        }
        steps.push((at, name.to_owned()));
        at += name.len();
        if !text[at..].starts_with("::") {
            break;
        }
        at += "::".len();
    }
    let own: Vec<_> = steps.iter().map(|(_, name)| name.clone()).collect();
    if !text[at..].starts_with('{') {
        return steps.last().map(|(place, _)| (*place, own)).into_iter().collect();
    }
    let mut found = Vec::new();
    for start in branches(text, at) {
        found.extend(
            tree(text, start)
                .into_iter()
                .map(|(place, path)| (place, [own.clone(), path].concat())),
        );
    }
    found
}

/// Where the branches begin of the group whose brace is here.
fn branches(text: &str, brace: usize) -> Vec<usize> {
    let (mut depth, mut starts, mut is_next) = (0, Vec::new(), false);
    for (offset, sign) in text[brace..].char_indices() {
        match sign {
            '{' => (depth, is_next) = (depth + 1, depth == 0),
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => is_next = true,
            sign if is_next && !sign.is_whitespace() => {
                starts.push(brace + offset);
                is_next = false;
            }
            _ => {}
        }
    }
    starts
}

fn first_word(text: &str) -> &str {
    let end = text.find(|sign: char| !sign.is_alphanumeric() && sign != '_');
    &text[..end.unwrap_or(text.len())]
}
