//! What the lane does with a message: it reads the contact on both sides, and writes what is newer.

use std::error::Error;

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{Method, Request, Response, StatusCode};
use outrigger::outbox::{Filter, Message, Outbox, OutboxError, Page, State};
use outrigger::{Body, Integration, ResponseExt};

use crate::systems::Contact;

type BoxError = Box<dyn Error + Send + Sync>;

/// The contact that a message is about, on both sides.
#[derive(Clone)]
pub(crate) struct Carrier {
    pub(crate) crm: Integration,
    pub(crate) mailer: Integration,
    /// What people have decided.
    pub(crate) decided: Outbox,
}

/// Has the lane look at a contact. It names the contact and not its state: whoever was slow, what is carried
/// is the present state.
pub(crate) fn look_at(id: &str) -> Message {
    let looked_at = Message::new(Method::PUT, format!("/contacts/{id}"));
    looked_at.lane("carrier").order_key(id).keep_answer(200)
}

impl Carrier {
    pub(crate) async fn carry(self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        if request.headers().contains_key(IF_MATCH) {
            // A person has decided, about the version that he saw.
            return Ok(self.mailer.send(request).await?);
        }
        let path = request.uri().path();
        let (ours, theirs) = tokio::try_join!(read(&self.crm, path), read(&self.mailer, path))?;
        let (ours, condition) = match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours.email == theirs.email => return answer(200, ""),
            (None, None) => return answer(200, ""),
            // The event was lost: create it, unless somebody has done so since it was read.
            (Some(ours), None) => (ours, (IF_NONE_MATCH, "*".to_owned())),
            // The newest wins: change it, unless somebody has changed it since it was read.
            (Some(ours), Some(theirs)) if ours.changed > theirs.changed => {
                (ours, (IF_MATCH, theirs.version()))
            }
            // Somebody changed it there, or on both sides at the same time; or the CRM has it no more. The
            // message is dead: it waits for a person, and holds back what comes after it for this contact.
            (ours, Some(theirs)) => return self.park(ours.as_ref(), &theirs).await,
        };
        let write = self.mailer.put(path).header(condition.0, condition.1).json(&ours);
        let mut written = write.send().await?;
        if written.status() == StatusCode::PRECONDITION_FAILED {
            // At this very moment. The outbox comes again, and both are read anew.
            *written.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        Ok(written)
    }

    /// Refuses the message, unless a person has discarded one for this very conflict: then the mailer is right.
    async fn park(
        &self,
        ours: Option<&Contact>,
        theirs: &Contact,
    ) -> Result<Response<Body>, BoxError> {
        let ours = ours.map_or("none".to_owned(), Contact::version);
        let conflict = format!("crm {ours}, mailer {}", theirs.version());
        match self.is_decided(&theirs.id, &conflict).await? {
            true => answer(200, ""),
            false => answer(409, &conflict),
        }
    }

    async fn is_decided(&self, id: &str, conflict: &str) -> Result<bool, OutboxError> {
        let discarded = Filter::all().state(State::Discarded).order_key(id);
        let discarded = self.decided.browse(discarded, Page::first(1_000)).await?;
        let mut answers = discarded.into_iter().filter_map(|message| message.answer);
        Ok(answers.any(|answer| answer.body == conflict))
    }
}

async fn read(of: &Integration, path: &str) -> Result<Option<Contact>, BoxError> {
    let answer = of.get(path).send().await?;
    match answer.status() {
        StatusCode::NOT_FOUND => Ok(None),
        _ => Ok(Some(answer.error_for_status()?.json().await?)),
    }
}

fn answer(status: u16, body: &str) -> Result<Response<Body>, BoxError> {
    Ok(Response::builder().status(status).body(Body::from(body.to_owned()))?)
}
