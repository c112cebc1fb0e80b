//! The name that somebody probably meant.

/// Of `names`, the one that is the same as `word` but for few letters: a third of them, rounded up, at most.
pub(crate) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = word.chars().count().div_ceil(3);
    let near = names.map(|name| (distance(word, name), name));
    let near = near.filter(|&(distance, _)| distance <= most);
    near.min_by_key(|&(distance, _)| distance).map(|(_, name)| name)
}

/// How many letters must be changed, put in or taken out (Levenshtein 1965); of long words only the beginning counts.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(32).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.chars().take(32).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, &with) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != with);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn the_nearest_name_is_found_and_no_far_one() {
        assert_eq!(distance("kitten", "sitting"), 3);
        let names = ["read", "write", "enqueue"];
        assert_eq!(nearest("enqueu", names.into_iter()), Some("enqueue"));
        assert_eq!(nearest("writes", names.into_iter()), Some("write"));
        assert_eq!(nearest("frobnicate", names.into_iter()), None);
    }
}
