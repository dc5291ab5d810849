//! What a plugin asks for besides computing. Each asks with its reason, which is what an administrator reads.

use serde::Deserialize;

use super::{check_label, check_once, check_text, parse_mebibytes};

/// Keys of a destination.
pub(super) const HTTP: &[&str] = &["label", "methods", "path-prefixes", "default-origin", "reason"];
/// Keys of a secret.
pub(super) const SECRETS: &[&str] =
    &["label", "kind", "placement", "used-by", "token-path", "token-scope", "reason"];
/// Keys of a grant of data.
pub(super) const DATA: &[&str] = &["scope", "reason"];
/// Keys of the store of keys and values.
pub(super) const KV: &[&str] = &["quota", "keys", "reason"];

/// Destinations and secrets of one plugin, each.
const MOST: usize = 16;
/// Methods that a destination may be asked with.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Data that a plugin may ask for.
const SCOPES: &[&str] = &["inventory:read"];
/// What a plugin may store, unless it asks for more or less.
const DEFAULT_QUOTA: usize = 16 << 20;
/// The most that it may ask for.
const MAX_QUOTA: usize = 256 << 20;
const DEFAULT_KEYS: u32 = 10_000;
const MAX_KEYS: u32 = 1_000_000;

/// Everything that it asks for.
#[derive(Debug, Clone, Default)]
pub(in crate::plugins) struct Capabilities {
    pub(in crate::plugins) http: Vec<Destination>,
    pub(in crate::plugins) secrets: Vec<SecretSlot>,
    /// Scopes, each with its reason.
    pub(in crate::plugins) data: Vec<(String, String)>,
    pub(in crate::plugins) kv: Option<Kv>,
}

/// A server that it calls, by a label that the administrator binds to an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Destination {
    pub(in crate::plugins) label: String,
    pub(in crate::plugins) methods: Vec<String>,
    /// Paths begin with one of these.
    pub(in crate::plugins) path_prefixes: Vec<String>,
    /// What the administrator sees first; nothing is reached before they said yes.
    pub(in crate::plugins) default_origin: Option<String>,
    pub(in crate::plugins) reason: String,
}

/// A secret that an administrator enters and that the plugin never sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct SecretSlot {
    pub(in crate::plugins) label: String,
    pub(in crate::plugins) kind: SecretKind,
    pub(in crate::plugins) placement: Placement,
    /// Labels of the destinations that it may go to.
    pub(in crate::plugins) used_by: Vec<String>,
    pub(in crate::plugins) reason: String,
}

/// What a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) enum SecretKind {
    /// One text; the expiry of a JWT is read.
    Token,
    /// A name and a password.
    Password,
    /// A client's id and secret, for which the host fetches tokens from the same destination.
    OAuth2Client {
        /// The path of the token endpoint.
        token_path: String,
        /// The scope that it asks for.
        scope: Option<String>,
    },
}

impl SecretKind {
    /// As the manifest has it.
    pub(in crate::plugins) fn name(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
            Self::OAuth2Client { .. } => "oauth2-client",
        }
    }
}

/// Where in a request a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) enum Placement {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of this name.
    Header(String),
    /// In place of `{secret}` in the path.
    PathSegment,
    /// In the JSON body, at this pointer.
    JsonPointer(String),
}

/// A store of keys and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Kv {
    /// Bytes, keys and values.
    pub(in crate::plugins) quota: usize,
    pub(in crate::plugins) keys: u32,
    pub(in crate::plugins) reason: String,
}

/// As it is written.
#[derive(Deserialize, Default)]
pub(super) struct Raw {
    #[serde(default)]
    http: Vec<RawDestination>,
    #[serde(default)]
    secrets: Vec<RawSecret>,
    #[serde(default)]
    data: Vec<RawData>,
    kv: Option<RawKv>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawDestination {
    label: String,
    methods: Vec<String>,
    path_prefixes: Vec<String>,
    default_origin: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawSecret {
    label: String,
    kind: String,
    placement: String,
    used_by: Vec<String>,
    token_path: Option<String>,
    token_scope: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
struct RawData {
    scope: String,
    reason: String,
}

#[derive(Deserialize)]
struct RawKv {
    quota: Option<String>,
    keys: Option<u32>,
    reason: String,
}

impl Raw {
    pub(super) fn check(self) -> Result<Capabilities, String> {
        for (what, count) in [("http", self.http.len()), ("secrets", self.secrets.len())] {
            if count > MOST {
                return Err(format!("[[{what}]]: {count} of them; {MOST} at most"));
            }
        }
        let http = self.http.into_iter().map(RawDestination::check).collect::<Result<Vec<_>, _>>()?;
        check_once("the destination", http.iter().map(|destination| destination.label.as_str()))?;
        let labels: Vec<&str> = http.iter().map(|destination| destination.label.as_str()).collect();
        let secrets =
            self.secrets.into_iter().map(|secret| secret.check(&labels)).collect::<Result<Vec<_>, _>>()?;
        check_once("the secret", secrets.iter().map(|secret| secret.label.as_str()))?;
        let data = self.data.into_iter().map(RawData::check).collect::<Result<Vec<_>, _>>()?;
        check_once("the scope", data.iter().map(|(scope, _)| scope.as_str()))?;
        let kv = self.kv.map(RawKv::check).transpose()?;
        Ok(Capabilities { http, secrets, data, kv })
    }
}

impl RawDestination {
    fn check(self) -> Result<Destination, String> {
        check_label("the destination", &self.label)?;
        let of = |what: &str| format!("[[http]] {what} of `{}`", self.label);
        check_text(&of("reason"), &self.reason)?;
        let unknown = self.methods.iter().find(|method| !METHODS.contains(&method.as_str()));
        if let Some(method) = unknown {
            return Err(format!("{} has `{method}`{}", of("methods"), super::nearest(method, METHODS)));
        }
        if self.methods.is_empty() || self.path_prefixes.is_empty() {
            return Err(format!(
                "{} and path-prefixes must name what the plugin asks for; both are needed",
                of("methods")
            ));
        }
        let bad = self.path_prefixes.iter().find(|prefix| !is_path(prefix));
        if let Some(prefix) = bad {
            return Err(format!(
                "{} has `{}`; a prefix begins with `/` and has no `..`, `//`, `?`, `#` or `%`",
                of("path-prefixes"),
                prefix.escape_default()
            ));
        }
        if let Some(origin) = &self.default_origin {
            check_origin(origin).map_err(|reason| format!("{} {reason}", of("default-origin")))?;
        }
        let Self { label, methods, path_prefixes, default_origin, reason } = self;
        Ok(Destination { label, methods, path_prefixes, default_origin, reason })
    }
}

impl RawSecret {
    fn check(self, destinations: &[&str]) -> Result<SecretSlot, String> {
        check_label("the secret", &self.label)?;
        let of = |what: &str| format!("[[secrets]] {what} of `{}`", self.label);
        check_text(&of("reason"), &self.reason)?;
        let unknown = self.used_by.iter().find(|label| !destinations.contains(&label.as_str()));
        if let Some(label) = unknown {
            return Err(format!("{} has `{label}`{}", of("used-by"), super::nearest(label, destinations)));
        }
        if self.used_by.is_empty() {
            return Err(format!("{} must name the destinations that it goes to", of("used-by")));
        }
        let kind = match (self.kind.as_str(), self.token_path) {
            ("token", None) => SecretKind::Token,
            ("password", None) => SecretKind::Password,
            ("oauth2-client", Some(token_path)) if is_path(&token_path) => {
                SecretKind::OAuth2Client { token_path, scope: self.token_scope }
            }
            ("oauth2-client", _) => {
                return Err(format!("{} is needed: the path of the token endpoint", of("token-path")));
            }
            ("token" | "password", Some(_)) => {
                return Err(format!("{} is for the kind `oauth2-client` only", of("token-path")));
            }
            (kind, _) => {
                let known = ["token", "password", "oauth2-client"];
                return Err(format!("{} is `{kind}`{}", of("kind"), super::nearest(kind, &known)));
            }
        };
        let placement =
            Placement::parse(&self.placement).map_err(|reason| format!("{} {reason}", of("placement")))?;
        match (&kind, &placement) {
            (SecretKind::Password, Placement::Basic)
            | (SecretKind::OAuth2Client { .. }, Placement::Bearer)
            | (
                SecretKind::Token,
                Placement::Bearer | Placement::Header(_) | Placement::PathSegment | Placement::JsonPointer(_),
            ) => {}
            _ => {
                return Err(format!(
                    "{} is `{}`, but a password stands as `basic`, a token of an `oauth2-client` as `bearer`, and a \
                     `token` as `bearer`, `header:NAME`, `path-segment` or `json-pointer:/PATH`",
                    of("placement"),
                    self.placement
                ));
            }
        }
        Ok(SecretSlot { label: self.label, kind, placement, used_by: self.used_by, reason: self.reason })
    }
}

impl std::fmt::Display for Placement {
    /// As the manifest has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bearer => f.write_str("bearer"),
            Self::Basic => f.write_str("basic"),
            Self::PathSegment => f.write_str("path-segment"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::JsonPointer(pointer) => write!(f, "json-pointer:{pointer}"),
        }
    }
}

impl Placement {
    fn parse(text: &str) -> Result<Self, String> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        match (word, rest) {
            ("bearer", "") => Ok(Self::Bearer),
            ("basic", "") => Ok(Self::Basic),
            ("path-segment", "") => Ok(Self::PathSegment),
            ("header", name) if http::HeaderName::from_bytes(name.as_bytes()).is_ok() => {
                Ok(Self::Header(name.to_ascii_lowercase()))
            }
            ("json-pointer", pointer) if pointer.starts_with('/') && pointer.len() <= 256 => {
                Ok(Self::JsonPointer(pointer.to_owned()))
            }
            _ => Err(format!(
                "`{}` must be `bearer`, `basic`, `header:NAME`, `path-segment` or `json-pointer:/PATH`",
                text.escape_default()
            )),
        }
    }
}

impl RawData {
    fn check(self) -> Result<(String, String), String> {
        check_text("[[data]] reason", &self.reason)?;
        if SCOPES.contains(&self.scope.as_str()) {
            Ok((self.scope, self.reason))
        } else {
            Err(format!(
                "[[data]] scope `{}` is not offered by this host{}",
                self.scope.escape_default(),
                super::nearest(&self.scope, SCOPES)
            ))
        }
    }
}

impl RawKv {
    fn check(self) -> Result<Kv, String> {
        check_text("[kv] reason", &self.reason)?;
        let quota = match self.quota.as_deref() {
            None => DEFAULT_QUOTA,
            Some(text) => parse_mebibytes(text)
                .filter(|bytes| (1 << 20..=MAX_QUOTA).contains(bytes))
                .ok_or_else(|| {
                    format!(
                        "[kv] quota `{text}` must be written as \"16 MiB\", from 1 MiB to {} MiB",
                        MAX_QUOTA >> 20
                    )
                })?,
        };
        let keys = self.keys.unwrap_or(DEFAULT_KEYS);
        if keys == 0 || keys > MAX_KEYS {
            return Err(format!("[kv] keys: from 1 to {MAX_KEYS}"));
        }
        Ok(Kv { quota, keys, reason: self.reason })
    }
}

/// A path that means the same to every server: nothing in it is decoded, shortened or cut off.
fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= 256
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#%\\\"<>`{}|^".contains(&byte))
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
}

/// `https://host[:port]` and nothing behind it.
pub(in crate::plugins) fn check_origin(origin: &str) -> Result<http::Uri, String> {
    let shape = || {
        format!(
            "`{}` must be https://HOST or https://HOST:PORT, with nothing behind it",
            origin.escape_default()
        )
    };
    let uri: http::Uri = origin.parse().map_err(|_| shape())?;
    let good = matches!(uri.scheme_str(), Some("https" | "http"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path_and_query().is_none_or(|rest| rest.as_str() == "/")
        && !origin.ends_with('/')
        && !origin.contains(['#', '?']);
    if good { Ok(uri) } else { Err(shape()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_servers_could_read_in_two_ways_is_none() {
        assert!(["/", "/api/", "/api/v1/items-_.~!$&'()*+,;=:@"].iter().all(|path| is_path(path)));
        let bad = [
            "", "api", "/a/../b", "/a/./b", "//b", "/a//b", "/a?b", "/a#b", "/%2e%2e/", "/a\\b", "/a b", "/ä",
        ];
        assert!(bad.iter().all(|path| !is_path(path)), "{bad:?}");
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        assert!(
            ["https://psa.example.com", "https://psa.example.com:8443", "http://[::1]:80"]
                .iter()
                .all(|origin| check_origin(origin).is_ok())
        );
        let bad = [
            "",
            "psa.example.com",
            "ftp://psa",
            "https://psa/",
            "https://psa/api",
            "https://u:p@psa",
            "https://psa?x",
            "https://",
        ];
        for origin in bad {
            assert!(check_origin(origin).unwrap_err().contains("https://HOST"), "{origin}");
        }
    }
}
