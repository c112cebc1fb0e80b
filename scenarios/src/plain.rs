//! Text that came from a file, made safe to be shown: names and messages of capsules, traces and scenarios may hold anything.
//!
//! Owns what counts as harmless. Control characters move the cursor or end a line that another program reads; marks of direction make a
//! text look like another one; both are shown as escapes. A line that begins like a workflow command of GitHub would be carried out
//! by its runner, and is broken up.

use std::borrow::Cow;

/// Whether a character changes how those around it are shown: marks of direction, and other invisible ones.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn is_harmful(c: char) -> bool {
    c.is_control() || is_deceptive(c)
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A text of one line.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_harmful)
}

/// A text of several lines.
pub fn block(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_harmful(c) && c != '\n' && c != '\t')
}

/// All that a program is about to print, with colours of its own: the last gate, for what nobody thought of before.
pub fn output(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        one_line(line, &mut out);
    }
    out
}

fn one_line(line: &str, out: &mut String) {
    let mut rest = line;
    // Whether all so far is blank, so that what comes is the first that a runner looks at.
    let mut is_start = true;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        let is_command = (is_start && c == ':' && rest.starts_with(':')) || (c == '[' && out.ends_with("##"));
        if is_command {
            out.extend(c.escape_unicode());
        } else if is_harmful(c) && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        is_start &= c.is_whitespace();
    }
}

/// The length of a sequence that sets colours, if the text begins with one.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_turns_the_text_round_is_shown() {
        assert_eq!(line("größe\n\u{1b}[2J\u{202e}x"), "größe\\n\\u{1b}[2J\\u{202e}x");
        assert_eq!(block("a\n\tb\r"), "a\n\tb\\r");
        assert!(matches!(line("plain: text"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_stay_and_no_line_is_a_command_of_a_runner() {
        assert_eq!(
            output("\u{1b}[1;31mFAIL\u{1b}[0m a::b"),
            "\u{1b}[1;31mFAIL\u{1b}[0m a::b"
        );
        assert_eq!(output("a\n  ::error::x\n"), "a\n  \\u{3a}:error::x\n");
        assert_eq!(
            output("\u{1b}[1m::stop-commands::x"),
            "\u{1b}[1m\\u{3a}:stop-commands::x"
        );
        assert_eq!(output("x ##[error]y"), "x ##\\u{5b}error]y");
        assert_eq!(output("\u{1b}[2J\u{1b}]0;t\u{7}"), "\\u{1b}[2J\\u{1b}]0;t\\u{7}");
    }
}
