//! The pages: functions from what is known to HTML. Text is escaped by its type; what strangers wrote is shown
//! through [`words::shown`](super::words::shown).

mod acts;
mod details;
mod find;
mod instances;
mod integration;
mod lane;
mod layout;
mod message;
mod overview;
mod said;
mod settings;
mod until;

pub(super) use acts::{TaskView, acts, csv, task};
pub(super) use find::{Found, find};
pub(super) use instances::{InstancesView, instances};
pub(super) use integration::{IntegrationView, integration};
pub(super) use lane::{LanePage, lane};
pub(super) use layout::{Frame, Note, note};
pub(super) use message::{MessageView, message};
pub(super) use overview::{Card, LaneCard, OverviewView, overview, parts};
pub(super) use settings::{SettingsView, settings};
