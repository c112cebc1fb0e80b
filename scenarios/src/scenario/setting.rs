//! Settings of a system: the keys of `[system]`, each declared once.
//!
//! A [`Setting`] gives its name, what it does, its bounds and its default, and the values that a swarm draws. From that one declaration come
//! the reader and the writer, `--set system.NAME=VALUE`, lists of values (each seed draws one, from a stream that is named after the
//! setting), the swarm's draw, what shrinking tries, the schema and `squall list settings`. The system asks for the value by the same
//! name: [`Cluster::flag`](crate::system::Cluster::flag) and its like.

use super::error::Misfit;
use super::quantity::{self, DURATION, Family, RATIO, SIZE};
use super::section::Section;
use super::{Known, Result};
use simulator::Stream;

/// A setting of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in `[system]`: lower-case letters, digits and underscores.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    form: Form,
    default: SettingValue,
    drawn: &'static [SettingValue],
}

/// What its value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Flag,
    Word(&'static [&'static str]),
    Number(Unit, u64, u64),
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Items,
    Bytes,
    Nanoseconds,
    Ppm,
}

impl Unit {
    fn family(self) -> Option<&'static Family> {
        match self {
            Self::Items => None,
            Self::Bytes => Some(&SIZE),
            Self::Nanoseconds => Some(&DURATION),
            Self::Ppm => Some(&RATIO),
        }
    }
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// `true` or `false`.
    Flag(bool),
    /// One of the words of the setting.
    Word(&'static str),
    /// A count; a size in bytes, a duration in nanoseconds, a ratio in parts per million.
    Number(u64),
}

impl Setting {
    const fn of(name: &'static str, form: Form, default: SettingValue, about: &'static str) -> Self {
        Self {
            name,
            about,
            form,
            default,
            drawn: &[],
        }
    }

    /// One that is `true` or `false`.
    pub const fn flag(name: &'static str, default: bool, about: &'static str) -> Self {
        Self::of(name, Form::Flag, SettingValue::Flag(default), about)
    }

    /// One of some words, the default first.
    ///
    /// # Panics
    /// Without a word.
    pub const fn word(name: &'static str, words: &'static [&'static str], about: &'static str) -> Self {
        Self::of(name, Form::Word(words), SettingValue::Word(words[0]), about)
    }

    /// A whole number, bounds included.
    ///
    /// # Panics
    /// When the default is out of bounds.
    pub const fn count(name: &'static str, default: u32, (min, max): (u32, u32), about: &'static str) -> Self {
        Self::number(name, Unit::Items, default as u64, (min as u64, max as u64), about)
    }

    /// A number of bytes, bounds included.
    ///
    /// # Panics
    /// When the default is out of bounds.
    pub const fn size(name: &'static str, default: u64, bounds: (u64, u64), about: &'static str) -> Self {
        Self::number(name, Unit::Bytes, default, bounds, about)
    }

    /// A duration in nanoseconds, bounds included.
    ///
    /// # Panics
    /// When the default is out of bounds.
    pub const fn duration(name: &'static str, default: u64, bounds: (u64, u64), about: &'static str) -> Self {
        Self::number(name, Unit::Nanoseconds, default, bounds, about)
    }

    /// A share in parts per million, bounds included.
    ///
    /// # Panics
    /// When the default is out of bounds.
    pub const fn ratio(name: &'static str, default: u32, (min, max): (u32, u32), about: &'static str) -> Self {
        Self::number(name, Unit::Ppm, default as u64, (min as u64, max as u64), about)
    }

    const fn number(name: &'static str, unit: Unit, default: u64, (min, max): (u64, u64), about: &'static str) -> Self {
        assert!(min <= default && default <= max, "a default is within its bounds");
        Self::of(name, Form::Number(unit, min, max), SettingValue::Number(default), about)
    }

    /// The same, of which a swarm draws one of these values, each within the bounds.
    #[must_use]
    pub const fn drawn(self, values: &'static [SettingValue]) -> Self {
        Self { drawn: values, ..self }
    }

    /// Its value where a scenario gives none.
    pub fn default(&self) -> SettingValue {
        self.default
    }

    /// What a swarm draws of it, from a stream of its own.
    pub(crate) fn draw(&self, seed: u64) -> Option<SettingValue> {
        let path = format!("swarm.system.{}", self.name);
        Stream::new(seed, &path, 0).pick(self.drawn).copied()
    }

    fn read(&self, section: &Section<'_>) -> Result<SettingValue> {
        Ok(match (self.form, self.default) {
            (Form::Flag, SettingValue::Flag(default)) => SettingValue::Flag(section.flag(self.name, default)?),
            (Form::Word(words), SettingValue::Word(default)) => {
                let known: Vec<(&'static str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
                SettingValue::Word(section.word(self.name, default, &known)?)
            }
            (Form::Number(unit, min, max), SettingValue::Number(default)) => {
                let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
                let small = || (narrow(default), narrow(min)..=narrow(max));
                SettingValue::Number(match unit {
                    Unit::Items => {
                        let (default, bounds) = small();
                        section.count(self.name, default, bounds)?.into()
                    }
                    Unit::Ppm => {
                        let (default, bounds) = small();
                        section.ratio(self.name, default, bounds)?.into()
                    }
                    Unit::Bytes => section.size(self.name, default, min..=max)?,
                    Unit::Nanoseconds => section.duration(self.name, default, min..=max)?,
                })
            }
            _ => unreachable!("a setting's default is of its own form: the constructors see to it"),
        })
    }

    /// The value as a scenario file has it.
    pub(super) fn written(&self, value: SettingValue) -> String {
        match (self.form, value) {
            (_, SettingValue::Flag(flag)) => flag.to_string(),
            (_, SettingValue::Word(word)) => format!("\"{word}\""),
            (Form::Number(unit, ..), SettingValue::Number(number)) => match unit.family() {
                None => number.to_string(),
                Some(family) => format!("\"{}\"", quantity::format(family, number.into())),
            },
            (_, SettingValue::Number(number)) => number.to_string(),
        }
    }
}

/// The settings of a scenario's system, in the order in which the system declares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings(Vec<SettingValue>);

/// The first key of `[system]`: which system it is.
pub(super) const NAME: &str = "name";

/// Reads `[system]`: which system it is, and its settings.
pub(super) fn system(top: &Section<'_>, known: &Known) -> Result<(Known, Settings)> {
    let section = top.child("system", "system.", "[system]")?;
    let known = named(&section, known)?;
    section.only(known.setting_names)?;
    let values: Result<Vec<SettingValue>> = known.settings.iter().map(|setting| setting.read(&section)).collect();
    Ok((known, Settings(values?)))
}

/// What the system that is named admits.
fn named(section: &Section<'_>, known: &Known) -> Result<Known> {
    let example = format!("\"{}\"", known.system);
    let Some((name, mark)) = section.text(NAME, &example)? else {
        return Ok(*known);
    };
    if name == known.system {
        return Ok(*known);
    }
    (known.systems)(name).ok_or_else(|| {
        let what = format!("this program has no system \"{}\"", super::error::shown(name));
        let remedy = "see `squall list systems`, or run it with the program that was built for that system";
        Misfit::unfit(mark, what, remedy)
    })
}

impl Settings {
    /// The value of a setting; `None` if the system declares none of that name.
    pub fn get(&self, known: &Known, name: &str) -> Option<SettingValue> {
        let at = known.settings.iter().position(|setting| setting.name == name)?;
        self.0.get(at).copied()
    }

    /// Gives a setting, by its place among the system's, another value.
    pub(crate) fn set(&mut self, at: usize, value: SettingValue) {
        self.0[at] = value;
    }

    /// Each with its place and its value.
    pub(crate) fn each<'k>(&self, known: &'k Known) -> impl Iterator<Item = (usize, &'k Setting, SettingValue)> {
        let values = self.0.clone();
        known
            .settings
            .iter()
            .zip(values)
            .enumerate()
            .map(|(at, (setting, value))| (at, setting, value))
    }
}
