//! A lane's settings from a file.

use outrigger::outbox::{Lane, LaneConfig};
use outrigger::testing::{Answer, Script};

use super::bench::{integration, mail, memory, secs, sleep, start};

#[tokio::test(start_paused = true)]
async fn a_file_sets_a_lane_over_what_code_set() {
    let script = Script::by(|_| Answer::status(201).after(secs(10)));
    let lane = Lane::new(&integration("mailer", &script)).concurrency(1);
    let file = "concurrency = 8\ntenant_limit = 3\ncall_limit = \"20s\"";
    let config: LaneConfig = toml::from_str(file).unwrap();
    assert_eq!(toml::from_str::<LaneConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
    let lane = lane.config(&config);
    let shown = format!("{lane:?}");
    assert!(shown.contains("call_limit: 20s") && shown.contains("lease: 30s"), "{shown}");
    let running = start(memory().lane(lane).build().unwrap());
    for _ in 0..9 {
        running.enqueue(mail("1").tenant("ada")).await;
    }
    sleep(5).await;
    assert_eq!(script.requests().len(), 3);
    running.shut_down(secs(60)).await;
}

#[test]
fn a_mistake_in_a_lanes_file_is_named() {
    let read = |file: &str| toml::from_str::<LaneConfig>(file).unwrap_err().to_string();
    let both = read("tenant_limits = 3\nlease = 90");
    assert!(both.contains("\"tenant_limit\"") && both.contains("lease"), "{both}");
    assert!(toml::from_str::<LaneConfig>("tenant_limit = \"none\"").is_ok());
}
