use std::error::Error as StdError;
use std::fmt;

/// Why a message's signature doesn't hold. It shows no part of the message but the names of components.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// It has no `signature-input`, no `signature`, or none that fits.
    Missing,
    /// `signature-input`, `signature` or `content-digest` isn't written as its RFC says, has more than 8
    /// signatures, or one with more than 64 components.
    Malformed(&'static str),
    /// None of its signatures names a key that is known.
    UnknownKey,
    /// It names another algorithm than its key's.
    Algorithm,
    /// It doesn't cover a component that must be covered.
    NotCovered(String),
    /// It covers a component that the message doesn't have, or has more than once.
    Absent(String),
    /// It covers a component of a kind that isn't supported, or that is no component.
    Unsupported(String),
    /// It says for when, or since when, it holds: not now. Or it doesn't say when it was made.
    Expired,
    /// It was made in the future: a clock is wrong.
    InFuture,
    /// It is for another purpose: its `tag` is another.
    Tag,
    /// The body isn't the one whose digest was signed, or its bytes were not given.
    Digest,
    /// Something was changed, or another key signed it.
    Signature,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no signature"),
            Self::Malformed(field) => write!(f, "{field} is malformed"),
            Self::UnknownKey => f.write_str("the key is unknown"),
            Self::Algorithm => f.write_str("the algorithm is not the key's"),
            Self::NotCovered(component) => write!(f, "{component} is not signed"),
            Self::Absent(component) => write!(f, "{component} is not there once"),
            Self::Unsupported(component) => write!(f, "{component} is not supported"),
            Self::Expired => f.write_str("the signature is too old"),
            Self::InFuture => f.write_str("the signature is of the future"),
            Self::Tag => f.write_str("the signature is for another purpose"),
            Self::Digest => f.write_str("the body is not the one that was signed"),
            Self::Signature => f.write_str("the signature is not of this message and key"),
        }
    }
}

impl StdError for MessageError {}
