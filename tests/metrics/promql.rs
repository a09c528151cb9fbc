//! What a PromQL expression asks for, as far as names and labels go.

use std::iter::Peekable;
use std::str::Chars;

/// One question: a metric, or the labels of a `by (…)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The metric; none for labels that stand by themselves.
    pub(crate) metric: Option<String>,
    /// Labels, and the values that they are compared with.
    pub(crate) labels: Vec<(String, Vec<String>)>,
}

/// Everything that is asked for.
pub(crate) fn asked(expression: &str) -> Vec<Asked> {
    let (mut chars, mut found) = (expression.chars().peekable(), Vec::<Asked>::new());
    while let Some(&next) = chars.peek() {
        match next {
            '"' => drop(quoted(&mut chars)),
            '[' => while chars.next().is_some_and(|char| char != ']') {},
            '{' => {
                let labels = matchers(&mut chars);
                found.last_mut().expect("a metric before its labels").labels = labels;
            }
            _ if next.is_ascii_digit() => drop(word(&mut chars)),
            _ if is_part_of_a_word(next) => found.extend(name(&mut chars)),
            _ => drop(chars.next()),
        }
    }
    found
}

/// A metric, a function (nothing), an operator (nothing), or an operator with labels.
fn name(chars: &mut Peekable<Chars<'_>>) -> Option<Asked> {
    let word = word(chars);
    skip_spaces(chars);
    let opens = chars.peek() == Some(&'(');
    match word.as_str() {
        "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" if opens => {
            let list: String = chars.by_ref().skip(1).take_while(|char| *char != ')').collect();
            let labels = list.split(',').map(str::trim).filter(|label| !label.is_empty());
            let labels = labels.map(|label| (label.to_owned(), Vec::new())).collect();
            Some(Asked { metric: None, labels })
        }
        "and" | "or" | "unless" | "bool" | "offset" => None,
        "sum" | "min" | "max" | "avg" | "count" | "topk" => None,
        _ if opens => None,
        _ => Some(Asked { metric: Some(word), labels: Vec::new() }),
    }
}

/// `{label="value",other=~"one|two"}`
fn matchers(chars: &mut Peekable<Chars<'_>>) -> Vec<(String, Vec<String>)> {
    let mut labels = Vec::new();
    chars.next();
    while let Some(&next) = chars.peek() {
        match next {
            '}' => {
                chars.next();
                break;
            }
            _ if is_part_of_a_word(next) => {
                let label = word(chars);
                while chars.next_if(|char| *char != '"').is_some() {}
                let value = quoted(chars);
                labels.push((label, value.split('|').map(str::to_owned).collect()));
            }
            _ => drop(chars.next()),
        }
    }
    labels
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> String {
    chars.skip(1).take_while(|char| *char != '"').collect()
}

fn word(chars: &mut Peekable<Chars<'_>>) -> String {
    std::iter::from_fn(|| chars.next_if(|char| is_part_of_a_word(*char) || *char == '.')).collect()
}

fn skip_spaces(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|char| char.is_whitespace()).is_some() {}
}

fn is_part_of_a_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == ':'
}

#[test]
fn metrics_and_labels_are_found_and_functions_are_not() {
    let found = asked(
        r#"sum by (a, le) (rate(x_total{b=~"one|two", c!=""}[5m])) / on (d) group_left () y{} > 1.5e3
           and label:z:5m unless max_over_time(w[1h] offset 10m)"#,
    );
    let text = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let by = |labels: &[&str]| Asked {
        metric: None,
        labels: text(labels).into_iter().map(|label| (label, Vec::new())).collect(),
    };
    let metric = |name: &str| Asked { metric: Some(name.to_owned()), labels: Vec::new() };
    let x = Asked {
        labels: vec![("b".to_owned(), text(&["one", "two"])), ("c".to_owned(), text(&[""]))],
        ..metric("x_total")
    };
    let rest = [by(&["d"]), by(&[]), metric("y"), metric("label:z:5m"), metric("w")];
    let expected: Vec<_> = [by(&["a", "le"]), x].into_iter().chain(rest).collect();
    assert_eq!(found, expected);
}
