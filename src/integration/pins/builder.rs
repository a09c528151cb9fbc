use super::pin::Pin;
use crate::integration::builder::IntegrationBuilder;
use crate::settings::ValidationError;

impl<T> IntegrationBuilder<T> {
    /// Pins a version of the provider's API: each request to the base URL's origin asks for it, unless it asks
    /// for one itself.
    ///
    /// The first request with another version of its own is told as
    /// [`Event::PinOverridden`](crate::event::Event::PinOverridden). An answer that has another version than
    /// was asked for is told as [`Event::PinDiffers`](crate::event::Event::PinDiffers), once for each version,
    /// and is in health and in the gauge `outrigger.pin.differs` while answers have it. A pin is written before
    /// anything is stored or signed. No file sets one: which version your code understands is decided in code.
    /// For webhooks, give the same version to an inbox's `api_version`.
    ///
    /// ```
    /// use outrigger::Integration;
    /// use outrigger::integration::Pin;
    /// use outrigger::testing::{Answer, Script}; // needs the feature `test-util`
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let provider = Script::new([Answer::status(200).header("stripe-version", "2026-01-28")]);
    /// let stripe = Integration::user_flow("stripe")
    ///     .service(provider.clone())
    ///     .pin(Pin::stripe("2025-09-30"))
    ///     .build()?;
    ///
    /// stripe.get("https://api.stripe.com/v1/balance").send().await?;
    /// assert_eq!(provider.requests()[0].headers()["stripe-version"], "2025-09-30");
    /// assert!(stripe.health().pins[0].differs);
    /// # Ok(()) }
    /// ```
    pub fn pin(mut self, pin: Pin) -> Self {
        self.pins.push(pin);
        self
    }

    pub(in crate::integration) fn pin_mistakes(&self) -> impl Iterator<Item = ValidationError> {
        self.pins.iter().enumerate().filter_map(|(at, pin)| {
            let is_default = pin.header_name().is_some_and(|name| self.endpoint.has_header(name));
            let twice = "its header is a default header, too: remove that";
            let is_second = self.pins[..at].iter().any(|first| first.meets(pin));
            let second = "another pin has the same header or parameter: remove one";
            let problem = pin.mistake().or(is_default.then_some(twice));
            let problem = problem.or(is_second.then_some(second))?;
            Some(ValidationError::new("pin", problem))
        })
    }
}
