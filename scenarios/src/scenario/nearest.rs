//! The known word that somebody probably meant. Owns the measure and the limit beyond which a guess would mislead.

/// Longest word for which a suggestion is looked for: the measure is quadratic, and no key is nearly as long.
const MAX_WORD: usize = 64;

/// The nearest of `known` to `word` by edit distance (insertions, deletions, substitutions, swaps of neighbours), ignoring
/// case. Of several the first that starts with the same letter wins, or else the first. `None` if even that one differs in
/// more than a third of the longer word's letters.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |candidate: &str| strsim::osa_distance(&word, &candidate.to_lowercase());
    let stranger = |candidate: &str| candidate.to_lowercase().chars().next() != word.chars().next();
    let best = known
        .iter()
        .copied()
        .min_by_key(|candidate| (distance(candidate), stranger(candidate)))?;
    let longer = word.chars().count().max(best.chars().count());
    (distance(best) <= (longer / 3).max(1)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_is_understood_and_a_stranger_is_not() {
        let known = ["latency", "loss", "duplicate", "tail_max"];
        assert_eq!(nearest("lattency", &known), Some("latency"));
        assert_eq!(nearest("Loss", &known), Some("loss"));
        assert_eq!(nearest("duplciate", &known), Some("duplicate"));
        assert_eq!(nearest("tail-max", &known), Some("tail_max"));
        assert_eq!(nearest("kb", &["B", "KiB"]), Some("KiB"));
        assert_eq!(nearest("bandwidth", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest("x", &[]), None);
        assert_eq!(nearest(&"latency".repeat(20), &known), None);
    }
}
