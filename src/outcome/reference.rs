use http::Uri;
use http::uri::{Parts, PathAndQuery};

/// What a reference means in the answer to a request to this URI (RFC 3986, 5.2), without its fragment. `None`
/// if it is no URI that can be asked.
pub(crate) fn resolve(sent: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next()?;
    if reference.starts_with("//") {
        return format!("{}:{reference}", sent.scheme()?).parse().ok();
    }
    if reference.split(['/', '?']).next()?.contains(':') {
        return reference.parse().ok().filter(|uri: &Uri| uri.scheme().is_some());
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let query = query.or_else(|| sent.query().filter(|_| path.is_empty()));
    let folder = &sent.path()[..=sent.path().rfind('/')?];
    let path = match path {
        "" => sent.path().to_owned(),
        path if path.starts_with('/') => without_dots(path),
        path => without_dots(&format!("{folder}{path}")),
    };
    let place = query.map_or(path.clone(), |query| format!("{path}?{query}"));
    let mut parts: Parts = sent.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(place).ok()?);
    Uri::from_parts(parts).ok()
}

/// A path without its segments `.` and `..` (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_means_what_the_standards_examples_say() {
        let sent = Uri::from_static("http://a/b/c/d;p?q");
        for (reference, uri) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g/h", "http://g/h"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("https://other/x", "https://other/x"),
        ] {
            assert_eq!(resolve(&sent, reference).unwrap(), uri, "{reference}");
        }
        for none in ["mailto:ada@example", "g h", "http://"] {
            assert_eq!(resolve(&sent, none), None, "{none}");
        }
    }
}
