//! The example, on the tests' server.

use tokio::sync::oneshot;

use crate::bench::{Place, until};

#[path = "../../examples/fleet.rs"]
#[expect(dead_code, reason = "its `main` is for a process of its own")]
mod fleet;

#[tokio::test]
async fn two_instances_of_the_example_obey_and_leave() {
    let Some(place) = Place::new().await else { return };
    place.client().await.batch_execute("CREATE DATABASE example_fleet").await.unwrap();
    let url = place.server.connection_string().replace("dbname=postgres", "dbname=example_fleet");
    let (stops, running): (Vec<_>, Vec<_>) = ["web-1", "web-2"]
        .map(|name| {
            let ((stop, stopped), url) = (oneshot::channel::<()>(), url.clone());
            let run = async move { fleet::run(&url, name, async { drop(stopped.await) }).await };
            (stop, tokio::spawn(run))
        })
        .into_iter()
        .unzip();
    let mut said = String::new();
    until("both obey", async || {
        // Before they are there, nobody has such an integration.
        said = fleet::steer(&url, "off", "charges are wrong").await.unwrap_or_default();
        said == "2 of 2 obey"
    })
    .await;
    drop(stops);
    for run in running {
        run.await.unwrap();
    }
    assert!(fleet::steer(&url, "on", "it is well").await.is_err(), "all have left");
}
