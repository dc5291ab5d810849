//! The query string, decoded strictly: what is not UTF-8 or holds a NUL character is refused by name, because the
//! databases would refuse it later and less clearly.

use super::brief;
use crate::api::error::ApiError;

/// Letters that may be wrong in a name for us to know which one was meant.
const SLIP: usize = 2;

/// The parameters in their order. Names are matched without regard to case, as the clients' usual server does, and may say
/// that they are one of several: `expand[]`, `expand[0]`, as some clients write lists.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Splits and decodes.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let pieces = query.unwrap_or_default().split('&').filter(|piece| !piece.is_empty());
        pieces.map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The only value of `name`; two of them contradict each other.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(ApiError::parameter(name, format!("{name} is given more than once"))),
        }
    }

    /// Refuses a name that is a slip of the fingers away from one of `known`. Others are somebody else's, and ignored.
    pub(crate) fn no_slips(&self, known: &[&'static str]) -> Result<(), ApiError> {
        for (name, _) in &self.0 {
            if known.iter().any(|word| word.eq_ignore_ascii_case(name)) {
                continue;
            }
            if let Some(meant) = known.iter().find(|word| is_slip(name, word)) {
                let message = format!("unknown parameter \"{}\"; did you mean \"{meant}\"?", brief(name));
                return Err(ApiError::parameter(&brief(name), message));
            }
        }
        Ok(())
    }

    /// All values of `name`.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let of_that_name = self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        of_that_name.map(|(_, value)| value.as_str())
    }
}

/// At most two letters wrong, and less than half of the word: `start` is not meant to be `sort`.
fn is_slip(name: &str, word: &str) -> bool {
    let near = name.chars().nth(word.len() + SLIP).is_none();
    let distance = || strsim::damerau_levenshtein(&name.to_ascii_lowercase(), word);
    near && distance() <= SLIP.min((word.len() - 1) / 2)
}

fn pair(piece: &str) -> Result<(String, String), ApiError> {
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    let Some(name) = decode(name) else {
        return Err(ApiError::bad_request("the name of a query parameter is not valid UTF-8"));
    };
    let Some(value) = decode(value) else {
        return Err(ApiError::parameter(&name, format!("{name} is not valid UTF-8 after percent-decoding")));
    };
    if name.contains('\0') || value.contains('\0') {
        let shown = name.replace('\0', "\u{fffd}");
        return Err(ApiError::parameter(&shown, format!("{shown} holds a NUL character (%00)")));
    }
    Ok((one_of_several(name), value))
}

fn one_of_several(mut name: String) -> String {
    if let Some((whole, index)) = name.strip_suffix(']').and_then(|rest| rest.rsplit_once('['))
        && index.bytes().all(|byte| byte.is_ascii_digit())
    {
        name.truncate(whole.len());
    }
    name
}

/// `%41` → `A`, `+` → space; a percent sign that starts no escape stands for itself.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = match (first, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|(h, l)| (h * 16 + l, after)),
            (b'+', after) => Some((b' ', after)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_plus_signs_are_decoded_and_stray_percent_signs_kept() {
        let pairs = Pairs::parse(Some("a=1%2B1&b=x+y&c=100%&d=%zz&E=%C3%A4&&f")).unwrap();
        let values: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| pairs.one(name).unwrap()).to_vec();
        assert_eq!(values, [Some("1+1"), Some("x y"), Some("100%"), Some("%zz"), Some("ä"), Some("")]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_by_the_parameters_name() {
        let error = Pairs::parse(Some("filter=%ff%fe")).unwrap_err();
        assert_eq!(error.parameter_name(), Some("filter"));
    }

    #[test]
    fn a_nul_character_is_refused_by_the_parameters_name() {
        assert_eq!(Pairs::parse(Some("sort=%00")).unwrap_err().parameter_name(), Some("sort"));
    }

    #[test]
    fn a_slip_of_the_fingers_in_a_name_is_refused_and_a_strangers_name_ignored() {
        let slips = |query: &str| Pairs::parse(Some(query)).unwrap().no_slips(&["filter", "sort", "limit"]);
        for slip in ["fitler", "filtr", "Filters", "srot", "sorts", "limt", "lmti"] {
            let error = slips(&format!("limit=1&{slip}=x")).unwrap_err();
            assert_eq!(error.parameter_name(), Some(slip));
            assert!(error.message().contains("did you mean"), "{slip}: {}", error.message());
        }
        for other in ["", "_", "start", "page", "ids", "api-version", "filterByCompany", "FILTER", "Sort"] {
            assert!(slips(&format!("{other}=x")).is_ok(), "{other}");
        }
    }

    #[test]
    fn a_name_may_say_that_it_is_one_of_several() {
        let pairs = Pairs::parse(Some("expand[]=A&expand%5B1%5D=B&x[y]=C")).unwrap();
        assert_eq!(pairs.all("expand").collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(pairs.one("x[y]").unwrap(), Some("C"));
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert!(Pairs::parse(Some("limit=1&LIMIT=2")).unwrap().one("limit").is_err());
    }
}
