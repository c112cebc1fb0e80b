//! The text of the page: a head with its policy, a summary for those without scripts, the data, our style and our scripts.

use super::columns::{Contents, shortened};
use crate::plain;
use crate::timeline::place;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
/// In the order in which they build on each other.
const SCRIPTS: &[&str] = &[
    include_str!("page/data.js"),
    include_str!("page/theme.js"),
    include_str!("page/view.js"),
    include_str!("page/diagram.js"),
    include_str!("page/clients.js"),
    include_str!("page/overview.js"),
    include_str!("page/panels.js"),
    include_str!("page/keys.js"),
    include_str!("page/main.js"),
];
/// Longest scenario and longest text that the head of a page shows, in bytes.
const TEXT_MAX: usize = 64 << 10;

/// Everything of a page but its data.
#[derive(Debug)]
pub struct Frame {
    head: Value,
    title: String,
    summary: String,
}

impl Frame {
    /// For a trace.
    pub fn new(contents: &Contents<'_>) -> Self {
        let (header, footer) = (&contents.timeline.trace.header, &contents.timeline.trace.footer);
        let short = |text: &str| shortened(text.to_owned(), 2_000);
        let cut_short = contents.timeline.cut_short();
        let verdict = match (contents.timeline.passed(), &cut_short) {
            (true, _) => "PASS",
            (false, Some(_)) => "CUT SHORT",
            (false, None) => "FAIL",
        };
        let run = header.run.as_ref();
        let said = |name: &str| run.and_then(|run| run.get(name)).and_then(Value::as_str);
        let counts: Vec<_> = footer
            .counts
            .iter()
            .take(200)
            .map(|(name, count)| json!([short(name), count]))
            .collect();
        let head = json!({
            "verdict": verdict,
            "signature": short(cut_short.as_ref().unwrap_or(&footer.verdict)),
            "message": contents.message().map(|text| shortened(text, TEXT_MAX)),
            "scenario": short(&header.scenario),
            "seed": short(&header.seed),
            "digest": short(&footer.digest),
            "tool": short(&header.tool),
            "bug": said("bug").map(short),
            "replay": contents.replay().map(|line| short(&line)),
            "toml": said("toml").map(|toml| shortened(toml.to_owned(), TEXT_MAX)),
            "counts": counts,
        });
        let title = format!("{verdict} {} {} · Squall", short(&header.scenario), short(&header.seed));
        let summary = contents.summary();
        Self { head, title, summary }
    }

    /// For two traces: that of the first, and what `compared` says of both.
    pub fn comparing(contents: &Contents<'_>, compared: Value) -> Self {
        let mut frame = Self::new(contents);
        frame.head["compared"] = compared;
        frame
    }

    /// How large a page is without its data, in bytes.
    pub fn size(&self) -> usize {
        self.page("", usize::MAX).len()
    }

    /// The text of the file.
    pub fn page(&self, data: &str, shown: usize) -> String {
        let script = format!("(() => {{\n\"use strict\";\n{}}})();\n", SCRIPTS.concat());
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
            hash(&script),
            hash(STYLE)
        );
        let mut head = self.head.clone();
        make_harmless(&mut head);
        head["shown"] = shown.into();
        let parts: [(&str, &str); 7] = [
            ("policy", &policy),
            ("title", &escaped(&plain::line(&self.title))),
            ("style", STYLE),
            ("summary", &escaped(&plain::block(&self.summary))),
            ("head", &json_in_html(&head)),
            ("data", data),
            ("script", &script),
        ];
        filled(TEMPLATE, &parts)
    }
}

/// The template with each `{{name}}` replaced once; what was put in is not looked at again.
fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(template.len() + parts.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the template closes its braces");
        let part = parts
            .iter()
            .find(|(part, _)| *part == name)
            .expect("the template names its parts");
        page.push_str(before);
        page.push_str(part.1);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// A text as text of HTML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Shows what would turn the texts of a document round, or hide a part of them.
fn make_harmless(value: &mut Value) {
    match value {
        Value::String(text) => *text = plain::block(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(make_harmless),
        Value::Object(fields) => fields.values_mut().for_each(make_harmless),
        _ => {}
    }
}

/// A document that can stand in a script element: nothing in it can end that, or begin a comment.
fn json_in_html(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

impl Contents<'_> {
    /// What is wrong, in a sentence or more.
    fn message(&self) -> Option<String> {
        let events = self.timeline.events.iter().rev();
        let noted = events
            .filter(|event| matches!(&*event.kind, "violation" | "verdict"))
            .find_map(|event| Some(event.fields.get("message")?.as_str()?.to_owned()));
        let refusal = self.operations.refusal.as_ref().map(|(sentence, _)| sentence.clone());
        refusal.or(noted)
    }

    /// The line that runs this again, as far as the header says it.
    fn replay(&self) -> Option<String> {
        let header = &self.timeline.trace.header;
        let run = header.run.as_ref()?;
        let quoted = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._/:=-".contains(c);
            if !text.is_empty() && text.chars().all(plain) {
                text.to_owned()
            } else {
                format!("'{}'", text.replace('\'', r"'\''"))
            }
        };
        // What a capsule does no seed does.
        if run.get("capsule").is_some() {
            let file = run.get("file")?.as_str()?;
            return Some(format!("squall replay {}", quoted(file)));
        }
        let name = run.get("name")?.as_str()?;
        let mut line = format!("squall run {} --seed {}", quoted(name), quoted(&header.seed));
        for pair in run.get("set").and_then(Value::as_array).into_iter().flatten() {
            let (key, value) = (pair.get(0)?.as_str()?, pair.get(1)?.as_str()?);
            line.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
        }
        if let Some(bug) = run.get("bug").and_then(Value::as_str) {
            line.push_str(&format!(" --bug {}", quoted(bug)));
        }
        Some(line)
    }

    /// What there is to say without scripts.
    fn summary(&self) -> String {
        let (header, footer) = (&self.timeline.trace.header, &self.timeline.trace.footer);
        let mut lines = vec![
            format!(
                "verdict   {}",
                self.timeline.cut_short().unwrap_or_else(|| footer.verdict.clone())
            ),
            format!("scenario  {}", header.scenario),
            format!("seed      {}", header.seed),
            format!("digest    {}", footer.digest),
            format!("events    {}", self.timeline.events.len()),
        ];
        lines.extend(self.replay().map(|line| format!("replay    {line}")));
        lines.extend(self.message().map(|message| format!("\n{message}")));
        let chain = std::iter::successors(self.focus(), |row| self.timeline.causes[*row]);
        let chain: Vec<String> = chain
            .take(40)
            .map(|row| {
                let event = self.timeline.events[row];
                let sort = event.fields.get("type").and_then(Value::as_str).unwrap_or("");
                let at = place(event).map_or_else(String::new, |place| place.to_string());
                format!("{:>10}  {:>16} ns  {at:<4}  {} {sort}", event.seq, event.t, event.kind)
            })
            .collect();
        if !chain.is_empty() {
            lines.push(format!("\nHow it came to this, latest first:\n{}", chain.join("\n")));
        }
        shortened(lines.join("\n"), TEXT_MAX)
    }
}
