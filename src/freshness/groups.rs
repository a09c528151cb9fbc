use http::HeaderMap;
use http::header::HeaderName;

/// The strings of a field that is a list of strings (RFC 9651, 3.1), as the fields of RFC 9875 are. None if
/// it isn't one. Parameters are ignored.
pub(crate) fn strings(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let lines = headers.get_all(name).into_iter().map(|line| line.to_str().unwrap_or("?"));
    let field = lines.collect::<Vec<_>>().join(",");
    parsed(&field).unwrap_or_default()
}

fn parsed(field: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = field.trim_matches(' ');
    while !rest.is_empty() {
        let (string, after) = string(rest)?;
        found.push(string);
        let after = parameters(after)?.trim_start_matches(BLANK);
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(',')?.trim_start_matches(BLANK);
        if rest.is_empty() {
            // A comma with nothing behind it.
            return None;
        }
    }
    Some(found)
}

/// A string in quotes, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut signs = text.strip_prefix('"')?.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((string, &text[at + 2..])),
            '\\' => match signs.next() {
                Some((_, quoted @ ('"' | '\\'))) => string.push(quoted),
                _ => return None,
            },
            ' '..='~' => string.push(sign),
            _ => return None,
        }
    }
    None
}

/// What follows the parameters. What they say is of no meaning here.
fn parameters(mut text: &str) -> Option<&str> {
    while let Some(parameter) = text.strip_prefix(';') {
        let parameter = parameter.trim_start_matches(' ');
        let rest = parameter.trim_start_matches(is_of_a_key);
        if rest.len() == parameter.len() {
            return None;
        }
        text = match rest.strip_prefix('=') {
            None => rest,
            Some(quoted) if quoted.starts_with('"') => string(quoted)?.1,
            Some(bare) => bare.trim_start_matches(|sign| !" \t;,".contains(sign)),
        };
    }
    Some(text)
}

fn is_of_a_key(sign: char) -> bool {
    sign.is_ascii_lowercase() || sign.is_ascii_digit() || "_-.*".contains(sign)
}

/// The blanks around a list's commas.
const BLANK: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_is_a_list_of_strings_or_nothing() {
        let list = |field| parsed(field).map(|found| found.join("|"));
        for (field, found) in [
            ("\"rates\"", "rates"),
            ("\"rates\", \"eur\"", "rates|eur"),
            (" \"a\" ,\t\"b, c\";x=1;y=\",\\\"\";z ,\"\"", "a|b, c|"),
            ("\"a \\\"quoted\\\" \\\\\"", "a \"quoted\" \\"),
            ("", ""),
        ] {
            assert_eq!(list(field).as_deref(), Some(found), "{field}");
        }
        for wrong in
            ["rates", "\"a", "\"a\" \"b\"", "\"a\",", "\"\\a\"", "\"\u{e9}\"", "1", "\"a\";"]
        {
            assert_eq!(list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let name = HeaderName::from_static("cache-groups");
        let mut headers = HeaderMap::new();
        assert!(strings(&headers, &name).is_empty());
        headers.append(&name, "\"a\"".parse().unwrap());
        headers.append(&name, "\"b\"".parse().unwrap());
        assert_eq!(strings(&headers, &name), ["a", "b"]);
        headers.append(&name, "b".parse().unwrap());
        assert!(strings(&headers, &name).is_empty(), "one wrong member spoils the field");
    }

    proptest! {
        #[test]
        fn strings_come_back_and_nothing_panics(strings in proptest::collection::vec("[ -~]{0,12}", 0..6), any in ".{0,40}") {
            let quoted = strings.iter().map(|string| {
                format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""))
            });
            let field = quoted.collect::<Vec<_>>().join(", ");
            prop_assert_eq!(parsed(&field), Some(strings));
            let _ = parsed(&any);
        }
    }
}
