//! "Did you mean": the known word nearest to one that is not known.

/// Words further apart than this have nothing to do with each other.
const FAR: usize = 3;
/// Nothing we know is longer, and comparing costs the product of the lengths.
const LONG: usize = 80;

/// The end of a message about `wrong`: the word that was probably meant, or all that there are.
pub(crate) fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let lower: String = wrong.chars().take(LONG).flat_map(char::to_lowercase).collect();
    let mut all: Vec<(usize, &str)> =
        known.map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word)).collect();
    all.sort_by_key(|(distance, _)| *distance);
    match all.first() {
        Some((distance, word)) if *distance <= FAR && *distance < word.len() => {
            format!("did you mean \"{word}\"?")
        }
        _ => {
            let words: Vec<_> = all.iter().map(|(_, word)| *word).collect();
            format!("known are: {}", words.join(", "))
        }
    }
}

/// A word of the client's for a message: whole, unless it is no word at all.
pub(crate) fn brief(word: &str) -> String {
    if word.chars().nth(LONG).is_none() {
        word.to_owned()
    } else {
        word.chars().take(LONG).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_fingers_is_recognised() {
        assert_eq!(nearest("Nmae", ["status", "name"].into_iter()), "did you mean \"name\"?");
    }

    #[test]
    fn what_resembles_nothing_gets_the_whole_list() {
        assert_eq!(nearest("zzzzzzzz", ["a", "b"].into_iter()), "known are: a, b");
    }
}
