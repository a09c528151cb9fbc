//! Every layer of the `background` preset acts, with the preset's own values.

mod breaker;
mod bulkhead;
mod identity;
mod limits;
mod retries;
mod steering;

use outrigger::integration::OwnClient;
use outrigger::{Integration, IntegrationBuilder};

fn preset() -> IntegrationBuilder<OwnClient> {
    Integration::background("crm")
}
