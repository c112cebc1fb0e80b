//! The ways to write seeds, sets of seeds, spans of time and sampling rates on the command line.

use crate::sweep::Seeds;
use std::time::Duration;

/// How many hexadecimal digits a git hash has.
const GIT_HASH_DIGITS: usize = 40;

/// A seed as it is printed everywhere.
pub fn shown(seed: u64) -> String {
    format!("{seed:#018x}")
}

/// Reads a seed: decimal, hexadecimal with `0x`, both with `_` anywhere between digits, or a git hash of 40 hexadecimal
/// digits, of which the first 16 are the seed.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = |what: &str| {
        format!(
            "{what}; write a decimal number (1015), a hexadecimal one (0x3f7, 0x0000_03f7), or a git hash of 40 hexadecimal \
             digits; a seed has 64 bits"
        )
    };
    let is_hash = text.len() == GIT_HASH_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash {
        return Ok(u64::from_str_radix(&text[..16], 16).expect("16 hexadecimal digits"));
    }
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let digits = digits.replace('_', "");
    if digits.is_empty() {
        return Err(wrong("a seed is missing"));
    }
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(wrong("this is no seed"));
    }
    u64::from_str_radix(&digits, radix).map_err(|_| wrong("this is larger than any seed"))
}

/// Reads a set of seeds: `A..B` without `B`, `A+N` for `N` seeds from `A` up, or a list `S,S,…`.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn parse_set(text: &str) -> Result<Seeds, String> {
    if let Some((first, end)) = text.split_once("..") {
        let (first, end) = (
            parse(first)?,
            parse(end.strip_prefix('=').map_or(Ok(end), |_| Err(EXCLUSIVE))?)?,
        );
        let count = end
            .checked_sub(first)
            .ok_or("the range ends before it begins; write the smaller seed first")?;
        return Ok(Seeds::Range { first, count });
    }
    if let Some((first, count)) = text.split_once('+') {
        let count = parse(count).map_err(|_| "after `+` goes how many seeds, as in 0x3f7+1000".to_owned())?;
        return Ok(Seeds::Range {
            first: parse(first)?,
            count,
        });
    }
    text.split(',')
        .map(|seed| parse(seed.trim()))
        .collect::<Result<_, _>>()
        .map(Seeds::List)
}

const EXCLUSIVE: &str = "a range of seeds is A..B and leaves B out; write A..B or A+N";

/// Reads a span of time such as `90s`, `500ms`, `10m`, `2h`.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number with its unit: 500ms, 60s, 10m, 2h".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(wrong)
}

/// Reads how much of a sweep is run twice: `1/N`, `all` (1) or `off` (0).
///
/// # Errors
/// What to write instead.
pub fn parse_sample(text: &str) -> Result<u64, String> {
    let one_in = |text: &str| text.strip_prefix("1/")?.parse().ok().filter(|n| *n > 0);
    match text {
        "all" => Ok(1),
        "off" => Ok(0),
        _ => one_in(text).ok_or_else(|| "write 1/N for one seed in N, `all` or `off`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seeds_are_decimal_hexadecimal_or_the_first_16_digits_of_a_git_hash() {
        assert_eq!(parse("1015"), Ok(1015));
        assert_eq!(parse("1_015"), Ok(1015));
        assert_eq!(parse("0x3F7"), Ok(1015));
        assert_eq!(parse("0x0000_0000_0000_03f7"), Ok(1015));
        assert_eq!(parse("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(parse("00000000000003f7aaaaaaaaaaaaaaaaaaaaaaaa"), Ok(1015));
        assert!(
            parse("18446744073709551616")
                .unwrap_err()
                .starts_with("this is larger than any seed; write")
        );
        assert!(parse("0x").unwrap_err().starts_with("a seed is missing"));
        assert!(parse("-1").unwrap_err().starts_with("this is no seed"));
        assert!(parse("3f7").unwrap_err().starts_with("this is no seed"));
    }

    #[test]
    fn sets_are_ranges_counts_and_lists() {
        assert_eq!(parse_set("5..0x10"), Ok(Seeds::Range { first: 5, count: 11 }));
        assert_eq!(parse_set("5+3"), Ok(Seeds::Range { first: 5, count: 3 }));
        assert_eq!(parse_set("7, 0x8"), Ok(Seeds::List(vec![7, 8])));
        assert_eq!(parse_set("7"), Ok(Seeds::List(vec![7])));
        assert!(parse_set("5..=7").unwrap_err().contains("leaves B out"));
        assert!(parse_set("7..5").unwrap_err().contains("ends before it begins"));
        assert!(parse_set("5+x").unwrap_err().contains("how many"));
        assert!(parse_set("1,,2").unwrap_err().starts_with("a seed is missing"));
    }

    #[test]
    fn times_and_samples() {
        assert_eq!(parse_time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_time("2h"), Ok(Duration::from_secs(7200)));
        for wrong in [
            "60",
            "s",
            "",
            "1.5s",
            "5d",
            "99999999999999999999s",
            "9999999999999999h",
        ] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (parse_sample("1/20"), parse_sample("all"), parse_sample("off")),
            (Ok(20), Ok(1), Ok(0))
        );
        for wrong in ["1/0", "2/20", "1/", "yes"] {
            assert!(parse_sample(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(seed: u64) {
            prop_assert_eq!(parse(&shown(seed)), Ok(seed));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = (parse(&text), parse_set(&text), parse_time(&text), parse_sample(&text));
        }
    }
}
