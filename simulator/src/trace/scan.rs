//! Looks into the text of JSON that is known to be JSON, without making anything of it.
//!
//! Owns finding one field of an object, and abbreviating a line. Where a text turns out not to be what it was taken for, it says so.

/// Longest text in a message that an abbreviated line has whole, in bytes.
const TEXT_MAX: usize = 256;
/// Characters that are left of a longer one.
const TEXT_LEFT: usize = 48;
/// Most numbers, texts and so on in a list in a message that an abbreviated line has.
const LIST_MAX: usize = 32;
/// Nesting beyond this is left out of an abbreviated line.
const DEPTH_MAX: u32 = 100;

/// It cannot be said by looking only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclear;

type At = Result<usize, Unclear>;

/// The value of a field of the object in `line`, as text; of several of one name the last.
pub(super) fn field<'a>(line: &'a str, name: &str) -> Result<Option<&'a str>, Unclear> {
    let mut found = None;
    each_field(line, |key, value| {
        if key == name {
            found = Some(value);
        }
    })?;
    Ok(found)
}

/// Calls `take` with the name, as it is written, and the value of each field of an object.
fn each_field<'a>(object: &'a str, mut take: impl FnMut(&'a str, &'a str)) -> Result<(), Unclear> {
    let bytes = object.as_bytes();
    let mut at = space_end(bytes, 0);
    expect(bytes, at, b'{')?;
    at = space_end(bytes, at + 1);
    while bytes.get(at) != Some(&b'}') {
        expect(bytes, at, b'"')?;
        let end = string_end(bytes, at)?;
        let key = &object[at + 1..end - 1];
        // A name with escapes may be any name.
        if key.contains('\\') {
            return Err(Unclear);
        }
        at = space_end(bytes, end);
        expect(bytes, at, b':')?;
        at = space_end(bytes, at + 1);
        let end = value_end(bytes, at)?;
        take(key, &object[at..end]);
        at = space_end(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = space_end(bytes, at + 1);
        }
    }
    Ok(())
}

fn expect(bytes: &[u8], at: usize, byte: u8) -> Result<(), Unclear> {
    if bytes.get(at) == Some(&byte) {
        Ok(())
    } else {
        Err(Unclear)
    }
}

fn space_end(bytes: &[u8], at: usize) -> usize {
    let is_space = |byte: &&u8| byte.is_ascii_whitespace();
    at + bytes[at.min(bytes.len())..].iter().take_while(is_space).count()
}

/// Behind the text whose quote is at `at`.
fn string_end(bytes: &[u8], at: usize) -> At {
    let mut next = at + 1;
    loop {
        match bytes.get(next).ok_or(Unclear)? {
            b'"' => return Ok(next + 1),
            b'\\' => next += 2,
            _ => next += 1,
        }
    }
}

/// Behind the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> At {
    let mut depth = 0_usize;
    let mut next = at;
    loop {
        match bytes.get(next).ok_or(Unclear)? {
            b'"' => next = string_end(bytes, next)?,
            b'{' | b'[' => {
                depth += 1;
                next += 1;
                continue;
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                next += 1;
            }
            b',' | b':' if depth > 0 => {
                next += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() => next += 1,
            _ => {
                let is_scalar = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                let length = bytes[next..].iter().take_while(is_scalar).count();
                if length == 0 {
                    return Err(Unclear);
                }
                next += length;
            }
        }
        if depth == 0 {
            return Ok(next);
        }
    }
}

/// The line of an event with its `message` abbreviated: of long texts and of long lists of numbers or texts in it the beginnings, and
/// how much more there was. Everything else is as it was.
pub(super) fn abbreviated(line: &str) -> Result<String, Unclear> {
    let mut out = String::from("{");
    let mut is_clear = Ok(());
    each_field(line, |name, value| {
        if out.len() > 1 {
            out.push(',');
        }
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        if name == "message" {
            is_clear = is_clear.and(copy(value, 0, &mut out).map(|_| ()));
        } else {
            out.push_str(value);
        }
    })?;
    is_clear?;
    out.push('}');
    Ok(out)
}

/// Copies the value that begins at `at`, abbreviated; gives where it ends.
fn copy_at(text: &str, at: usize, depth: u32, out: &mut String) -> At {
    let bytes = text.as_bytes();
    match bytes.get(at).ok_or(Unclear)? {
        b'"' => {
            let end = string_end(bytes, at)?;
            copy_text(&text[at..end], out);
            Ok(end)
        }
        b'{' | b'[' if depth >= DEPTH_MAX => {
            out.push_str("\"…\"");
            value_end(bytes, at)
        }
        open @ (b'{' | b'[') => copy_items(text, at, *open == b'{', depth, out),
        _ => {
            let end = value_end(bytes, at)?;
            out.push_str(&text[at..end]);
            Ok(end)
        }
    }
}

fn copy(value: &str, depth: u32, out: &mut String) -> At {
    copy_at(value, 0, depth, out)
}

fn copy_items(text: &str, at: usize, is_object: bool, depth: u32, out: &mut String) -> At {
    let bytes = text.as_bytes();
    let (open, close) = if is_object { ('{', b'}') } else { ('[', b']') };
    out.push(open);
    let mut next = space_end(bytes, at + 1);
    let (mut scalars, mut is_first) = (0, true);
    while *bytes.get(next).ok_or(Unclear)? != close {
        let is_scalar = !is_object && !matches!(bytes[next], b'{' | b'[');
        scalars += usize::from(is_scalar);
        if is_scalar && scalars > LIST_MAX {
            next = value_end(bytes, next)?;
        } else {
            if !std::mem::take(&mut is_first) {
                out.push(',');
            }
            if is_object {
                expect(bytes, next, b'"')?;
                let end = string_end(bytes, next)?;
                out.push_str(&text[next..end]);
                next = space_end(bytes, end);
                expect(bytes, next, b':')?;
                out.push(':');
                next = space_end(bytes, next + 1);
            }
            next = copy_at(text, next, depth + 1, out)?;
        }
        next = space_end(bytes, next);
        if bytes.get(next) == Some(&b',') {
            next = space_end(bytes, next + 1);
        }
    }
    if scalars > LIST_MAX {
        out.push_str(&format!(",\"… ({} more)\"", scalars - LIST_MAX));
    }
    out.push(char::from(close));
    Ok(next + 1)
}

/// Copies a text with its quotes; of a long one the beginning and its length in characters.
fn copy_text(quoted: &str, out: &mut String) {
    if quoted.len() <= TEXT_MAX {
        out.push_str(quoted);
        return;
    }
    let (mut left, mut chars) = (TEXT_LEFT, quoted.chars());
    while left > 0
        && let Some(c) = chars.next()
    {
        out.push(c);
        left -= 1;
        // An escape is not torn: `\u` has four digits.
        if c == '\\' {
            let escape = chars.next();
            out.extend(escape);
            if escape == Some('u') {
                out.extend(chars.by_ref().take(4));
            }
        }
    }
    let length = quoted.chars().count() - 2;
    out.push_str(&format!("… ({length})\""));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
            "[a\"\\\\\n{}\\[\\],:]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_ends_where_it_ends(value in value(), rest in "[,}\\]]?") {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(value_end(format!("{text}{rest}").as_bytes(), 0), Ok(text.len()));
            }
        }

        #[test]
        fn a_short_message_is_abbreviated_to_itself(value in value()) {
            let line = json!({ "seq": 1, "message": value, "to": "n0" }).to_string();
            let short = abbreviated(&line).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&short).unwrap(), serde_json::from_str::<Value>(&line).unwrap());
        }

        #[test]
        fn any_text_is_looked_at_without_a_panic(text in "\\PC{0,40}", cut in 0_usize..60) {
            let _ = field(&text, "a");
            let line = json!({ "a": text, "message": [text, 1] }).to_string();
            let cut = line.floor_char_boundary(cut);
            let _ = (field(&line[..cut], "b"), abbreviated(&line[..cut]));
        }
    }

    #[test]
    fn long_texts_and_lists_of_numbers_are_cut_and_counted() {
        let entry = |index: usize| json!({ "index": index, "command": vec![7; 1_000] });
        let entries: Vec<Value> = (0..100).map(entry).collect();
        let line = json!({ "kind": "send", "message": { "entries": entries, "text": "é\"".repeat(500) }, "other": vec![1; 50] });
        let short: Value = serde_json::from_str(&abbreviated(&line.to_string()).unwrap()).unwrap();
        assert_eq!(short["other"], line["other"]);
        let entries = short["message"]["entries"].as_array().unwrap();
        assert_eq!((entries.len(), &entries[99]["index"]), (100, &json!(99)));
        let command = entries[99]["command"].as_array().unwrap();
        assert_eq!((command.len(), &command[32]), (33, &json!("… (968 more)")));
        let text = short["message"]["text"].as_str().unwrap();
        assert!(text.starts_with("é\"é\"") && text.ends_with("… (1500)"), "{text}");
    }
}
