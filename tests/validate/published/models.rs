//! Providers of language models.

use super::{Fine, JSON, Later, Limit, Login, Refused, Row, each_means, vendors};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // OpenAI
    ("OpenAI, Error codes", 429, JSON, r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#, Refused),
    ("OpenAI, Error codes", 429, JSON, r#"{"error":{"message":"no budget","type":"insufficient_quota","param":null,"code":null}}"#, Refused),
    ("OpenAI, Rate limits", 429, JSON, r#"{"error":{"message":"Rate limit reached: try again in 20s","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#, Limit(None)),
    ("OpenAI, Error codes", 401, JSON, r#"{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","code":"invalid_api_key"}}"#, Login),
    ("OpenAI, Error codes", 403, JSON, r#"{"error":{"code":"unsupported_country_region_territory","message":"no","type":"request_forbidden"}}"#, Refused),
    ("OpenAI, Error codes", 500, JSON, r#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#, Later),
    ("OpenAI, Error codes", 503, JSON, r#"{"error":{"message":"The engine is currently overloaded","type":"server_error"}}"#, Later),
    ("OpenAI, Error codes", 400, JSON, r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#, Refused),
    ("OpenAI, Batch object", 200, JSON, r#"{"id":"batch_1","object":"batch","status":"failed","errors":{"object":"list","data":[{"code":"rate_limit_exceeded"}]}}"#, Fine),
    ("Azure OpenAI, Quotas", 429, JSON, r#"{"error":{"code":"429","message":"Requests have exceeded the call rate limit. Please retry after 26 seconds."}}"#, Limit(None)),
    // Anthropic
    ("Anthropic, Errors", 529, JSON, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, Later),
    ("Anthropic, Errors", 429, JSON, r#"{"type":"error","error":{"type":"rate_limit_error","message":"tokens per minute"}}"#, Limit(None)),
    ("Anthropic, Errors", 401, JSON, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#, Login),
    ("Anthropic, Errors", 400, JSON, r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#, Refused),
    ("Anthropic, Errors", 413, JSON, r#"{"type":"error","error":{"type":"request_too_large","message":"too large"}}"#, Refused),
    ("Anthropic, Errors", 500, JSON, r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#, Later),
    ("Anthropic, Messages", 200, JSON, r#"{"type":"message","content":[{"type":"text","text":"{\"ok\":false,\"error\":\"ratelimited\"}"}],"stop_reason":"max_tokens"}"#, Fine),
    // Gemini
    ("Gemini, Rate limits; google.rpc.RetryInfo", 429, JSON, r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"58s"}]}}"#, Limit(Some(58.0))),
    ("Gemini, streamGenerateContent", 429, JSON, r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12.5s"}]}}]"#, Limit(Some(12.5))),
    ("Gemini, Troubleshooting", 400, JSON, r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#, Login),
    ("Gemini, Troubleshooting", 400, JSON, r#"{"error":{"code":400,"message":"location is not supported","status":"FAILED_PRECONDITION"}}"#, Refused),
    ("Gemini, Troubleshooting", 503, JSON, r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#, Later),
    ("Gemini, Troubleshooting", 500, JSON, r#"{"error":{"code":500,"message":"An internal error","status":"INTERNAL"}}"#, Later),
    ("Gemini, generateContent", 200, JSON, r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{}}"#, Fine),
];

#[tokio::test(start_paused = true)]
async fn answers_of_models_mean_what_their_pages_say() {
    each_means(ROWS, vendors).await;
}
