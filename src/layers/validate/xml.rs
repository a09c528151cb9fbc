//! As much of XML as it takes to find the text of one element: no entities, no namespaces.

/// The text of the first element at this path from the root, by the names without prefixes. `None` if
/// there is none, or the text can't be read.
pub(super) fn text_at<'x>(xml: &'x str, path: &[&str]) -> Option<&'x str> {
    let mut tags = Tags { rest: xml };
    // How deep it is, and how many of these levels are the path's.
    let (mut depth, mut fitting) = (0, 0);
    while let Some(tag) = tags.next() {
        match tag {
            Tag::Open(name) => {
                if depth == fitting && name == path[fitting] {
                    fitting += 1;
                } else if depth == 0 {
                    return None;
                }
                depth += 1;
                if fitting == path.len() {
                    return tags.rest.split('<').next().map(str::trim);
                }
            }
            Tag::Close => {
                depth = usize::checked_sub(depth, 1)?;
                fitting = fitting.min(depth);
                if depth == 0 {
                    return None;
                }
            }
            Tag::Other => {}
        }
    }
    None
}

/// Whether there are elements at all.
pub(super) fn looks_like_xml(bytes: &[u8]) -> bool {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

enum Tag<'x> {
    Open(&'x str),
    Close,
    /// An element without content, a comment, and the like.
    Other,
}

struct Tags<'x> {
    rest: &'x str,
}

impl<'x> Tags<'x> {
    fn next(&mut self) -> Option<Tag<'x>> {
        let tag = &self.rest[self.rest.find('<')? + 1..];
        for (begin, end) in [("!--", "-->"), ("![CDATA[", "]]>"), ("?", "?>"), ("!", ">")] {
            if let Some(inside) = tag.strip_prefix(begin) {
                let (skipped, rest) = inside.split_once(end)?;
                // The document's own grammar may hold anything: it is not read.
                let is_grammar = begin == "!" && skipped.contains('[');
                self.rest = rest;
                return (!is_grammar).then_some(Tag::Other);
            }
        }
        let inside = self.skip_tag(tag)?;
        let name = inside.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        Some(match () {
            () if inside.starts_with('/') => Tag::Close,
            () if inside.ends_with('/') => Tag::Other,
            () => Tag::Open(local),
        })
    }

    /// Skips to the end of a tag, past the values of its attributes. Returns what is in it.
    fn skip_tag(&mut self, tag: &'x str) -> Option<&'x str> {
        let mut quote = None;
        for (at, byte) in tag.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => {
                    self.rest = &tag[at + 1..];
                    return Some(&tag[..at]);
                }
                (None, b'"' | b'\'') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::text_at;

    #[test]
    fn the_first_element_at_the_path_is_found_whatever_stands_around_it() {
        let at = |xml| text_at(xml, &["a", "b"]);
        for xml in [
            "<a><b>1</b></a>",
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- <b> --><!DOCTYPE a>\n<x:a k='>'>\n <y:b z=\"/>\">\n1 </y:b>",
            "<a><c><b>0</b></c><b/><d/><![CDATA[<b>0</b>]]><b>1</b></a>",
        ] {
            assert_eq!(at(xml), Some("1"), "{xml}");
        }
        for xml in [
            "",
            "<",
            "<a",
            "<a><b",
            "<a></a><a><b>1",
            "<c><b>1</b></c>",
            "<b>1</b>",
            "</a><a><b>1",
            "<!DOCTYPE a [<!ENTITY b '>'>]><a><b>1</b></a>",
            "<c><a><b>1</b></a></c>",
            "<a/><b>1",
        ] {
            assert_eq!(at(xml), None, "{xml}");
        }
    }
}
