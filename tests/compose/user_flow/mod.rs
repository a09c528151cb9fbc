//! Every layer of the `user_flow` preset acts, with the preset's own values.

mod breaker;
mod bulkhead;
mod identity;
mod limited;
mod limits;
mod retries;
mod steering;

use outrigger::integration::OwnClient;
use outrigger::{Integration, IntegrationBuilder};

fn preset() -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("crm")
}
