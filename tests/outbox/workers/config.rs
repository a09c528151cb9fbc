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
fn a_files_limit_of_a_call_moves_no_lease_that_code_set() {
    let read = |file: &str| toml::from_str::<LaneConfig>(file).unwrap();
    let mailer = integration("mailer", &Script::new([Answer::status(201)]));
    let lane = || Lane::new(&mailer).lease(secs(600));
    let shown = |lane: Lane| format!("{lane:?}");
    let own = shown(lane().config(&read("call_limit = \"20s\"")));
    assert!(own.contains("call_limit: 20s") && own.contains("lease: 600s"), "{own}");
    let files = shown(lane().config(&read("call_limit = \"20s\"\nlease = \"40s\"")));
    assert!(files.contains("lease: 40s"), "{files}");
    let years = shown(Lane::new(&mailer).config(&read("call_limit = \"400000000000years\"")));
    assert!(years.contains("call_limit: 1"), "{years}");
}

#[test]
fn a_mistake_in_a_lanes_file_is_named() {
    let read = |file: &str| toml::from_str::<LaneConfig>(file).unwrap_err().to_string();
    let both = read("tenant_limits = 3\nlease = 90");
    assert!(both.contains("\"tenant_limit\"") && both.contains("lease"), "{both}");
    assert!(toml::from_str::<LaneConfig>("tenant_limit = \"none\"").is_ok());
}
