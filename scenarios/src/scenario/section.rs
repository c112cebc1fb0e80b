//! Typed access to one table of a scenario: a key with its default and its bounds in, a checked value or a [`Misfit`] out.
//!
//! Owns the checks that are the same for every key: unknown keys, types, units, bounds, lists of choices. Which keys there
//! are, and what they must be to each other, is said in `read.rs` and `read_fault.rs`.

use super::document::{Mark, Node, Table, Value};
use super::error::{Misfit, Problem, shown};
use super::nearest::nearest;
use super::quantity::{self, DURATION, Family, RATIO, SIZE};
use super::rate::{self, Expected, Rate};
use super::schema::{Form, Key};
use super::spec::{Choice, DurationRange, OffsetRange};
use super::{MAX_CHOICES, OFF, Result};
use std::ops::RangeInclusive;

/// One table with its name and its keys.
#[derive(Debug, Clone, Copy)]
pub struct Section<'d> {
    /// What precedes a key in a message: "network.", "fault.0." or nothing at the top.
    prefix: &'d str,
    /// What the section is called in a message: "[network]", "[[fault]] 0" or "the top of the file".
    title: &'d str,
    /// Where the section starts.
    mark: Mark,
    /// `None` for a section that is left out.
    table: Option<&'d Table>,
}

impl<'d> Section<'d> {
    /// The table at the top of the document.
    pub fn top(table: &'d Table) -> Self {
        Self {
            prefix: "",
            title: "the top of the file",
            mark: Mark::Whole,
            table: Some(table),
        }
    }

    /// The table that `node` must be; `example` is one that would do.
    pub fn of(node: &'d Node, prefix: &'d str, title: &'d str, example: &str) -> Result<Self> {
        let Value::Table(table) = &node.value else {
            return Err(wrong_type(node, prefix.trim_end_matches('.'), "a section", example));
        };
        Ok(Self {
            prefix,
            title,
            mark: node.mark,
            table: Some(table),
        })
    }

    /// The section called `name`; an empty one if the document leaves it out.
    pub fn child(&self, name: &str, prefix: &'d str, title: &'d str) -> Result<Self> {
        match self.get(name) {
            Some(node) => Self::of(
                node,
                prefix,
                title,
                &format!("{title} on a line of its own, above its keys"),
            ),
            None => Ok(Self {
                prefix,
                title,
                mark: self.mark,
                table: None,
            }),
        }
    }

    /// The same section as if it were left out, and unnoted.
    pub fn left_out(&self) -> Self {
        Self { table: None, ..*self }
    }

    /// Refuses keys other than `known`.
    pub fn only(&self, known: &'static [&'static str]) -> Result<()> {
        self.only_and(known, &[])
    }

    /// Refuses keys other than `known` and `more`; a message names the former only.
    pub fn only_and(&self, known: &'static [&'static str], more: &[&str]) -> Result<()> {
        let entries = self.table.map_or(&[][..], |table| &table.entries);
        let is_stray = |key: &str| !known.contains(&key) && !more.contains(&key);
        let Some(stray) = entries.iter().find(|entry| is_stray(&entry.key)) else {
            return Ok(());
        };
        let problem = Problem::UnknownKey {
            section: self.title.to_owned(),
            key: shown(&stray.key),
            nearest: nearest(&stray.key, known),
            known,
        };
        Err(Misfit::new(stray.key_mark, problem))
    }

    /// The value of `key`, unread.
    pub fn get(&self, key: &str) -> Option<&'d Node> {
        self.table.and_then(|table| table.get(key))
    }

    /// Where the name of `key` was written, if it was.
    pub fn key_mark(&self, key: &str) -> Option<Mark> {
        self.table?
            .entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.key_mark)
    }

    /// The place of a problem between the values of `keys`, of which some may be defaults: that of the first which an
    /// override sets, or else of the first which is present, or else of the section.
    pub fn mark_of(&self, keys: &[&str]) -> Mark {
        let marks = || keys.iter().filter_map(|key| self.get(key)).map(|node| node.mark);
        marks()
            .find(|mark| matches!(mark, Mark::Override(_)))
            .or_else(|| marks().next())
            .unwrap_or(self.mark)
    }

    /// The key with its section.
    pub fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Says that `key` has no default; `example` is a line that would do.
    pub fn missing(&self, key: &'static str, example: &'static str) -> Misfit {
        Misfit::new(
            self.mark,
            Problem::Missing {
                section: self.title.to_owned(),
                key,
                example,
            },
        )
    }

    /// A text.
    pub fn text(&self, key: &str, example: &str) -> Result<Option<(&'d str, Mark)>> {
        self.note_fixed(key, || (Form::Text, String::new()));
        self.get(key)
            .map(|node| Ok((text(node, &self.path(key), example)?, node.mark)))
            .transpose()
    }

    /// A list of texts, without repetitions.
    pub fn words(&self, key: &str, example: &str) -> Result<Option<Vec<(&'d str, Mark)>>> {
        self.note_fixed(key, || (Form::Names, String::new()));
        let Some(node) = self.get(key) else { return Ok(None) };
        let path = self.path(key);
        let Value::List(items) = &node.value else {
            return Err(wrong_type(node, &path, "a list of texts", example));
        };
        let mut words: Vec<(&str, Mark)> = Vec::with_capacity(items.len());
        for item in items {
            let word = text(item, &path, example)?;
            if words.iter().any(|(earlier, _)| *earlier == word) {
                let what = format!("`{path}` lists \"{}\" twice", shown(word));
                return Err(Misfit::unfit(item.mark, what, "name each one once"));
            }
            words.push((word, item.mark));
        }
        Ok(Some(words))
    }

    /// A list of names of `known`, each alone or with its rate, without repetitions.
    pub fn expected(&self, key: &str, known: &[&str], example: &str) -> Result<Option<Vec<Expected>>> {
        self.note(key, || (Form::Expected, String::new()));
        let Some(node) = self.get(key) else { return Ok(None) };
        let path = self.path(key);
        let Value::List(items) = &node.value else {
            return Err(wrong_type(node, &path, "a list of texts", example));
        };
        let mut all: Vec<Expected> = Vec::with_capacity(items.len());
        for item in items {
            let (name, mark, rate) = rate::expected(item, &path, example)?;
            if all.iter().any(|earlier| earlier.name == name) {
                let what = format!("`{path}` lists \"{}\" twice", shown(name));
                return Err(Misfit::unfit(mark, what, "name each one once"));
            }
            if !known.contains(&name) {
                return Err(unknown_word(mark, &path, name, known));
            }
            all.push(Expected {
                name: name.to_owned(),
                rate,
            });
        }
        Ok(Some(all))
    }

    /// A rate, or "off" as `Some(None)`; `None` if the key is absent.
    pub fn rate_or_off(&self, key: &str) -> Result<Option<Option<Rate>>> {
        self.note(key, || (Form::Rate, String::new()));
        let read = |node| rate::rate_or_off(node, &self.path(key));
        self.get(key).map(read).transpose()
    }

    /// One of `known` words, as what it stands for.
    pub fn word<T: Copy + PartialEq>(&self, key: &str, default: T, known: &[(&'static str, T)]) -> Result<T> {
        self.word_or(key, default, known, "", |_, _, _| None)
    }

    /// One of `known` words, or a text that `other` knows to read: `None` if it is none of its kind. `example`, if there is one, is
    /// such a text.
    pub fn word_or<T: Copy + PartialEq>(
        &self,
        key: &str,
        default: T,
        known: &[(&'static str, T)],
        example: &'static str,
        other: impl Fn(&Node, &str, &str) -> Option<Result<T>>,
    ) -> Result<T> {
        self.note(key, || {
            let usual = known.iter().find(|(_, meaning)| *meaning == default);
            let names = known.iter().map(|(name, _)| *name).collect();
            let form = if example.is_empty() {
                Form::Word(names)
            } else {
                Form::WordOr(names, example)
            };
            (form, usual.map_or_else(String::new, |(name, _)| (*name).to_owned()))
        });
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        self.one(key, default, |node, path| {
            let word = text(node, path, &format!("\"{}\"", known[0].0))?;
            if let Some((_, meaning)) = known.iter().find(|(name, _)| *name == word) {
                return Ok(*meaning);
            }
            let listed = || {
                names
                    .iter()
                    .copied()
                    .chain(Some(example).filter(|example| !example.is_empty()))
            };
            other(node, path, word)
                .unwrap_or_else(|| Err(unknown_word(node.mark, path, word, &listed().collect::<Vec<_>>())))
        })
    }

    /// One of `known` words or a list of them, as what they stand for.
    pub fn word_choice<T: Copy + Ord>(&self, key: &str, default: T, known: &[(&'static str, T)]) -> Result<Choice<T>> {
        let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
        let usual = known.iter().find(|(_, meaning)| *meaning == default);
        self.note_choice(key, || {
            let default = usual.map_or_else(String::new, |(name, _)| (*name).to_owned());
            (Form::Word(names.clone()), default)
        });
        self.choice(key, default, |node, path| {
            let word = text(node, path, &format!("\"{}\"", known[0].0))?;
            let found = known.iter().find(|(name, _)| *name == word);
            let meaning = found.map(|(_, meaning)| *meaning);
            meaning.ok_or_else(|| unknown_word(node.mark, path, word, &names))
        })
    }

    /// A flag.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        self.note(key, || (Form::Flag, default.to_string()));
        self.one(key, default, flag)
    }

    /// A flag or a list of flags.
    pub fn flags(&self, key: &str, default: bool) -> Result<Choice<bool>> {
        self.note_choice(key, || (Form::Flag, default.to_string()));
        self.choice(key, default, flag)
    }

    /// A whole number.
    pub fn count(&self, key: &str, default: u32, bounds: RangeInclusive<u32>) -> Result<u32> {
        self.note(key, || (of_count(&bounds), default.to_string()));
        self.one(key, default, |node, path| count(node, path, default, &bounds))
    }

    /// A whole number or a list of them.
    pub fn counts(&self, key: &str, default: u32, bounds: RangeInclusive<u32>) -> Result<Choice<u32>> {
        self.note_choice(key, || (of_count(&bounds), default.to_string()));
        self.choice(key, default, |node, path| count(node, path, default, &bounds))
    }

    /// A size in bytes or a list of them.
    pub fn sizes(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> Result<Choice<u64>> {
        self.note_choice(key, || (of_quantity(&SIZE, &bounds), written(&SIZE, default)));
        self.choice(key, default, |node, path| single(&SIZE, node, path, &bounds))
    }

    /// A ratio in parts per million.
    pub fn ratio(&self, key: &str, default: u32, bounds: RangeInclusive<u32>) -> Result<u32> {
        self.note(key, || (of_quantity(&RATIO, &bounds), written(&RATIO, default)));
        self.one(key, default, |node, path| single(&RATIO, node, path, &bounds))
    }

    /// A duration in nanoseconds.
    pub fn duration(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> Result<u64> {
        self.note(key, || (of_quantity(&DURATION, &bounds), written(&DURATION, default)));
        self.one(key, default, |node, path| single(&DURATION, node, path, &bounds))
    }

    /// A ratio in parts per million or "off", or a list of them; "off" if the key is absent.
    pub fn ratios_or_off(&self, key: &str, bounds: RangeInclusive<u32>) -> Result<Choice<Option<u32>>> {
        self.note_choice(key, || (or_off(of_quantity(&RATIO, &bounds)), OFF.to_owned()));
        self.choice(key, None, |node, path| single_or_off(&RATIO, node, path, &bounds))
    }

    /// A size in bytes.
    pub fn size(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> Result<u64> {
        self.note(key, || (of_quantity(&SIZE, &bounds), written(&SIZE, default)));
        self.one(key, default, |node, path| single(&SIZE, node, path, &bounds))
    }

    /// A size in bytes or "off"; "off" if the key is absent.
    pub fn size_or_off(&self, key: &str, bounds: RangeInclusive<u64>) -> Result<Option<u64>> {
        self.note(key, || (or_off(of_quantity(&SIZE, &bounds)), OFF.to_owned()));
        self.one(key, None, |node, path| single_or_off(&SIZE, node, path, &bounds))
    }

    /// A duration in nanoseconds or "off", or a list of them; "off" if the key is absent.
    pub fn durations_or_off(&self, key: &str, bounds: RangeInclusive<u64>) -> Result<Choice<Option<u64>>> {
        self.note_choice(key, || (or_off(of_quantity(&DURATION, &bounds)), OFF.to_owned()));
        self.choice(key, None, |node, path| single_or_off(&DURATION, node, path, &bounds))
    }

    /// A range of durations.
    pub fn durations(&self, key: &str, default: DurationRange, bounds: RangeInclusive<u64>) -> Result<DurationRange> {
        let usual = || quantity::format_range(&DURATION, default.min_ns.into(), default.max_ns.into());
        self.note(key, || (ranged(of_quantity(&DURATION, &bounds)), usual()));
        self.one(key, default, |node, path| {
            let (min_ns, max_ns) = range(node, path, &bounds, "1ms..10ms")?;
            Ok(DurationRange { min_ns, max_ns })
        })
    }

    /// A range of durations of either sign; `None` if the key is absent.
    pub fn offsets(&self, key: &str, bounds: RangeInclusive<i64>) -> Result<Option<OffsetRange>> {
        self.note(key, || (ranged(of_quantity(&DURATION, &bounds)), String::new()));
        self.one(key, None, |node, path| {
            let (min_ns, max_ns) = range(node, path, &bounds, "-500ms..500ms")?;
            Ok(Some(OffsetRange { min_ns, max_ns }))
        })
    }

    /// Notes that a key was asked for, with its form and its default.
    fn note(&self, key: &str, said: impl FnOnce() -> (Form, String)) {
        self.note_as(key, self.may_be_list(), said);
    }

    /// As [`note`](Self::note), for a key whose value is never one of several.
    fn note_fixed(&self, key: &str, said: impl FnOnce() -> (Form, String)) {
        self.note_as(key, false, said);
    }

    fn note_choice(&self, key: &str, said: impl FnOnce() -> (Form, String)) {
        self.note_as(key, true, said);
    }

    fn note_as(&self, key: &str, is_choice: bool, said: impl FnOnce() -> (Form, String)) {
        let Some(record) = self.table.and_then(|table| table.record.as_ref()) else {
            return;
        };
        let (form, default) = said();
        record.borrow_mut().push(Key {
            path: self.path(key),
            form,
            default,
            is_choice,
        });
    }

    fn choice<T: Copy + Ord>(
        &self,
        key: &str,
        default: T,
        read: impl Fn(&Node, &str) -> Result<T>,
    ) -> Result<Choice<T>> {
        let Some(node) = self.get(key) else {
            return Ok(Choice::one(default));
        };
        let path = self.path(key);
        let Value::List(items) = &node.value else {
            return Ok(Choice::one(read(node, &path)?));
        };
        let options = options(node, items, &path, read)?;
        Ok(Choice::among(options).expect("an empty list is refused"))
    }

    /// One value. Where a list stands in its place, and may, that is noted, and the first of it is given.
    fn one<T>(&self, key: &str, default: T, read: impl Fn(&Node, &str) -> Result<T>) -> Result<T> {
        let Some(node) = self.get(key) else {
            return Ok(default);
        };
        let path = self.path(key);
        let lists = self.table.and_then(|table| table.lists.as_ref());
        match (&node.value, lists) {
            (Value::List(items), Some(lists)) if self.may_be_list() => {
                let first = options(node, items, &path, read)?.swap_remove(0);
                lists.borrow_mut().push(path);
                Ok(first)
            }
            _ => read(node, &path),
        }
    }

    /// Whether each seed may have settings of its own in this section: what a sweep must show is the same for all of them.
    fn may_be_list(&self) -> bool {
        !self.prefix.starts_with("expect.") && !self.prefix.starts_with("swarm.")
    }
}

/// The values of a list, of which a seed draws one.
fn options<T>(node: &Node, items: &[Node], path: &str, read: impl Fn(&Node, &str) -> Result<T>) -> Result<Vec<T>> {
    if items.is_empty() {
        return Err(Misfit::unfit(
            node.mark,
            format!("`{path}` is an empty list"),
            "list at least one value to draw from",
        ));
    }
    if items.len() > MAX_CHOICES {
        let what = format!("`{path}` lists {} values", items.len());
        return Err(Misfit::unfit(node.mark, what, format!("list at most {MAX_CHOICES}")));
    }
    items.iter().map(|item| read(item, path)).collect()
}

fn of_count(bounds: &RangeInclusive<u32>) -> Form {
    Form::Count {
        min: *bounds.start(),
        max: *bounds.end(),
    }
}

fn of_quantity<T: Copy + Into<i128>>(family: &'static Family, bounds: &RangeInclusive<T>) -> Form {
    Form::quantity(family, written(family, *bounds.start()), written(family, *bounds.end()))
}

fn written<T: Into<i128>>(family: &'static Family, value: T) -> String {
    quantity::format(family, value.into())
}

fn ranged(mut form: Form) -> Form {
    if let Form::Quantity { is_range, .. } = &mut form {
        *is_range = true;
    }
    form
}

fn or_off(mut form: Form) -> Form {
    if let Form::Quantity { or_off, .. } = &mut form {
        *or_off = true;
    }
    form
}

/// Says that `word` is none of `known`.
pub fn unknown_word(mark: Mark, path: &str, word: &str, known: &[&str]) -> Misfit {
    let problem = Problem::UnknownWord {
        path: path.to_owned(),
        word: shown(word),
        nearest: nearest(word, known).map(str::to_owned),
        known: known.iter().map(|&name| name.to_owned()).collect(),
    };
    Misfit::new(mark, problem)
}

/// Says that `node` is not of the type `expected`.
pub fn wrong_type(node: &Node, path: &str, expected: impl Into<String>, example: &str) -> Misfit {
    let problem = Problem::WrongType {
        path: shown(path),
        expected: expected.into(),
        found: node.described(),
        example: example.to_owned(),
    };
    Misfit::new(node.mark, problem)
}

fn text<'d>(node: &'d Node, path: &str, example: &str) -> Result<&'d str> {
    match &node.value {
        Value::Text(text) => Ok(text),
        _ => Err(wrong_type(node, path, "a text", example)),
    }
}

fn flag(node: &Node, path: &str) -> Result<bool> {
    match node.value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(wrong_type(node, path, "a flag", "true")),
    }
}

fn count(node: &Node, path: &str, example: u32, bounds: &RangeInclusive<u32>) -> Result<u32> {
    match &node.value {
        Value::Integer(number) => bounded(node.mark, path, i128::from(*number), bounds, i128::to_string),
        Value::Alien("integer", spelling) => {
            Err(out_of_range(node.mark, path, shown(spelling), bounds, u32::to_string))
        }
        _ => Err(wrong_type(node, path, "a whole number", &example.to_string())),
    }
}

/// One quantity, or `None` for the word that switches the setting off.
fn single_or_off<T>(family: &'static Family, node: &Node, path: &str, bounds: &RangeInclusive<T>) -> Result<Option<T>>
where
    T: Copy + TryFrom<i128> + Into<i128> + PartialOrd,
{
    match &node.value {
        Value::Text(text) if text == OFF => Ok(None),
        _ => one_quantity(family, node, path, bounds, " or \"off\"").map(Some),
    }
}

fn single<T>(family: &'static Family, node: &Node, path: &str, bounds: &RangeInclusive<T>) -> Result<T>
where
    T: Copy + TryFrom<i128> + Into<i128> + PartialOrd,
{
    one_quantity(family, node, path, bounds, "")
}

/// One quantity within `bounds`; `otherwise` is what else might stand there, for the message.
fn one_quantity<T>(
    family: &'static Family,
    node: &Node,
    path: &str,
    bounds: &RangeInclusive<T>,
    otherwise: &str,
) -> Result<T>
where
    T: Copy + TryFrom<i128> + Into<i128> + PartialOrd,
{
    let (noun, example) = (family.noun, family.example);
    let Value::Text(text) = &node.value else {
        let expected = format!("a {noun} in double quotes{otherwise}");
        return Err(wrong_type(node, path, expected, &format!("\"{example}\"")));
    };
    if text.contains("..") {
        let what = format!("`{path}` is one {noun}, and \"{}\" is a range", shown(text));
        let instead = format!("write one value, such as \"{example}\"{otherwise}");
        return Err(Misfit::unfit(node.mark, what, instead));
    }
    let value = quantity::parse(family, text).map_err(|error| {
        let units = family.unit_names().join(", ");
        let instead = format!("write a {noun} such as \"{example}\"{otherwise}; the units are {units}");
        let path = path.to_owned();
        Misfit::new(node.mark, Problem::Quantity { path, error, instead })
    })?;
    bounded(node.mark, path, value, bounds, |value| quantity::format(family, *value))
}

fn range<T>(node: &Node, path: &str, bounds: &RangeInclusive<T>, example: &str) -> Result<(T, T)>
where
    T: Copy + TryFrom<i128> + Into<i128> + PartialOrd,
{
    let Value::Text(text) = &node.value else {
        return Err(wrong_type(
            node,
            path,
            "a range of durations in double quotes",
            &format!("\"{example}\""),
        ));
    };
    let (first, second) = quantity::parse_range(&DURATION, text).map_err(|error| {
        let units = DURATION.unit_names().join(", ");
        let instead =
            format!("write a range of durations such as \"{example}\" or one duration; the units are {units}");
        Misfit::new(
            node.mark,
            Problem::Quantity {
                path: path.to_owned(),
                error,
                instead,
            },
        )
    })?;
    let format = |value: &i128| quantity::format(&DURATION, *value);
    if first > second {
        let problem = Problem::Inverted {
            path: path.to_owned(),
            first: format(&first),
            second: format(&second),
        };
        return Err(Misfit::new(node.mark, problem));
    }
    Ok((
        bounded(node.mark, path, first, bounds, format)?,
        bounded(node.mark, path, second, bounds, format)?,
    ))
}

/// `value` in its own type if it lies within `bounds`.
fn bounded<T>(
    mark: Mark,
    path: &str,
    value: i128,
    bounds: &RangeInclusive<T>,
    format: impl Fn(&i128) -> String,
) -> Result<T>
where
    T: Copy + TryFrom<i128> + Into<i128> + PartialOrd,
{
    let inside = T::try_from(value).ok().filter(|value| bounds.contains(value));
    inside.ok_or_else(|| out_of_range(mark, path, format(&value), bounds, |&bound| format(&bound.into())))
}

fn out_of_range<T>(
    mark: Mark,
    path: &str,
    value: String,
    bounds: &RangeInclusive<T>,
    format: impl Fn(&T) -> String,
) -> Misfit {
    let (min, max) = (format(bounds.start()), format(bounds.end()));
    Misfit::new(
        mark,
        Problem::OutOfRange {
            path: path.to_owned(),
            value,
            min,
            max,
        },
    )
}

/// A name in kebab-case: lower-case letters and digits in groups joined by single hyphens, starting with a letter.
pub fn is_kebab_case(name: &str) -> bool {
    let plain = |group: &str| !group.is_empty() && group.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(plain)
}
