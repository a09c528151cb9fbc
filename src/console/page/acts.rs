use std::sync::Arc;

use maud::{Markup, html};

use super::super::acts::{ActResult, ConsoleAct};
use super::super::route::link;
use super::super::task::{Task, Tasks};
use super::super::words::{self, Words, say, text};
use super::layout::{Frame, table, text, time};

/// What people did on this console, newest first.
pub(in crate::console) fn acts(frame: &Frame<'_>, acts: &[ConsoleAct], tasks: &Tasks) -> Markup {
    let w = frame.words;
    let rows = html! { @for act in acts { (row(w, act, tasks)) } };
    let columns = [
        text!("When"),
        text!("Who"),
        text!("What"),
        text!("Why"),
        text!("Until"),
        text!("Came to"),
    ];
    let main = html! {
        h1 { (say!(w, "What people did")) }
        @if acts.is_empty() { p { (say!(w, "Nothing yet, since this process began.")) } } @else {
            p { a href=(link(&[("acts", "csv")])) { (say!(w, "As a table for a spreadsheet")) } }
            (table(w, text!("Acts"), &columns, rows))
        }
        p .hint { (say!(w, "This process remembers the last thousand. What was done to messages stands in the store, too.")) }
    };
    frame.page(text!("What people did"), false, main)
}

fn row(w: &dyn Words, act: &ConsoleAct, tasks: &Tasks) -> Markup {
    let (what, why, result) = act.said();
    html! {
        tr {
            th scope="row" { (time(act.at)) }
            td { (text(&act.who)) } td { (w.html(what)) } td { (w.html(why)) }
            td { @if let Some(until) = act.until { (time(until)) } }
            td {
                @if act.result == ActResult::Begun && tasks.get(act.number).is_some() {
                    a href=(link(&[("task", &act.number.to_string())])) { (w.html(result)) }
                } @else { (w.html(result)) }
            }
        }
    }
}

/// An act on many messages.
pub(in crate::console) struct TaskView {
    pub(in crate::console) task: Arc<Task>,
    pub(in crate::console) may_stop: bool,
}

/// How far an act on many messages is.
pub(in crate::console) fn task(frame: &Frame<'_>, view: &TaskView) -> Markup {
    let (act, progress) = (&view.task.act, view.task.progress());
    let (w, number) = (frame.words, act.number.to_string());
    let (what, why, _) = act.said();
    let so_far = match progress.is_over {
        true => say!(w, "{done}. It is over.", done = progress.words()),
        false => say!(w, "{done} so far.", done = progress.words()),
    };
    let main = html! {
        h1 { (w.html(what.clone())) }
        p { (say!(w, "By {who}, {time}: {why}", who = text(&act.who), time = time(act.at), why = why)) }
        p role="status" { (so_far) }
        @if let Some(error) = progress.error { p .note.bad { (w.html(error)) } }
        @if progress.is_over { p { a href=(link(&[("acts", "")])) { (say!(w, "What people did")) } } } @else {
            p { a href=(link(&[("task", &number)])) { (say!(w, "Look again")) } }
            @if view.may_stop {
                (frame.act("stop", &[("task", &number)], html! {}, html! { button { (say!(w, "Stop it")) } }))
            }
        }
    };
    frame.page(what, false, main)
}

/// The acts as comma-separated values (RFC 4180).
pub(in crate::console) fn csv(acts: &[ConsoleAct]) -> String {
    let mut text = "number,at,who,right,what,why,until,result\r\n".to_owned();
    for act in acts {
        let until = act.until.map(words::date).unwrap_or_default();
        let cells = [
            act.number.to_string(),
            words::date(act.at),
            act.who.clone(),
            act.right.name().to_owned(),
            act.what.clone(),
            act.why.clone(),
            until,
            act.result.to_string(),
        ];
        text += &cells.map(|value: String| cell(&value)).join(",");
        text += "\r\n";
    }
    text
}

/// Quoted, and never a formula of a spreadsheet.
fn cell(value: &str) -> String {
    let is_formula =
        value.trim_start().starts_with(['=', '+', '-', '@']) || value.starts_with(['\t', '\r']);
    let quote = if is_formula { "'" } else { "" };
    format!("\"{quote}{}\"", words::shown(value).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        assert_eq!(cell("stop it"), "\"stop it\"");
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("  @SUM(A1)"), "\"'  @SUM(A1)\"");
        assert_eq!(cell("say \"no\", twice\r\n"), "\"say \"\"no\"\", twice␍\n\"");
    }
}
