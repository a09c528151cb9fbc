//! JSON, whole, cut or one document after another.

use super::encoded::meant;
use super::hidden::Hidden;
use super::names::Names;
use super::role::{Role, role};
use super::text;

/// Redacts JSON; `None` if it is none. What is unfinished at the end is hidden.
pub(super) fn redact(text: &str, names: &Names) -> Option<String> {
    let mut hidden = Hidden::default();
    let mut reader = Reader {
        text,
        at: 0,
        expects: Expects::Value,
        open: Vec::new(),
        names,
        hidden: &mut hidden,
    };
    loop {
        match reader.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(Stop::NotJson) => return None,
            Err(Stop::Unfinished(from)) => {
                reader.abandon();
                hidden.hide_value(from, text.len());
                break;
            }
        }
    }
    Some(hidden.apply(text))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    expects: Expects,
    open: Vec<Open>,
    names: &'a Names,
    hidden: &'a mut Hidden,
}

#[derive(Clone, Copy)]
enum Expects {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Rest,
}

enum Open {
    /// Whether its first text is a secret name: `["authorization", "…"]`.
    Array(Option<bool>),
    Object(Object),
}

/// `{"name": "password", "value": "…"}`: the name may stand before the value or after it.
#[derive(Default)]
struct Object {
    names_a_secret: bool,
    values: Vec<(usize, usize)>,
    contents: Vec<(usize, usize)>,
    key: Role,
    /// Where the last key's value begins.
    from: usize,
    /// The key is secret, unless it names a field.
    is_hidden: bool,
}

enum Stop {
    NotJson,
    /// The text ends in the middle of what began here.
    Unfinished(usize),
}

impl Reader<'_> {
    /// Reads one token; says whether there is more.
    fn step(&mut self) -> Result<bool, Stop> {
        use Expects::{Key, KeyOrEnd, Rest, Value, ValueOrEnd};
        let Some(byte) = self.next() else {
            let is_done = self.open.is_empty() && matches!(self.expects, Value);
            return if is_done { Ok(false) } else { Err(Stop::Unfinished(self.at)) };
        };
        match (self.expects, byte, self.open.last()) {
            (Value | ValueOrEnd, b'{', _) => self.open(Open::Object(Object::default()), KeyOrEnd),
            (Value | ValueOrEnd, b'[', _) => self.open(Open::Array(None), ValueOrEnd),
            (Value | ValueOrEnd, b'"', _) => self.string()?,
            (ValueOrEnd | Rest, b']', Some(Open::Array(_))) => self.close(),
            (KeyOrEnd | Rest, b'}', Some(Open::Object(_))) => self.close(),
            (Value | ValueOrEnd, _, _) => self.scalar()?,
            (Key | KeyOrEnd, b'"', _) => self.key()?,
            (Rest, b',', Some(Open::Object(_))) => (self.at, self.expects) = (self.at + 1, Key),
            (Rest, b',', Some(Open::Array(_))) => (self.at, self.expects) = (self.at + 1, Value),
            _ => return Err(Stop::NotJson),
        }
        Ok(true)
    }

    fn open(&mut self, open: Open, expects: Expects) {
        self.open.push(open);
        (self.at, self.expects) = (self.at + 1, expects);
    }

    fn close(&mut self) {
        if let Some(Open::Object(object)) = self.open.pop()
            && object.names_a_secret
        {
            self.hide(&object.values);
            self.hide(&object.contents);
        }
        self.at += 1;
        self.end_value();
    }

    fn end_value(&mut self) {
        if let Some(Open::Object(object)) = self.open.last_mut() {
            object.end_value(self.at);
        }
        self.expects = if self.open.is_empty() { Expects::Value } else { Expects::Rest };
    }

    /// The text ended: whether what was open named a secret will never be known.
    fn abandon(&mut self) {
        let mut is_around = false;
        while let Some(open) = self.open.pop() {
            if let Open::Object(mut object) = open {
                if is_around {
                    object.end_value(self.text.len());
                }
                self.hide(&object.values);
                if object.names_a_secret {
                    self.hide(&object.contents);
                }
            }
            is_around = true;
        }
    }

    fn hide(&mut self, values: &[(usize, usize)]) {
        values.iter().for_each(|(from, to)| self.hidden.hide_value(*from, *to));
    }

    fn key(&mut self) -> Result<(), Stop> {
        let (from, to) = self.quoted(self.at)?;
        let name = meant(&self.text[from..to]);
        text::find(&self.text[from..to], from, self.names, self.hidden);
        self.at = to + 1;
        match self.next() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(Stop::NotJson),
            None => return Err(Stop::Unfinished(self.at)),
        }
        let first = self.next().ok_or(Stop::Unfinished(self.at))?;
        let (key, is_secret) = (role(&name, first), self.names.is_secret(&name));
        if let Some(Open::Object(object)) = self.open.last_mut() {
            (object.key, object.is_hidden, object.from) = (key, is_secret, self.at);
        }
        self.expects = Expects::Value;
        if is_secret && (first != b'"' || !matches!(key, Role::Name)) {
            let from = self.at;
            self.skip()?;
            self.hidden.hide_value(from, self.at);
            self.end_value();
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Stop> {
        let (from, to) = self.quoted(self.at)?;
        let content = &self.text[from..to];
        text::find(content, from, self.names, self.hidden);
        // A name may also be a list of steps.
        if let [.., Open::Object(object)] | [.., Open::Object(object), Open::Array(_)] =
            self.open.as_mut_slice()
            && matches!(object.key, Role::Name)
        {
            object.names_a_secret |= self.names.is_secret(&meant(content));
            if object.is_hidden && !is_field(content) {
                self.hidden.hide(from, to);
            }
        }
        // Headers and fields as a list of pairs.
        if let [.., Open::Array(_), Open::Array(named)] = self.open.as_mut_slice() {
            match named {
                Some(true) => self.hidden.hide(from, to),
                Some(false) => {}
                None => *named = Some(self.names.is_opening(&meant(content))),
            }
        }
        self.at = to + 1;
        self.end_value();
        Ok(())
    }

    /// A number, or `true`, `false`, `null`.
    fn scalar(&mut self) -> Result<(), Stop> {
        let from = self.at;
        let rest = &self.text[from..];
        let is_part = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
        let length = rest.find(|char| !is_part(char)).ok_or(Stop::Unfinished(from))?;
        let (word, to) = (&rest[..length], from + length);
        if !is_number(word) && !["true", "false", "null"].contains(&word) {
            return Err(Stop::NotJson);
        }
        let mut found = Hidden::default();
        text::find(word, from, self.names, &mut found);
        if found.is_any() {
            self.hidden.hide_value(from, to);
        }
        self.at = to;
        self.end_value();
        Ok(())
    }

    /// Leaves out a value with all that is inside.
    fn skip(&mut self) -> Result<(), Stop> {
        let (from, mut depth) = (self.at, 0_usize);
        loop {
            match self.next().ok_or(Stop::Unfinished(from))? {
                b'"' => self.at = self.quoted(self.at).map_err(|_| Stop::Unfinished(from))?.1 + 1,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return Err(Stop::NotJson),
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => {
                    // Never at once: none of these is the byte that is here.
                    let rest = &self.text.as_bytes()[self.at..];
                    let ends = |byte: &u8| b",:]}{[\"".contains(byte) || SPACES.contains(byte);
                    self.at += rest.iter().position(ends).ok_or(Stop::Unfinished(from))?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The inside of the quoted text that begins here.
    fn quoted(&self, at: usize) -> Result<(usize, usize), Stop> {
        let (from, mut to) = (at + 1, at + 1);
        loop {
            match self.text.as_bytes().get(to).ok_or(Stop::Unfinished(at))? {
                b'"' => return Ok((from, to)),
                b'\\' => to += 2,
                _ => to += 1,
            }
        }
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        let spaces = self.text.as_bytes()[self.at..].iter().take_while(|b| SPACES.contains(b));
        self.at += spaces.count();
        self.text.as_bytes().get(self.at).copied()
    }
}

// === impl Object ===

impl Object {
    fn end_value(&mut self, to: usize) {
        match self.key {
            Role::Value => self.values.push((self.from, to)),
            Role::Content => self.contents.push((self.from, to)),
            Role::Name | Role::Other => {}
        }
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|char: char| char.is_ascii_digit() || char == '-')
        && word.parse::<f64>().is_ok()
}

/// Whether a text is the name of a field, and of no person: `first_name`.
fn is_field(content: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    content.bytes().all(is_part) && content.contains('_')
}

/// RFC 8259, 2. Other spaces are none.
const SPACES: [u8; 4] = *b" \t\r\n";
