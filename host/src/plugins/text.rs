//! Small helpers for messages.

/// ", did you mean `…`?" with the known word that is nearest, or ", known: …" where none is near.
pub(super) fn nearest(word: &str, known: &[&str]) -> String {
    let best = known.iter().map(|candidate| (distance(word, candidate), *candidate)).min();
    match best {
        Some((distance, candidate))
            if distance < candidate.len() && distance <= candidate.len().div_ceil(3).max(2) =>
        {
            format!(", did you mean `{candidate}`?")
        }
        _ => format!(" (known: {})", known.join(", ")),
    }
}

/// How many letters to insert, delete or replace.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (line, a) in left.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let cost = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = cost.min(*cell + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Cuts `text` to `limit` bytes at a character's edge and shows that it did.
pub(super) fn cut(text: &mut String, limit: usize) {
    const MARK: &str = "…";
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named() {
        assert_eq!(nearest("require", &["requires", "schema"]), ", did you mean `requires`?");
        assert_eq!(nearest("zzz", &["id", "name"]), " (known: id, name)");
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "abc")), (3, 3, 0));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let mut text = "ä".repeat(10);
        cut(&mut text, 10);
        assert_eq!(text, "äää…");
        cut(&mut text, 10);
        assert_eq!(text, "äää…");
    }
}
