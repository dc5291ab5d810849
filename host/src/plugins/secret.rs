//! What an administrator enters for a secret of a plugin: read from what was typed, kept as one text, shown nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::manifest::SecretKind;

/// Bytes of a secret. A shorter one could not be told from other text in an answer that repeats it.
const LENGTH: std::ops::RangeInclusive<usize> = 4..=8 * 1024;
/// An instant in seconds that is in this millennium.
const SECONDS: std::ops::RangeInclusive<i64> = 0..=32_503_680_000;

/// A secret that passed, ready to be sealed.
pub struct EnteredSecret {
    /// One text, as it is sealed.
    pub value: Zeroizing<String>,
    /// The kind of the manifest.
    pub kind: &'static str,
    /// Where that can be read from it, in unix milliseconds.
    pub expires: Option<i64>,
}

impl std::fmt::Debug for EnteredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnteredSecret").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A secret, opened.
pub(super) enum SecretValue {
    /// As it is.
    Token(Zeroizing<String>),
    /// Who, and the password.
    Password(Pair),
    /// A client's id, and its secret.
    Client(Pair),
}

/// What is known, and what is not.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) secret: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Password {
    user: String,
    password: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Client {
    client_id: String,
    client_secret: Zeroizing<String>,
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue(..)")
    }
}

impl EnteredSecret {
    /// Reads what was typed. The error never repeats it.
    pub(super) fn read(kind: &SecretKind, typed: &Zeroizing<String>) -> Result<Self, String> {
        let text = Zeroizing::new(typed.trim_end_matches(['\r', '\n']).to_owned());
        let value = SecretValue::parse(kind, &text).ok_or_else(|| shape(kind))?;
        let secret = value.secret();
        if !LENGTH.contains(&secret.len()) {
            return Err(format!("a secret has from {} to {} bytes", LENGTH.start(), LENGTH.end()));
        }
        if secret.chars().any(char::is_control) {
            return Err("a secret is one line and has no control characters".to_owned());
        }
        let expires = match &value {
            SecretValue::Token(token) => jwt_expiry(token),
            SecretValue::Password(_) | SecretValue::Client(_) => None,
        };
        Ok(Self { value: text, kind: kind.name(), expires })
    }
}

fn shape(kind: &SecretKind) -> String {
    match kind {
        SecretKind::Token => "a token is one line of text".to_owned(),
        SecretKind::Password => {
            r#"a password is entered as one line of JSON: {"user":"…","password":"…"}; the user has no colon"#
                .to_owned()
        }
        SecretKind::OAuth2Client { .. } => {
            r#"a client is entered as one line of JSON: {"clientId":"…","clientSecret":"…"}"#.to_owned()
        }
    }
}

impl SecretValue {
    /// Reads what is kept; none if it was entered as another kind.
    pub(super) fn parse(kind: &SecretKind, text: &Zeroizing<String>) -> Option<Self> {
        match kind {
            SecretKind::Token => Some(Self::Token(text.clone())),
            SecretKind::Password => {
                let Password { user, password } = serde_json::from_str(text).ok()?;
                let good = !user.contains(':') && !user.chars().any(char::is_control);
                good.then_some(Self::Password(Pair { name: user, secret: password }))
            }
            SecretKind::OAuth2Client { .. } => {
                let Client { client_id, client_secret } = serde_json::from_str(text).ok()?;
                Some(Self::Client(Pair { name: client_id, secret: client_secret }))
            }
        }
    }

    /// The part that nobody may see.
    pub(super) fn secret(&self) -> &Zeroizing<String> {
        match self {
            Self::Token(token) => token,
            Self::Password(pair) | Self::Client(pair) => &pair.secret,
        }
    }
}

/// The `exp` of a JWT, in unix milliseconds. Its signature is its issuer's affair: this is only shown.
fn jwt_expiry(token: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let mut parts = token.split('.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range saturates and is refused")]
    let seconds = exp as i64;
    SECONDS.contains(&seconds).then(|| seconds * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &SecretKind, typed: &str) -> Result<EnteredSecret, String> {
        EnteredSecret::read(kind, &Zeroizing::new(typed.to_owned()))
    }

    fn jwt(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn the_expiry_of_a_jwt_is_read_and_of_nothing_else() {
        let expires = |typed: &str| read(&SecretKind::Token, typed).unwrap().expires;
        assert_eq!(expires(&jwt(r#"{"exp":1795251900}"#)), Some(1_795_251_900_000));
        assert_eq!(expires(&jwt(r#"{"exp":1795251900.5}"#)), Some(1_795_251_900_000));
        assert_eq!(expires(&jwt(r#"{"exp":1e300}"#)), None);
        assert_eq!(expires(&jwt(r#"{"exp":"soon"}"#)), None);
        assert_eq!((expires("plain"), expires("a.b.c"), expires("a.b.c.d")), (None, None, None));
    }

    #[test]
    fn a_secret_of_another_shape_is_refused_without_being_repeated() {
        let password =
            read(&SecretKind::Password, "{\"user\":\"ada\",\"password\":\"hush-hush\"}\n").unwrap();
        assert_eq!(password.kind, "password");
        for typed in
            ["hush-hush", r#"{"user":"a:b","password":"hush-hush"}"#, r#"{"user":"a","pass":"hush-hush"}"#]
        {
            let error = read(&SecretKind::Password, typed).unwrap_err();
            assert!(error.contains("\"user\"") && !error.contains("hush-hush"), "{error}");
        }
        assert!(read(&SecretKind::Token, "abc").unwrap_err().contains("from 4"));
        assert!(read(&SecretKind::Token, "two\nlines").unwrap_err().contains("one line"));
        assert!(!format!("{password:?}").contains("hush"));
    }
}
