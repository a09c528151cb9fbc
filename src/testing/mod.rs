//! For tests of code that calls third parties: scripted services, a readiness probe, a recorder.
//!
//! Together with tokio's paused time and a seeded [`Rng`](crate::rt::Rng), a provider's worst day
//! takes milliseconds and is the same every time.
//!
//! ```
//! use outrigger::{Integration, testing::{Answer, Script}};
//! use http::{Request, StatusCode};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let provider = Script::new([Answer::status(503), Answer::status(200)]);
//! let crm = Integration::user_flow("crm").service(provider.clone()).build()?;
//!
//! let response = crm.send(Request::get("http://crm.test/").body(())?).await?;
//! assert_eq!(response.status(), StatusCode::OK);
//! assert_eq!(provider.requests().len(), 2);
//! # Ok(()) }
//! ```

mod probe;
mod recorder;
mod script;

pub use probe::ReadinessProbe;
pub use recorder::EventRecorder;
pub use script::{Answer, Script, SeenRequest};
