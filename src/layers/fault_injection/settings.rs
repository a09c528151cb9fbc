use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::layer::FaultInjectionLayer;
use super::plan::Plan;
use crate::settings::Ratio;
use crate::settings::read::Reader;
use crate::settings::section::{Table, section};

section! {
    /// `[fault_injection]`
    FaultInjectionSettings { allow: bool, header: Option<HeaderName>, plan: Option<PlanSettings> }
}

section! {
    /// `[fault_injection.plan]`
    PlanSettings {
        latency: LatencySettings,
        status: Vec<StatusSettings>,
        hang: Ratio,
        reset: Ratio,
        slow_body: SlowBodySettings,
        answer: AnswerSettings,
    }
}

section! {
    /// `[fault_injection.plan.latency]`
    LatencySettings { share: Ratio, from: Duration, to: Duration }
}

section! {
    /// `[[fault_injection.plan.status]]`
    StatusSettings { share: Ratio, code: StatusCode }
}

section! {
    /// `[fault_injection.plan.slow_body]`
    SlowBodySettings { share: Ratio, pause: Duration }
}

section! {
    /// `[fault_injection.plan.answer]`
    AnswerSettings { share: Ratio, body: String, content_type: HeaderValue }
}

impl Table<FaultInjectionLayer> for FaultInjectionSettings {
    fn of(layer: &FaultInjectionLayer) -> Self {
        Self {
            allow: Some(layer.is_allowed()),
            header: Some(layer.header_set().cloned()),
            plan: Some(layer.plan_set().map(PlanSettings::of)),
        }
    }

    fn merge(&self, layer: &mut FaultInjectionLayer, reader: &mut Reader<'_>) {
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

    fn key_of<'f>(field: &'f str, _: &FaultInjectionLayer) -> &'f str {
        match field {
            "plan.shares" => "plan",
            field => field,
        }
    }
}

impl PlanSettings {
    fn of(plan: &Plan) -> Self {
        let Plan { latency, statuses, hang, reset, slow_body, answer } = plan;
        Self {
            latency: latency.as_ref().map(|latency| LatencySettings {
                share: Some(latency.share),
                from: Some(latency.from),
                to: Some(latency.to),
            }),
            status: Some(
                statuses
                    .iter()
                    .map(|(share, code)| StatusSettings { share: Some(*share), code: Some(*code) })
                    .collect(),
            ),
            hang: Some(*hang),
            reset: Some(*reset),
            slow_body: slow_body
                .as_ref()
                .map(|slow| SlowBodySettings { share: Some(slow.share), pause: Some(slow.pause) }),
            answer: answer.as_ref().map(|answer| AnswerSettings {
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
        if let Some(LatencySettings { share, from, to }) = &self.latency {
            let from = from.unwrap_or_default();
            plan = plan.latency(needed(*share, "latency", reader), from, to.unwrap_or(from));
        }
        for (at, StatusSettings { share, code }) in self.status.iter().flatten().enumerate() {
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
        if let Some(SlowBodySettings { share, pause }) = &self.slow_body {
            plan = plan.slow_body(needed(*share, "slow_body", reader), pause.unwrap_or_default());
        }
        if let Some(AnswerSettings { share, body, content_type }) = &self.answer {
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
