//! What is known under one name.

use super::access::{Actor, Scope};
use super::inner::{Inner, NoPage};
use super::life;
use super::page::Found;
use super::recent::Recent;
use crate::outbox::{Filter, Outbox, OutboxError, Page, StoredMessage};
use crate::terms::Right;

impl Inner {
    /// What is known under a name, as far as this person may look at it.
    pub(super) async fn find(&self, actor: &Actor, asked: &str) -> Result<Found, NoPage> {
        self.needs(actor, Right::Search, Scope::All)?;
        let may = |scope: Scope<'_>| self.access.may(actor, Right::Look, scope);
        let recent = self.recent.as_ref();
        let mut calls = match recent.filter(|_| !asked.is_empty()) {
            Some(recent) => recent.find(asked),
            None => Vec::new(),
        };
        calls.retain(|call| may(Scope::Integration(&call.integration)));
        let mut messages = Vec::new();
        let mut life: Vec<_> = calls.iter().flat_map(|call| life::of_call(call)).collect();
        if let Some(outbox) = self.outbox.as_ref().filter(|_| !asked.is_empty()) {
            messages = named(outbox, asked, |lane| may(Scope::Lane(lane))).await?;
            let acts = self.acts.all();
            for message in messages.iter().take(LIVES) {
                if let Some(history) = outbox.history(message.content.id).await? {
                    life.extend(life::of_message(&history, &acts));
                }
            }
        }
        // What happened at the same time stays in the order in which it is told.
        life.sort_by_key(|moment| moment.at);
        Ok(Found {
            asked: asked.to_owned(),
            untold: messages.len().saturating_sub(LIVES),
            has_more: messages.len() >= MESSAGES,
            messages,
            life,
            remembers: recent.is_some(),
            since: recent.and_then(Recent::knows_since),
            has_outbox: self.outbox.is_some(),
        })
    }
}

/// The first messages with this name, of lanes that may be looked at.
async fn named(
    outbox: &Outbox,
    asked: &str,
    may: impl Fn(&str) -> bool,
) -> Result<Vec<StoredMessage>, OutboxError> {
    let (mut messages, mut page) = (Vec::new(), Page::first(MESSAGES));
    for _ in 0..PAGES {
        if messages.len() >= MESSAGES {
            break;
        }
        let found = outbox.browse(Filter::all().named(asked), page).await?;
        let Some(last) = found.last() else { break };
        page = Page::after(last.seq, MESSAGES);
        messages.extend(found.into_iter().filter(|one| may(&one.content.lane)));
    }
    messages.truncate(MESSAGES);
    Ok(messages)
}

/// How many messages are found.
const MESSAGES: usize = 50;
/// How many pages are looked through for those that may be looked at.
const PAGES: usize = 10;
/// Of how many all is told: each is read with its attempts.
const LIVES: usize = 20;
