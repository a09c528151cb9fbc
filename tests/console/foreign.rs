//! A language that nobody speaks: each letter of a translation is a wide one, so that English is seen where it is left.

use std::collections::HashMap;

use outrigger::console::{Text, Words};

/// Translates everything, from right to left if it is to.
pub(crate) struct Foreign {
    texts: HashMap<&'static str, [String; 2]>,
    is_right_to_left: bool,
}

impl Foreign {
    pub(crate) fn new(is_right_to_left: bool) -> Self {
        let texts = Text::all()
            .map(|text| (text.english, [text.one.unwrap_or(text.english), text.english].map(wide)));
        Self { texts: texts.collect(), is_right_to_left }
    }
}

impl Words for Foreign {
    fn language(&self) -> &str {
        "x-wide"
    }

    fn is_right_to_left(&self) -> bool {
        self.is_right_to_left
    }

    fn text(&self, english: &str, number: Option<u64>) -> Option<&str> {
        let [one, many] = self.texts.get(english)?;
        Some(if number == Some(1) { one } else { many })
    }
}

/// With wide letters everywhere but in its places.
pub(crate) fn wide(template: &str) -> String {
    let mut is_place = false;
    let wide = template.chars().map(|sign| {
        is_place = (is_place || sign == '{') && sign != '}';
        match sign {
            'a'..='z' | 'A'..='Z' if !is_place => {
                char::from_u32('Ａ' as u32 + (sign as u32 - 'A' as u32)).unwrap()
            }
            sign => sign,
        }
    });
    wide.collect()
}

/// The English words that a person would read or hear on a page, but for those that are known.
pub(crate) fn english_on(page: &str, known: &str) -> Vec<String> {
    let mut said = Vec::new();
    let mut rest = page;
    while let Some((text, tag)) = rest.split_once('<') {
        said.push(text.to_owned());
        let (tag, mut after) = tag.split_once('>').expect("a tag ends");
        // Requests, answers and settings are as they are.
        if tag == "pre" {
            after = after.split_once("</pre>").expect("it ends").1;
        }
        for name in ["title", "aria-label", "placeholder", "alt", "data-lost", "data-zone"] {
            let attribute = tag.split_once(&format!(" {name}=\""));
            said.extend(attribute.and_then(|(_, it)| it.split('"').next()).map(str::to_owned));
        }
        rest = after;
    }
    said.push(rest.to_owned());
    let mut words = Vec::new();
    for text in said {
        let plain = ["&amp;", "&lt;", "&gt;", "&quot;"]
            .iter()
            .fold(text, |text, entity| text.replace(entity, " "));
        let found = plain.split(|sign: char| !sign.is_alphanumeric() && !"_-{}".contains(sign));
        let is_word = |word: &&str| {
            word.chars().any(|sign| sign.is_ascii_alphabetic())
                && !word.contains(|sign: char| sign.is_ascii_digit() || "_{".contains(sign))
        };
        let found =
            found.filter(is_word).filter(|word| !known.split(' ').any(|known| known == *word));
        words.extend(found.map(|word| format!("{word} in {plain:?}")));
    }
    words
}
