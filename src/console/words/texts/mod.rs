//! All English texts of the console, for translators: each is the key of its translations. A page can say no other.

mod acts;
mod integrations;
mod messages;
mod states;

use crate::terms::outbox::{DeadReason, State};

/// Those without a number, by what they are about.
pub(super) const PLAIN: [&[&str]; 4] =
    [states::TEXTS, integrations::TEXTS, messages::TEXTS, acts::TEXTS];

/// Those with a number: the form for one, and that for many.
pub(super) const COUNTED: &[[&str; 2]] = &[
    ["ends with {result}: {n} attempt, {time}", "ends with {result}: {n} attempts, {time}"],
    ["{n} call waits", "{n} calls wait"],
    [
        "What happened to the other {n} message is on its own page.",
        "What happened to the other {n} messages is on their own pages.",
    ],
    ["{n} of {all} obey", "{n} of {all} obey"],
    ["{n} not seen for over an hour", "{n} not seen for over an hour"],
    ["Give {n} up", "Give {n} up"],
    ["Give all {n} up", "Give all {n} up"],
    ["{n} time", "{n} times"],
    ["The {n} integration works", "All {n} integrations work"],
    ["{n} of {all} integrations need a look", "{n} of {all} integrations need a look"],
    ["{n} message waits for a person", "{n} messages wait for a person"],
    [
        "The last hour: {n} call, of which {failed} failed or was refused.",
        "The last hour: {n} calls, of which {failed} failed or were refused.",
    ],
    ["Send all {n} again", "Send all {n} again"],
    ["Send {n} again", "Send {n} again"],
    [
        "{n} message is due now. What is being sent goes on; nothing is lost.",
        "{n} messages are due now. What is being sent goes on; nothing is lost.",
    ],
    ["Handle all {n} again", "Handle all {n} again"],
    ["Handle {n} again", "Handle {n} again"],
    [
        "{n} webhook is to be handled now. What is being handled goes on; they are still received, and nothing is lost.",
        "{n} webhooks are to be handled now. What is being handled goes on; they are still received, and nothing is lost.",
    ],
    ["{n} changed", "{n} changed"],
    ["{n} left as it is ({why})", "{n} left as they are ({why})"],
    [
        "Its API changes: its answers show {n} sign of it.",
        "Its API changes: its answers show {n} signs of it.",
    ],
    [
        "it answers again, {n} call still waits for its turn",
        "it answers again, {n} calls still wait for their turn",
    ],
];

/// The words of enums that stand on pages.
pub(super) fn words_of_enums() -> impl Iterator<Item = &'static str> {
    let states = State::ALL.iter().map(|state| state.name());
    let reasons = DeadReason::ALL.iter().map(|reason| reason.text());
    states.chain(reasons)
}
