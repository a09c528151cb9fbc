use super::tokens::{Token, TokenError, Tokens};
use crate::redact::asked::Asked;
use crate::redact::known::Field;
use crate::redact::{patterns, words};

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Name {
    pub(super) is_shown: bool,
    pub(super) is_asked: bool,
    pub(super) field: Option<Field>,
}

/// The keys of a text, in order; nothing if it is no JSON.
///
/// They are read before anything is shown: one that is a value (a person's name, a date, an account)
/// makes values of all keys of the same object that are on no list.
pub(super) fn names(text: &str, asked: &Asked) -> Option<Vec<Name>> {
    let (mut names, mut is_map, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut tokens = Tokens::of(text);
    loop {
        match tokens.next() {
            Ok(Some(Token::OpenObject)) => {
                open.push(u32::try_from(is_map.len()).ok()?);
                is_map.push(false);
            }
            // No key is in it.
            Ok(Some(Token::OpenArray)) => open.push(u32::MAX),
            Ok(Some(Token::Close)) => drop(open.pop()),
            Ok(Some(Token::Key(key))) => {
                let object = *open.last()? as usize;
                let name = Name::of(key, asked);
                let is_value = !name.is_shown && words::is_value(key);
                *is_map.get_mut(object)? |= is_value;
                names.push((name, object));
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(TokenError::Cut) => break,
            Err(TokenError::Malformed) => return None,
        }
    }
    let masked = |(name, object): (Name, usize)| match is_map[object] {
        true => Name { is_shown: name.is_asked || name.field.is_some(), ..name },
        false => name,
    };
    Some(names.into_iter().map(masked).collect())
}

impl Name {
    fn of(key: &str, asked: &Asked) -> Self {
        let (field, is_asked) = (Field::of(key), asked.is_field(key));
        let is_shown = field.is_some()
            || is_asked
            || (words::is_identifier(key) && !patterns::holds_token(key.as_bytes()));
        Self { is_shown, is_asked, field }
    }
}
