use std::time::Duration;

use serde_json::{Map, Value, json};

use super::record::{AuditBody, AuditExchange, AuditRecord};
use crate::rt::clamp_to_year_9999;
use crate::terms::Delivery;

impl AuditRecord {
    /// The record as one line of JSON, without fields that have no value.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let seconds = |time: Duration| Value::from(time.as_secs_f64());
        let at = humantime::format_rfc3339_micros(clamp_to_year_9999(self.at)).to_string();
        let fields: [(&str, Option<Value>); 24] = [
            ("at", Some(at.into())),
            ("integration", text(&self.integration)),
            ("call_id", Some(self.call_id.to_string().into())),
            ("attempt", Some(self.attempt.into())),
            ("correlation_id", text(&self.correlation_id)),
            ("trace_id", self.trace_id.map(|id| id.to_string().into())),
            ("span_id", self.span_id.map(|id| id.to_string().into())),
            ("idempotency_key", text(&self.idempotency_key)),
            ("business_key", text(&self.business_key)),
            ("method", self.method.as_ref().map(|method| method.as_str().into())),
            ("host", text(&self.host)),
            ("port", self.port.map(Into::into)),
            ("template", text(&self.template)),
            ("end", Some(self.end.into())),
            ("status", self.status.map(|status| status.as_u16().into())),
            ("error", self.error.map(Into::into)),
            ("delivery", self.delivery.map(Delivery::name).map(Into::into)),
            ("body_read", Some(self.body_read.into())),
            ("acquired", self.acquired.map(seconds)),
            ("head", self.head.map(seconds)),
            ("elapsed", Some(seconds(self.elapsed))),
            ("sent", self.sent.map(Into::into)),
            ("received", Some(self.received.into())),
            ("exchange", self.exchange.as_ref().map(AuditExchange::value)),
        ];
        let known = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(known.collect::<Map<_, _>>()).to_string()
    }
}

impl AuditExchange {
    /// The exchange as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.value().to_string()
    }

    fn value(&self) -> Value {
        json!({
            "uri": self.uri,
            "request_headers": self.request_headers,
            "request_body": body(&self.request_body),
            "response_headers": self.response_headers,
            "response_body": body(&self.response_body),
        })
    }
}

fn body(body: &AuditBody) -> Value {
    json!({ "shown": body.shown, "total": body.total, "is_whole": body.is_whole })
}
