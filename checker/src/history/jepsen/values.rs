//! What the values of events mean: values of our own, transactions, transfers.

use super::event::{Problem, word};
use crate::history::edn::Form;
use crate::history::{LIST_DEPTH_MAX, OwnedValue};

/// The two items of a vector of two.
pub(super) fn pair<'f>(form: &'f Form<'f>) -> Option<(&'f Form<'f>, &'f Form<'f>)> {
    match form {
        Form::Sequence(items) => match &items[..] {
            [first, second] => Some((first, second)),
            _ => None,
        },
        _ => None,
    }
}

/// What an access of a transaction does, by the names that recorders use.
fn access(name: &str) -> Option<&'static str> {
    match name {
        "r" | "read" | "get" => Some("r"),
        "w" | "write" | "put" => Some("w"),
        "append" => Some("append"),
        _ => None,
    }
}

/// Whether `value` is a vector of accesses: then it is a transaction, whatever `:f` calls it.
pub(super) fn is_transaction(value: &Form<'_>) -> bool {
    let is_access = |form: &Form<'_>| match form {
        Form::Sequence(parts) => match &parts[..] {
            [name @ (Form::Keyword(_) | Form::Text(_)), _, _] => word(name).and_then(access).is_some(),
            _ => false,
        },
        _ => false,
    };
    matches!(value, Form::Sequence(forms) if !forms.is_empty() && forms.iter().all(is_access))
}

/// The accesses of a transaction, reads without their values, and the values of the reads.
pub(super) fn accesses(value: &Form<'_>) -> Result<(OwnedValue, Vec<OwnedValue>), Problem> {
    const WHAT: &str = "a transaction is a vector of [:r key value], [:w key value] and [:append key value]";
    let problem = || Problem::of("value", WHAT);
    let Form::Sequence(forms) = value else {
        return Err(problem());
    };
    let (mut asked, mut read) = (Vec::new(), Vec::new());
    for (place, form) in forms.iter().enumerate() {
        let Form::Sequence(parts) = form else {
            return Err(problem().inside(place));
        };
        let [name, key, value] = &parts[..] else {
            return Err(problem().inside(place));
        };
        let Some(name) = word(name).and_then(access) else {
            return Err(problem().inside(0).inside(place));
        };
        let inside = |item| move |problem: Problem| problem.inside(item).inside(place);
        let key = value_of(key).map_err(inside(1))?;
        let value = value_of(value).map_err(inside(2))?;
        let mut access = vec![OwnedValue::Text(name.to_owned()), key];
        if name == "r" {
            read.push(value);
        } else {
            access.push(value);
        }
        asked.push(OwnedValue::List(access));
    }
    Ok((OwnedValue::List(asked), read))
}

/// A transfer of money as `[from to amount]`, or as `{:from …, :to …, :amount …}`.
pub(super) fn transfer(value: &Form<'_>) -> Result<OwnedValue, Problem> {
    let Form::Map(entries) = value else {
        return value_of(value);
    };
    let field = |name: &str| {
        let entry = entries.iter().find(|(key, _)| word(key) == Some(name));
        entry.map(|(_, value)| value_of(value))
    };
    match (field("from"), field("to"), field("amount")) {
        (Some(from), Some(to), Some(amount)) => Ok(OwnedValue::List(vec![from?, to?, amount?])),
        _ => Err(Problem::of(
            "value",
            "the `:value` of a :transfer is [from to amount], or a map {:from …, :to …, :amount …}",
        )),
    }
}

/// The items of a vector, list or set.
pub(super) fn items<'f>(value: &'f Form<'f>) -> Option<&'f [Form<'f>]> {
    match value {
        Form::Sequence(items) | Form::Set(items) => Some(items),
        _ => None,
    }
}

/// The value that `form` is. What has no type here (a float, a boolean, a character) is the text that it is written as: two of them are the
/// same where they are written the same.
pub(super) fn value_of(form: &Form<'_>) -> Result<OwnedValue, Problem> {
    nested_value_of(form, 0)
}

fn nested_value_of(form: &Form<'_>, depth: usize) -> Result<OwnedValue, Problem> {
    match form {
        Form::Nil => Ok(OwnedValue::Null),
        Form::Integer(integer) => Ok(OwnedValue::Integer(*integer)),
        Form::Text(text) => Ok(OwnedValue::Text(text.clone().into_owned())),
        Form::Keyword(keyword) => Ok(OwnedValue::Text((*keyword).to_owned())),
        Form::Boolean(value) => Ok(OwnedValue::Text(value.to_string())),
        Form::Other(token) => Ok(OwnedValue::Text(token.clone().into_owned())),
        Form::Sequence(_) | Form::Set(_) | Form::Map(_) if depth >= LIST_DEPTH_MAX => {
            Err(Problem::of("value", "a value is nested deeper than 8 vectors"))
        }
        Form::Sequence(items) | Form::Set(items) => {
            let items = items.iter().enumerate();
            let items =
                items.map(|(place, item)| nested_value_of(item, depth + 1).map_err(|problem| problem.inside(place)));
            items.collect::<Result<_, _>>().map(OwnedValue::List)
        }
        // The balances of a bank, say: as a list of pairs.
        Form::Map(entries) => {
            let entry = |(key, value): &(Form<'_>, Form<'_>)| {
                let pair = [nested_value_of(key, depth + 1)?, nested_value_of(value, depth + 1)?];
                Ok(OwnedValue::List(pair.to_vec()))
            };
            entries
                .iter()
                .map(entry)
                .collect::<Result<_, _>>()
                .map(OwnedValue::List)
        }
    }
}
