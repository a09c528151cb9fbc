//! Every order in which two threads can meet at a map.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use loom::thread;

use super::{KeyOf, KeyedMap, KeyedValue};
use crate::context::RequestHead;

struct AtRest;

impl KeyedValue for AtRest {
    fn is_at_rest(&self) -> bool {
        true
    }
}

fn map(most: usize) -> Arc<KeyedMap<AtRest, ()>> {
    let key: KeyOf = Arc::new(|head| head.uri.path().into());
    Arc::new(KeyedMap::new(key, most, Duration::from_secs(3_600), ()))
}

fn touch(map: &KeyedMap<AtRest, ()>, path: &'static str) -> Arc<AtRest> {
    let request = Request::get(path).body(()).expect("a request");
    map.of(&RequestHead::of(&request), |_, ()| AtRest).expect("a value at rest may go")
}

#[test]
fn two_calls_that_are_the_first_of_their_key_share_one_value() {
    loom::model(|| {
        let map = map(2);
        let other = Arc::clone(&map);
        let other = thread::spawn(move || touch(&other, "/a"));
        let own = touch(&map, "/a");
        assert!(Arc::ptr_eq(&own, &other.join().unwrap()));
        assert_eq!(map.keys(), ["/a"]);
    });
}

#[test]
fn a_full_map_stays_as_large_as_it_may_be() {
    loom::model(|| {
        let map = map(1);
        touch(&map, "/a");
        let other = Arc::clone(&map);
        let other = thread::spawn(move || drop(touch(&other, "/b")));
        touch(&map, "/c");
        other.join().unwrap();
        let keys = map.keys();
        assert_eq!(keys.len(), 1);
        assert!(map.get(&keys[0]).is_some());
    });
}
