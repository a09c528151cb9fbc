//! Dark launches and rehearsals.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::integration::target::Target;
use crate::mirror::MirrorLayer;
use crate::rehearsal::{Plan, RehearsalLayer};
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{lay, section};
use crate::settings::values::LARGEST;

section! {
    /// `[mirror]`: where the copies go is code.
    Mirror { share: Ratio, concurrency: u32, limit: Duration, body_cap: usize }
}

section! {
    /// `[rehearsal]`
    Rehearsal { allow: bool, header: Option<HeaderName>, plan: Option<Faults> }
}

section! {
    /// `[rehearsal.plan]`
    Faults {
        latency: Latency,
        status: Vec<Status>,
        hang: Ratio,
        reset: Ratio,
        slow_body: SlowBody,
        answer: Answer,
    }
}

section! {
    /// `[rehearsal.plan.latency]`
    Latency { share: Ratio, from: Duration, to: Duration }
}

section! {
    /// `[[rehearsal.plan.status]]`
    Status { share: Ratio, code: StatusCode }
}

section! {
    /// `[rehearsal.plan.slow_body]`
    SlowBody { share: Ratio, pause: Duration }
}

section! {
    /// `[rehearsal.plan.answer]`
    Answer { share: Ratio, body: String, content_type: HeaderValue }
}

impl Mirror {
    pub(super) fn of(layer: &MirrorLayer<Target>) -> Self {
        Self {
            share: Some(layer.handle().share()),
            concurrency: Some(layer.concurrency),
            limit: Some(layer.limit),
            body_cap: Some(layer.body_cap.min(LARGEST)),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut MirrorLayer<Target>) {
        let mut own = layer.clone();
        lay(&mut own.concurrency, &self.concurrency);
        lay(&mut own.limit, &self.limit);
        lay(&mut own.body_cap, &self.body_cap);
        *layer = match self.share {
            Some(share) => own.share(share),
            None => own,
        };
    }
}

impl Rehearsal {
    pub(super) fn of(layer: &RehearsalLayer) -> Self {
        Self {
            allow: Some(layer.is_allowed()),
            header: Some(layer.header_set().cloned()),
            plan: Some(layer.plan_set().map(Faults::of)),
        }
    }

    pub(super) fn lay_over(&self, layer: &mut RehearsalLayer, reader: &mut Reader<'_>) {
        let allow = self.allow.unwrap_or_else(|| layer.is_allowed());
        let header = self.header.clone().unwrap_or_else(|| layer.header_set().cloned());
        let plan = match &self.plan {
            Some(plan) => {
                plan.as_ref().map(|faults| reader.under("plan", |reader| faults.plan(reader)))
            }
            None => layer.plan_set().cloned(),
        };
        let before = (layer.is_allowed(), layer.header_set(), layer.plan_set());
        if (allow, header.as_ref(), plan.as_ref()) != before {
            *layer = layer.clone().set_to(allow, header, plan);
        }
    }
}

impl Faults {
    fn of(plan: &Plan) -> Self {
        let Plan { latency, statuses, hang, reset, slow_body, answer } = plan;
        Self {
            latency: latency.as_ref().map(|latency| Latency {
                share: Some(latency.share),
                from: Some(latency.from),
                to: Some(latency.to),
            }),
            status: Some(
                statuses
                    .iter()
                    .map(|(share, code)| Status { share: Some(*share), code: Some(*code) })
                    .collect(),
            ),
            hang: Some(*hang),
            reset: Some(*reset),
            slow_body: slow_body
                .as_ref()
                .map(|slow| SlowBody { share: Some(slow.share), pause: Some(slow.pause) }),
            answer: answer.as_ref().map(|answer| Answer {
                share: Some(answer.share),
                body: Some(String::from_utf8_lossy(&answer.body).into_owned()),
                content_type: Some(answer.content_type.clone()),
            }),
        }
    }

    fn plan(&self, reader: &mut Reader<'_>) -> Plan {
        let none = Ratio::ZERO;
        let mut plan =
            Plan::new().hang(self.hang.unwrap_or(none)).reset(self.reset.unwrap_or(none));
        if let Some(Latency { share, from, to }) = &self.latency {
            let from = from.unwrap_or_default();
            plan = plan.latency(needed(*share, "latency", reader), from, to.unwrap_or(from));
        }
        for (at, Status { share, code }) in self.status.iter().flatten().enumerate() {
            let place = format!("status[{at}]");
            let (share, code) = (needed(*share, &place, reader), code.unwrap_or(USUAL));
            if plan.statuses.iter().any(|(_, known)| *known == code) {
                reader.under(&place, |reader| {
                    reader.under("code", |reader| {
                        reader.wrong(format!("{} has a share already: add them up", code.as_u16()));
                    });
                });
            }
            plan = plan.status(share, code);
        }
        if let Some(SlowBody { share, pause }) = &self.slow_body {
            plan = plan.slow_body(needed(*share, "slow_body", reader), pause.unwrap_or_default());
        }
        if let Some(Answer { share, body, content_type }) = &self.answer {
            let json = HeaderValue::from_static("application/json");
            let content_type = content_type.clone().unwrap_or(json);
            let share = needed(*share, "answer", reader);
            plan = plan.answer(share, body.clone().unwrap_or_default(), content_type);
        }
        plan
    }
}

/// The share of a fault, without which it would be on and do nothing.
fn needed(share: Option<Ratio>, fault: &str, reader: &mut Reader<'_>) -> Ratio {
    share.unwrap_or_else(|| {
        reader.under(fault, |reader| {
            reader.under("share", |reader| {
                reader.wrong("it is missing: say which share of the calls gets the fault");
            });
        });
        Ratio::ZERO
    })
}

/// What providers answer that are down.
const USUAL: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
