//! JSON: its structure is shown, its values are not.

mod names;
mod tokens;

use self::names::{Name, names};
use self::tokens::{Token, TokenError, Tokens};
use super::asked::Asked;
use super::hidden::{CUT, MOST_SHOWN};
use super::known::Field;
use super::{patterns, text, words};

/// What is shown of a JSON text, or of several; as far as it goes where it was cut, and where it is
/// long. Nothing if it is no JSON.
pub(super) fn redact(text: &str, asked: &Asked) -> Option<String> {
    let mut writer = Writer {
        names: names(text, asked)?.into_iter(),
        shown: String::with_capacity(text.len()),
        open: Vec::new(),
        place: Position { is_error: true, ..Position::default() },
        needs_comma: false,
    };
    let mut tokens = Tokens::of(text);
    while writer.shown.len() < MOST_SHOWN {
        match tokens.next() {
            Ok(Some(token)) => writer.write(token),
            Ok(None) => return Some(writer.shown),
            Err(TokenError::Cut) => break,
            Err(TokenError::Malformed) => return None,
        }
    }
    writer.shown.push_str(CUT);
    Some(writer.shown)
}

struct Writer<I> {
    names: I,
    shown: String,
    open: Vec<OpenValue>,
    /// Where the next value is.
    place: Position,
    needs_comma: bool,
}

/// What is known of a value by where it is.
#[derive(Clone, Copy, Default)]
struct Position {
    /// Somebody asked for it by its name.
    is_asked: bool,
    /// Its name is one of those whose values are shown.
    is_word: bool,
    /// It is where errors are described, and so are the fields that are in it.
    is_error: bool,
}

struct OpenValue {
    is_object: bool,
    /// What is known of all that is in it.
    place: Position,
}

impl<I: Iterator<Item = Name>> Writer<I> {
    fn write(&mut self, token: Token<'_>) {
        if token == Token::Close {
            let is_object = self.open.pop().is_some_and(|open| open.is_object);
            self.shown.push(if is_object { '}' } else { ']' });
            return self.end_value();
        }
        if self.needs_comma {
            self.shown.push(if self.open.is_empty() { '\n' } else { ',' });
            self.needs_comma = false;
        }
        match token {
            Token::OpenObject => self.open(true),
            Token::OpenArray => self.open(false),
            Token::Key(key) => self.key(key),
            Token::String(content) => self.string(content),
            Token::Number(number) => self.number(number),
            Token::Word(word) => {
                self.shown.push_str(word);
                self.end_value();
            }
            Token::Close => {}
        }
    }

    fn open(&mut self, is_object: bool) {
        // A list of words is no word.
        let place = Position { is_word: false, ..self.place };
        self.shown.push(if is_object { '{' } else { '[' });
        self.open.push(OpenValue { is_object, place });
        self.place = place;
    }

    fn key(&mut self, key: &str) {
        let around = self.open.last().map(|open| open.place).unwrap_or_default();
        let name = self.names.next().unwrap_or_default();
        self.place = Position {
            is_asked: name.is_asked,
            is_word: around.is_error && name.field.is_some_and(Field::is_word),
            is_error: around.is_error && name.field.is_some_and(Field::is_error),
        };
        match name.is_shown {
            true => self.quoted(key),
            false => self.masked("key", key),
        }
        self.shown.push(':');
    }

    fn string(&mut self, content: &str) {
        let is_word = || words::is_word(content) && !patterns::holds_token(content.as_bytes());
        if self.place.is_asked {
            self.quoted(&text::redact(content));
        } else if self.place.is_word && is_word() {
            self.quoted(content);
        } else {
            self.masked("string", content);
        }
        self.end_value();
    }

    fn number(&mut self, number: &str) {
        let is_shown = match self.place.is_asked {
            true => text::redact(number) == number,
            false => self.place.is_word && words::is_short_number(number),
        };
        match is_shown {
            true => self.shown.push_str(number),
            false => self.masked("number", number),
        }
        self.end_value();
    }

    fn quoted(&mut self, text: &str) {
        self.shown.push('"');
        self.shown.push_str(text);
        self.shown.push('"');
    }

    /// Its type and how many characters it has, as it stands there.
    fn masked(&mut self, kind: &str, content: &str) {
        self.shown.push_str("\"[");
        self.shown.push_str(kind);
        self.shown.push(' ');
        push_number(&mut self.shown, content.chars().count());
        self.shown.push_str("]\"");
    }

    fn end_value(&mut self) {
        self.needs_comma = true;
        let around = self.open.last().map(|open| open.place);
        self.place = around.unwrap_or(Position { is_error: true, ..Position::default() });
    }
}

/// As formatting does it, which would take most of the time.
fn push_number(shown: &mut String, number: usize) {
    if number > 9 {
        push_number(shown, number / 10);
    }
    shown.push(char::from(b"0123456789"[number % 10]));
}
