//! Parts of header fields that need care: quoted texts, links, warnings.

use std::borrow::Cow;

/// A link of a `Link` field (RFC 8288).
#[derive(Debug, PartialEq)]
pub(super) struct Link<'a> {
    pub(super) target: &'a str,
    /// Its relations, in any case.
    pub(super) rel: Cow<'a, str>,
}

/// The links of a line, as far as it can be read. One about something else than the answer (`anchor`) is
/// left out.
pub(super) fn links(line: &str) -> Vec<Link<'_>> {
    let (mut found, mut rest) = (Vec::new(), line);
    while let Some((target, further)) = next_target(rest) {
        let (mut rel, mut is_about_this) = (None, true);
        rest = further;
        while let Some((name, value, further)) = next_parameter(rest) {
            rest = further;
            is_about_this &= !name.eq_ignore_ascii_case("anchor");
            // Of several, the first one counts (RFC 8288, 3.3).
            if name.eq_ignore_ascii_case("rel") && rel.is_none() {
                rel = Some(value);
            }
        }
        found.extend(rel.filter(|_| is_about_this).map(|rel| Link { target, rel }));
    }
    found
}

/// The texts of the warnings with the code 299 of a line (RFC 7234, 5.5).
pub(super) fn persistent_warnings(line: &str) -> Vec<Cow<'_, str>> {
    let (mut found, mut rest) = (Vec::new(), line);
    while let Some((code, agent)) = rest.trim_start_matches([' ', '\t', ',']).split_once(' ') {
        let text = agent.trim_start().split_once(' ').map(|(_, text)| text.trim_start());
        let Some((text, further)) = text.and_then(quoted) else { break };
        if code == "299" {
            found.push(text);
        }
        // A date may follow.
        rest = quoted(further.trim_start()).map_or(further, |(_, further)| further);
    }
    found
}

/// `<target>`, and what follows.
fn next_target(rest: &str) -> Option<(&str, &str)> {
    rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?.split_once('>')
}

/// `; name=value`, and what follows.
fn next_parameter(rest: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let rest = rest.trim_start().strip_prefix(';')?.trim_start();
    let end = rest.find(['=', ';', ',']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let Some(value) = rest.strip_prefix('=') else {
        return Some((name.trim(), Cow::Borrowed(""), rest));
    };
    let value = value.trim_start();
    if let Some((text, rest)) = quoted(value) {
        return Some((name.trim(), text, rest));
    }
    let end = value.find([';', ',']).unwrap_or(value.len());
    let (value, rest) = value.split_at(end);
    Some((name.trim(), Cow::Borrowed(value.trim()), rest))
}

/// A quoted text without its quotes and backslashes (RFC 9110, 5.6.4), and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inner.find(|sign| {
        let is_end = sign == '"' && !is_escaped;
        is_escaped = sign == '\\' && !is_escaped;
        is_end
    })?;
    let (inner, rest) = (&inner[..end], &inner[end + 1..]);
    if !inner.contains('\\') {
        return Some((Cow::Borrowed(inner), rest));
    }
    let mut signs = inner.chars();
    let mut plain = String::with_capacity(inner.len());
    while let Some(sign) = signs.next() {
        plain.extend(if sign == '\\' { signs.next() } else { Some(sign) });
    }
    Some((Cow::Owned(plain), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(line: &str) -> Vec<(String, String)> {
        let link = |link: Link<'_>| (link.target.to_owned(), link.rel.into_owned());
        links(line).into_iter().map(link).collect()
    }

    fn pair(target: &str, rel: &str) -> (String, String) {
        (target.to_owned(), rel.to_owned())
    }

    #[test]
    fn links_are_read_with_quotes_commas_and_several_relations() {
        let both = vec![pair("/a,b;c", "deprecation sunset"), pair("https://x/", "next")];
        let line =
            r#"</a,b;c>; title="a \"b\", c"; rel="deprecation sunset", <https://x/>;rel=next"#;
        assert_eq!(pairs(line), both);
        assert_eq!(pairs("<a>;REL = sunset ; rel=next"), [pair("a", "sunset")]);
        assert_eq!(pairs(r#"<a>; rel="x"; anchor="/other", <b>; rel=y"#), [pair("b", "y")]);
        assert_eq!(pairs("<a>; nofollow; rel=x"), [pair("a", "x")]);
    }

    #[test]
    fn what_is_no_link_is_none() {
        for line in ["", "a; rel=x", "<a", "<a>", "<a>; rel", ",,,", "<a>; title=\"x"] {
            let links = pairs(line);
            assert!(links.iter().all(|(_, rel)| rel.is_empty()), "{line}: {links:?}");
        }
    }

    #[test]
    fn a_warning_that_stays_is_read_and_others_are_not() {
        let kubernetes = r#"299 - "extensions/v1beta1 Ingress is deprecated in v1.14+""#;
        let text = "extensions/v1beta1 Ingress is deprecated in v1.14+";
        assert_eq!(persistent_warnings(kubernetes), [text]);
        let several = concat!(
            r#"110 a.test "stale" "Sun, 06 Nov 1994 08:49:37 GMT", 299 - "one", "#,
            r#"299 - "two \"2\"""#,
        );
        assert_eq!(persistent_warnings(several), ["one", r#"two "2""#]);
        for none in ["", "299", "299 -", "299 - bare", "299 - \"open", "199 - \"x\""] {
            assert_eq!(persistent_warnings(none), [""; 0], "{none}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_harms(line in ".{0,200}", odd in r#"[<>;,="\\ a]{0,80}"#) {
            for line in [&line, &odd] {
                let _ = (links(line), persistent_warnings(line));
            }
        }
    }
}
