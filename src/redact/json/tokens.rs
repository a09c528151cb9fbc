/// One part of a JSON text (RFC 8259), as it stands there. Several texts may follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    OpenObject,
    OpenArray,
    Close,
    /// Without its quotes.
    Key(&'a str),
    /// Without its quotes.
    String(&'a str),
    Number(&'a str),
    /// `true`, `false` or `null`.
    Word(&'static str),
}

/// Why there is no further token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// It is no JSON.
    Malformed,
    /// It ends in the middle.
    Cut,
}

/// Reads them, one after another and none twice: nesting costs a byte a level.
#[derive(Clone)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Whether each that is open is an object.
    open: Vec<bool>,
    expects: Expects,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expects {
    Value,
    /// A value, or the end of an array that is empty so far.
    ValueOrEnd,
    Key,
    /// A key, or the end of an object that is empty so far.
    KeyOrEnd,
    /// What is between two values, or the end of what they are in.
    CommaOrEnd,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new(), expects: Expects::Value }
    }

    /// The next one; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, TokenError> {
        let Some(mut byte) = self.peek() else {
            return if self.open.is_empty() { Ok(None) } else { Err(TokenError::Cut) };
        };
        if self.expects == Expects::CommaOrEnd && byte == b',' {
            self.at += 1;
            let is_object = self.open.last() == Some(&true);
            self.expects = if is_object { Expects::Key } else { Expects::Value };
            byte = self.peek().ok_or(TokenError::Cut)?;
        }
        match (self.expects, byte) {
            (Expects::KeyOrEnd | Expects::CommaOrEnd, b'}') => self.close(true),
            (Expects::ValueOrEnd | Expects::CommaOrEnd, b']') => self.close(false),
            (Expects::Key | Expects::KeyOrEnd, b'"') => self.key().map(Some),
            (Expects::Value | Expects::ValueOrEnd, _) => self.value(byte).map(Some),
            _ => Err(TokenError::Malformed),
        }
    }

    fn value(&mut self, byte: u8) -> Result<Token<'a>, TokenError> {
        let token = match byte {
            b'{' | b'[' => return Ok(self.open(byte == b'{')),
            b'"' => Token::String(self.quoted()?),
            _ => self.scalar()?,
        };
        self.end_value();
        Ok(token)
    }

    fn open(&mut self, is_object: bool) -> Token<'a> {
        self.at += 1;
        self.open.push(is_object);
        let (token, expects) = match is_object {
            true => (Token::OpenObject, Expects::KeyOrEnd),
            false => (Token::OpenArray, Expects::ValueOrEnd),
        };
        self.expects = expects;
        token
    }

    fn key(&mut self) -> Result<Token<'a>, TokenError> {
        let content = self.quoted()?;
        if self.peek().ok_or(TokenError::Cut)? != b':' {
            return Err(TokenError::Malformed);
        }
        self.at += 1;
        self.expects = Expects::Value;
        Ok(Token::Key(content))
    }

    fn close(&mut self, is_object: bool) -> Result<Option<Token<'a>>, TokenError> {
        if self.open.pop() != Some(is_object) {
            return Err(TokenError::Malformed);
        }
        self.at += 1;
        self.end_value();
        Ok(Some(Token::Close))
    }

    fn end_value(&mut self) {
        // Another text may follow.
        self.expects = if self.open.is_empty() { Expects::Value } else { Expects::CommaOrEnd };
    }

    /// The content of the quoted text that begins here.
    fn quoted(&mut self) -> Result<&'a str, TokenError> {
        let from = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut to = from;
        loop {
            let rest = bytes.get(to..).ok_or(TokenError::Cut)?;
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
            to += rest.iter().position(ends).ok_or(TokenError::Cut)?;
            if bytes[to] == b'"' {
                break;
            }
            to += 2;
        }
        self.at = to + 1;
        self.text.get(from..to).ok_or(TokenError::Malformed)
    }

    fn scalar(&mut self) -> Result<Token<'a>, TokenError> {
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let end = rest.bytes().position(|byte| !is_part(byte));
        // What ends with the text may go on.
        let is_cut = end.is_none() && !self.open.is_empty();
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        let known = ["true", "false", "null"].into_iter().find(|known| *known == word);
        match known {
            _ if is_cut => Err(TokenError::Cut),
            Some(known) => Ok(Token::Word(known)),
            None if is_number(word) => Ok(Token::Number(word)),
            None => Err(TokenError::Malformed),
        }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.as_bytes().get(self.at)? {
                // Some write a record separator before each text (RFC 7464).
                b' ' | b'\t' | b'\r' | b'\n' | 0x1e => self.at += 1,
                byte => return Some(byte),
            }
        }
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
}
