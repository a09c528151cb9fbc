use outrigger::context::TraceContext;

use super::{headers, state};

#[test]
fn members_of_all_headers_are_kept_in_order() {
    let values = ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"];
    assert_eq!(state(&values).as_deref(), Some("foo=1,bar=2,rojo=1,congo=2,baz=3"));
}

#[test]
fn empty_members_and_headers_are_left_out() {
    assert_eq!(state(&[""]), None);
    for values in [["foo=1", ""], ["", "foo=1"], [",foo=1,", " , "]] {
        assert_eq!(state(&values).as_deref(), Some("foo=1"), "{values:?}");
    }
}

#[test]
fn spaces_around_members_do_no_harm() {
    for value in ["foo=1 \t , \t bar=2, \t baz=3", "foo=1\t \t,\t \tbar=2,\t \tbaz=3"] {
        assert_eq!(state(&[value]).as_deref(), Some("foo=1,bar=2,baz=3"), "{value:?}");
    }
    for value in [" foo=1", "\tfoo=1", "foo=1 ", "foo=1\t", "\t foo=1 \t"] {
        assert_eq!(state(&[value]).as_deref(), Some("foo=1"), "{value:?}");
    }
}

#[test]
fn every_character_that_is_allowed_is_kept() {
    let key: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
    let value: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    for key in [key.clone(), format!("{key}@a-z0-9_-*/"), format!("0{key}@")] {
        let member = format!("{key}={value}");
        assert_eq!(state(&[&member]), Some(member));
    }
}

#[test]
fn keys_and_values_may_be_so_long_and_no_longer() {
    let member = |key: String, value: usize| format!("{key}={}", "v".repeat(value));
    let longest = "k".repeat(256);
    let good = member(longest.clone(), 256);
    assert_eq!(state(&[&good]), Some(good));
    for bad in [
        member(format!("{longest}k"), 1),
        member("k".into(), 257),
        member("k".into(), 0),
        member("k@".repeat(129), 1),
    ] {
        assert_eq!(state(&[&bad]), None, "{bad}");
    }
}

#[test]
fn keys_of_level_two_are_kept() {
    let tenant = "t".repeat(241);
    for key in [
        "special@",
        "foo@@bar",
        "foo@bar@baz",
        "0@1",
        "t@0",
        &format!("{tenant}@vvvvvvvvvvvvvv"),
        &format!("{tenant}t@v"),
        "t@vvvvvvvvvvvvvvv",
    ] {
        let members = format!("{key}=1,bar=2");
        assert_eq!(state(&[&members]), Some(members));
    }
}

#[test]
fn one_member_that_is_none_discards_all() {
    for value in [
        "foo =1",
        "FOO=1",
        "foo.bar=1",
        "@foo=1,bar=2",
        "bar=2,@foo=1",
        "_foo=1,bar=2",
        "foo=bar=baz",
        "foo=,bar=3",
        "foo",
        "=1",
        "foo=1;bar=2,\u{e9}=1",
    ] {
        assert_eq!(state(&[value]), None, "{value}");
    }
}

#[test]
fn of_a_key_that_comes_twice_the_first_is_kept() {
    for (values, kept) in [
        (["foo=1,foo=1", ""], "foo=1"),
        (["foo=1", "foo=1"], "foo=1"),
        (["foo=1", "foo=2"], "foo=1"),
        (["foo=1,bar=2,foo=3", ""], "foo=1,bar=2"),
        (["foo=1,bar=2", "baz=3,foo=1"], "foo=1,bar=2,baz=3"),
    ] {
        assert_eq!(state(&values).as_deref(), Some(kept), "{values:?}");
    }
}

#[test]
fn of_a_list_that_is_too_long_long_members_go_first_then_the_last() {
    let member = |key: &str, size: usize| format!("{key}={}", "v".repeat(size - key.len() - 1));
    // Ten members and nine commas have 1,024 characters.
    let fits: Vec<_> = ('a'..='i').map(|key| member(&key.to_string(), 100)).collect();
    let fits = [fits, vec![member("j", 115)]].concat().join(",");
    assert_eq!((fits.len(), state(&[&fits])), (1024, Some(fits.clone())));
    let over = format!("{fits}v");
    assert_eq!(state(&[&over]).unwrap(), fits[..9 * 101 - 1], "the last goes");
    let (long, other) = (member("long", 129), member("other", 200));
    assert_eq!(state(&[&long, &fits]), Some(fits.clone()));
    assert_eq!(state(&[&long, &other, &fits]), Some(fits));
    // No more goes than must.
    let short = member("short", 128);
    let all = [member("x", 257), short, member("y", 257), member("z", 257), member("w", 257)];
    assert_eq!(state(&[&all.join(",")]), Some(all[..4].join(",")));
}

#[test]
fn a_list_that_no_grammar_allows_is_not_even_read() {
    let most: Vec<_> = (0..32).map(|n| format!("{n:0256}={}", "v".repeat(256))).collect();
    assert_eq!(state(&[&most.join(",")]).unwrap(), most[0], "the longest that there may be");
    let padded = format!("foo=1,{}", " ,".repeat(200_000));
    assert_eq!(state(&[&padded]), None);
}

#[test]
fn thirty_two_members_are_kept_and_thirty_three_are_not() {
    let members = |most: usize| {
        let members: Vec<_> = (0..most).map(|number| format!("bar{number:02}={number}")).collect();
        members.join(",")
    };
    assert_eq!(state(&[&members(32)]), Some(members(32)));
    assert_eq!(state(&[&members(33)]), None);
    assert_eq!(state(&[&members(20), "foo=1"]).map(|all| all.matches('=').count()), Some(21));
}

#[test]
fn a_state_without_a_parent_is_nothing() {
    assert_eq!(TraceContext::from_headers(&headers(&[("tracestate", "foo=1")])), None);
}

#[test]
fn a_state_under_another_name_is_none() {
    for name in ["trace-state", "trace.state"] {
        let lines = [("traceparent", super::PARENT), (name, "foo=1")];
        let read = TraceContext::from_headers(&headers(&lines)).expect("the parent is one");
        assert_eq!(read.state(), None);
    }
}
