use http::{Method, StatusCode, Uri};
use serde_json::{Map, Value};

use super::super::check::{Answered, Check};
use super::super::finding::Finding;
use super::super::media::essence;
use super::super::path::at;
use super::super::prefix::Prefix;
use super::super::schema::JsonSchema;
use super::check::mistake;
use crate::settings::ConfigError;

/// An operation, and what its answers are.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: String,
    responses: Vec<Response>,
}

struct Response {
    /// A status, `2XX` or `default`.
    code: String,
    /// Media types or ranges, and their schemas, if they have one.
    contents: Vec<(String, Option<JsonSchema>)>,
}

impl Operation {
    /// The wanted operations of a document.
    pub(super) fn all(
        document: &Value,
        is_wanted: impl Fn(&Method, &str) -> bool,
    ) -> Result<Vec<Self>, ConfigError> {
        // With a reference as its root, the document is the schema that is led to.
        let mut root = document.clone();
        let mut operations = Vec::new();
        for (path, item) in members(document.get("paths")) {
            for (name, operation) in members(Some(resolved(document, item))) {
                let method =
                    METHODS.iter().find(|method| method.as_str().eq_ignore_ascii_case(name));
                let Some(method) = method.filter(|method| is_wanted(method, path)) else {
                    continue;
                };
                let responses = responses(document, operation, &mut root)
                    .map_err(|error| mistake(format!("{method} {path}: {error}")))?;
                operations.push(Self { method: method.clone(), path: path.clone(), responses });
            }
        }
        Ok(operations)
    }

    pub(super) fn is(&self, method: &Method, path: &str) -> bool {
        self.method == *method && self.path == path
    }

    /// Whether a path is this one, with values in the places of parameters.
    pub(super) fn fits(&self, path: &str) -> bool {
        let (mut own, mut other) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), other.next()) {
                (None, None) => return true,
                (Some(own), Some(other)) if fits_segment(own, other) => {}
                _ => return false,
            }
        }
    }

    pub(super) fn check(&self, answer: &Answered<'_>, body: &Prefix<'_>) -> Finding {
        let Some(response) = self.response(answer.status) else { return Finding::pass() };
        if response.contents.is_empty() {
            return Finding::pass();
        }
        let essence = essence(answer.headers).unwrap_or_default().to_ascii_lowercase();
        let of_type = |range: &str| response.contents.iter().find(|(media, _)| *media == range);
        let all_of = || essence.split_once('/').map(|(kind, _)| format!("{kind}/*"));
        let content = of_type(&essence).or_else(|| of_type(&all_of()?)).or_else(|| of_type("*/*"));
        match content {
            None => Finding::invalid("the body is of another media type"),
            Some((_, None)) => Finding::pass(),
            Some((_, Some(schema))) => schema.check(answer, body),
        }
    }

    fn response(&self, status: StatusCode) -> Option<&Response> {
        let of = |code: &str| {
            self.responses.iter().find(|response| response.code.eq_ignore_ascii_case(code))
        };
        of(status.as_str()).or_else(|| of("2XX")).or_else(|| of("default"))
    }
}

/// The responses of an operation that may be of a 2xx.
fn responses(
    document: &Value,
    operation: &Value,
    root: &mut Value,
) -> Result<Vec<Response>, String> {
    let all = members(operation.get("responses"));
    let of_success = all.filter(|(code, _)| code.starts_with('2') || *code == "default");
    let read = |(code, response): (&String, &Value)| {
        let content = members(resolved(document, response).get("content"));
        let contents = content.map(|(media, content)| {
            let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let schema = content.get("schema").filter(|_| is_json(&essence));
            let schema = schema.map(|schema| compile(root, schema)).transpose()?;
            Ok::<_, String>((essence, schema))
        });
        Ok(Response { code: code.clone(), contents: contents.collect::<Result<_, _>>()? })
    };
    of_success.map(read).collect()
}

/// A schema of the document, whose references lead to places in it.
fn compile(root: &mut Value, schema: &Value) -> Result<JsonSchema, String> {
    root[MEANT] = schema.clone();
    root["$ref"] = format!("#/{MEANT}").into();
    JsonSchema::compile(root)
}

/// What a reference leads to, in this document; a few levels deep.
fn resolved<'d>(document: &'d Value, mut value: &'d Value) -> &'d Value {
    for _ in 0..DEEPEST {
        let reference = value.get("$ref").and_then(Value::as_str);
        let Some(found) = reference.and_then(|to| at(document, to.strip_prefix('#')?)) else {
            break;
        };
        value = found;
    }
    value
}

/// The paths of the servers, without a slash at the end.
pub(super) fn base_paths(document: &Value) -> Vec<String> {
    let servers = document.get("servers").and_then(Value::as_array);
    let urls = servers.into_iter().flatten().filter_map(|server| server.get("url")?.as_str());
    let paths = urls.filter_map(|url| url.parse::<Uri>().ok());
    let mut paths: Vec<_> = paths.map(|uri| uri.path().trim_end_matches('/').to_owned()).collect();
    paths.push(String::new());
    paths
}

/// A parameter may be a part of its segment, `report.{format}`, and is never empty.
fn fits_segment(own: &str, other: &str) -> bool {
    let Some((before, parameter)) = own.split_once('{') else { return own == other };
    let after = parameter.split_once('}').map_or("", |(_, after)| after);
    let Some(other) = other.strip_prefix(before) else { return false };
    match after {
        "" => !other.is_empty(),
        after => (1..other.len())
            .any(|at| other.is_char_boundary(at) && fits_segment(after, &other[at..])),
    }
}

fn is_json(essence: &str) -> bool {
    super::super::media::is_json(essence) || essence.ends_with("/*")
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

const METHODS: [Method; 7] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::DELETE,
    Method::OPTIONS,
    Method::PATCH,
    Method::TRACE,
];
/// A member that no document has.
const MEANT: &str = "x-outrigger-schema";
const DEEPEST: usize = 8;
