use http::HeaderName;

/// The names whose values were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) headers: Vec<HeaderName>,
    pub(super) query: Vec<String>,
    pub(super) paths: bool,
    pub(super) texts: bool,
    fields: Vec<String>,
}

impl Asked {
    pub(super) fn field(&mut self, name: &str) {
        self.fields.push(joined(name).collect());
    }

    pub(super) fn is_field(&self, name: &str) -> bool {
        self.fields.iter().any(|asked| joined(name).eq(asked.chars()))
    }

    pub(super) fn is_query(&self, key: &str) -> bool {
        self.query.iter().any(|asked| asked == key)
    }
}

/// A name's letters and digits, in lower case.
fn joined(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase)
}
