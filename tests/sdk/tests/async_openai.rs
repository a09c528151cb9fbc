//! async-openai: its client takes a tower service over reqwest's types.

// recipe
use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use outrigger::Integration;
use tower::service_fn;

fn openai(config: OpenAIConfig, models: Integration) -> Client<OpenAIConfig> {
    Client::with_config(config).with_http_service(service_fn(move |request: HttpRequestFactory| {
        let models = models.clone();
        async move {
            let request = request.build().await?;
            models.execute(request).await.map_err(|error| OpenAIError::Boxed(error.into()))
        }
    }))
}

/// outrigger's error. It isn't among the sources: `Boxed` stands for it.
fn verdict(error: &OpenAIError) -> Option<&outrigger::Error> {
    match error {
        OpenAIError::Boxed(error) => error.downcast_ref(),
        _ => None,
    }
}
// end

use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

fn config(provider: &Provider) -> OpenAIConfig {
    OpenAIConfig::new().with_api_key("key").with_api_base(provider.url())
}

fn hello() -> CreateChatCompletionRequest {
    let message = ChatCompletionRequestUserMessage::from("hello");
    let mut request = CreateChatCompletionRequestArgs::default();
    request.model("a-model").messages([message.into()]).build().unwrap()
}

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let models = r#"{"object":"list","data":[{"id":"a-model","object":"model","created":1,"owned_by":"a"}]}"#;
    let provider = Provider::start([Answer::Closes, Answer::json(models)]).await;
    let openai = openai(config(&provider), provider.integration());
    assert_eq!(openai.models().list().await.unwrap().data[0].id, "a-model");
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let openai = openai(config(&provider), provider.impatient());
    let error = openai.chat().create(hello()).await.unwrap_err();
    let error = verdict(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_that_fails_at_the_provider_is_not_repeated_by_the_sdk() {
    let provider = Provider::start([Answer::status(503)]).await;
    let openai = openai(config(&provider), provider.integration());
    openai.chat().create(hello()).await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}
