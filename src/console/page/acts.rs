use std::sync::Arc;

use maud::{Markup, html};

use super::super::acts::{ActResult, ConsoleAct};
use super::super::route::link;
use super::super::task::{Task, Tasks};
use super::super::words;
use super::layout::{Frame, text, time};

/// What people did on this console, newest first.
pub(in crate::console) fn acts(frame: &Frame<'_>, acts: &[ConsoleAct], tasks: &Tasks) -> Markup {
    let main = html! {
        h1 { "What people did" }
        @if acts.is_empty() { p { "Nothing yet, since this process began." } } @else {
            p { a href=(link(&[("acts", "csv")])) { "As a table for a spreadsheet" } }
            div .scroll tabindex="0" role="region" aria-label="Acts" {
                table {
                    thead {
                        tr {
                            th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Why" }
                            th scope="col" { "Until" } th scope="col" { "Came to" }
                        }
                    }
                    tbody { @for act in acts { (row(act, tasks)) } }
                }
            }
        }
        p .hint { "This process remembers the last thousand. What was done to messages stands in the store, too." }
    };
    frame.page("What people did", false, main)
}

fn row(act: &ConsoleAct, tasks: &Tasks) -> Markup {
    html! {
        tr {
            th scope="row" { (time(act.at)) }
            td { (text(&act.who)) } td { (text(&act.what)) } td { (text(&act.why)) }
            td { @if let Some(until) = act.until { (time(until)) } }
            td {
                @if act.result == ActResult::Begun && tasks.get(act.number).is_some() {
                    a href=(link(&[("task", &act.number.to_string())])) { "begun" }
                } @else { (text(&act.result.to_string())) }
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
    let number = act.number.to_string();
    let main = html! {
        h1 { (text(&act.what)) }
        p { "By " (text(&act.who)) ", " (time(act.at)) ": " (text(&act.why)) }
        p role="status" { (text(&progress.words())) @if progress.is_over { ". It is over." } @else { " so far." } }
        @if let Some(error) = &progress.error { p .note.bad { (text(error)) } }
        @if progress.is_over { p { a href=(link(&[("acts", "")])) { "What people did" } } } @else {
            p { a href=(link(&[("task", &number)])) { "Look again" } }
            @if view.may_stop {
                (frame.act("stop", &[("task", &number)], html! {}, html! { button { "Stop it" } }))
            }
        }
    };
    frame.page(&act.what, false, main)
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
