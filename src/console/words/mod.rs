//! What the pages say: the English texts, their translations, and sentences about how an integration is.
//!
//! A page names what it says by its English text, `say!(w, "{n} of {all} obey", n = 4, all = 5)`. What is written to
//! the record and told to robots is the same [`Phrase`] in English.

mod language;
mod names;
mod obeyed;
mod phrase;
mod sentences;
mod template;
mod texts;
mod written;

pub use language::{Text, TextFault, Words, check_words};

pub(super) use language::English;
pub(super) use names::{action, control_name, dead_reason, delivery, shape, state, status};
pub(super) use obeyed::{in_all, obeyed};
pub(super) use phrase::{Phrase, counted, counted_text, phrase, say, text};
pub(super) use sentences::{
    NOT_REMEMBERED, figures, needs_person, position, rank, sentence, status_of,
};
pub(super) use written::{cut, date, shown, time};
