//! Puts secrets where the manifest says, after the guest has let go of the request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::headers;
use super::target::Target;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::manifest::Placement;

/// What a secret is put into.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// What is put there.
#[derive(Clone, Copy)]
pub(super) enum Placed<'s> {
    /// A token, or one that was fetched.
    Token(&'s str),
    /// A name and a password.
    Password(&'s str, &'s str),
}

impl std::fmt::Debug for Placed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Placed(..)")
    }
}

impl Parts {
    /// Puts the secret `label` into its place.
    pub(super) fn place(
        &mut self,
        label: &str,
        placement: &Placement,
        placed: Placed<'_>,
    ) -> Result<(), Refusal> {
        match (placement, placed) {
            (Placement::Bearer, Placed::Token(token)) => {
                self.header(label, AUTHORIZATION, &Zeroizing::new(format!("Bearer {token}")))
            }
            (Placement::Basic, Placed::Password(user, password)) => {
                let pair = Zeroizing::new(format!("{user}:{password}"));
                let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                self.header(label, AUTHORIZATION, &basic)
            }
            (Placement::Header(name), Placed::Token(token)) => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| Refusal::bad_request(format!("`{name}` is no name of a header")))?;
                self.header(label, name, token)
            }
            (Placement::PathSegment, Placed::Token(token)) if self.target.has_hole() => {
                self.target.fill(token)
            }
            (Placement::PathSegment, Placed::Token(_)) => Err(Refusal::bad_request(format!(
                "the secret `{label}` stands in the path; write `{}` where it goes",
                super::target::HOLE
            ))),
            (Placement::JsonPointer(pointer), Placed::Token(token)) => self.member(label, pointer, token),
            _ => Err(Refusal::new(
                "no-secret",
                format!("the secret `{label}` cannot stand where plugin.toml says"),
            )),
        }
    }

    fn header(&mut self, label: &str, name: HeaderName, value: &str) -> Result<(), Refusal> {
        if self.headers.contains_key(&name) {
            return Err(Refusal::bad_request(format!(
                "the header `{name}` is where the secret `{label}` stands; leave it out"
            )));
        }
        let parsed = HeaderValue::from_str(value).ok().filter(|_| headers::is_plain(value));
        let mut value = parsed.ok_or_else(|| {
            Refusal::new(
                "no-secret",
                format!("the secret `{label}` has a character that no header takes; have it entered again"),
            )
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// Into the JSON body; objects on the way are made.
    fn member(&mut self, label: &str, pointer: &str, token: &str) -> Result<(), Refusal> {
        let no_object = || {
            Refusal::bad_request(format!(
                "the secret `{label}` stands at `{pointer}` of the body, which must be a JSON object"
            ))
        };
        let body = self.body.as_deref().ok_or_else(no_object)?;
        let mut whole: Map<String, Value> = serde_json::from_slice(body).map_err(|_| no_object())?;
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let Some((last, parents)) = steps.split_last() else { return Err(no_object()) };
        let mut at = &mut whole;
        for step in parents {
            let next = at.entry(step.clone()).or_insert_with(|| Value::Object(Map::new()));
            at = next.as_object_mut().ok_or_else(|| {
                Refusal::bad_request(format!(
                    "the secret `{label}` stands at `{pointer}` of the body, but `{step}` is no object"
                ))
            })?;
        }
        if at.contains_key(last) {
            return Err(Refusal::bad_request(format!(
                "the body has something at `{pointer}`, where the secret `{label}` stands; leave it out"
            )));
        }
        at.insert(last.clone(), Value::from(token));
        self.body = Some(Value::Object(whole).to_string().into_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: Option<&str>) -> Parts {
        Parts {
            target: Target::parse("/a/{secret}").unwrap(),
            headers: HeaderMap::new(),
            body: body.map(|body| body.as_bytes().to_vec()),
        }
    }

    fn body(pointer: &str, given: &str) -> Result<String, String> {
        let mut parts = parts(Some(given));
        let placement = Placement::JsonPointer(pointer.to_owned());
        parts.place("key", &placement, Placed::Token("T")).map_err(|refusal| refusal.message)?;
        Ok(String::from_utf8(parts.body.unwrap()).unwrap())
    }

    #[test]
    fn each_placement_has_its_place_and_the_guest_has_none_there() {
        let mut it = parts(None);
        it.place("key", &Placement::Bearer, Placed::Token("T")).unwrap();
        assert_eq!(it.headers["authorization"], "Bearer T");
        assert!(it.headers["authorization"].is_sensitive());
        let twice = it.place("other", &Placement::Basic, Placed::Password("u", "p")).unwrap_err();
        assert!(twice.message.contains("leave it out"), "{twice:?}");
        let mut it = parts(None);
        it.place("key", &Placement::Basic, Placed::Password("ada", "p:w")).unwrap();
        assert_eq!(it.headers["authorization"], "Basic YWRhOnA6dw==");
        it.place("key", &Placement::Header("x-key".to_owned()), Placed::Token("T")).unwrap();
        it.place("key", &Placement::PathSegment, Placed::Token("T/")).unwrap();
        assert_eq!(
            (it.headers["x-key"].to_str().unwrap(), it.target.uri().unwrap().path()),
            ("T", "/a/T%2F")
        );
        assert!(it.place("key", &Placement::PathSegment, Placed::Token("T")).is_err());
        let smuggled =
            it.place("key", &Placement::Header("x-b".to_owned()), Placed::Token("a\r\nb")).unwrap_err();
        assert_eq!(smuggled.code, "no-secret");
    }

    #[test]
    fn a_json_pointer_makes_its_parents_and_replaces_nothing() {
        assert_eq!(body("/key", r#"{"a":1}"#).unwrap(), r#"{"a":1,"key":"T"}"#);
        assert_eq!(body("/a/b~1c/~0", "{}").unwrap(), r#"{"a":{"b/c":{"~":"T"}}}"#);
        assert!(body("/a/b", r#"{"a":1}"#).unwrap_err().contains("no object"));
        assert!(body("/a", r#"{"a":null}"#).unwrap_err().contains("leave it out"));
        for given in ["[]", "7", "", "{"] {
            assert!(body("/a", given).unwrap_err().contains("must be a JSON object"), "{given}");
        }
        let without = parts(None).place("key", &Placement::JsonPointer("/a".to_owned()), Placed::Token("T"));
        assert!(without.unwrap_err().message.contains("must be a JSON object"));
    }
}
