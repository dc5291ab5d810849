//! A signed text: DSSE, version 1, with Ed25519. What was signed is exactly the bytes that are read, and its type is signed
//! with it, so that nothing signed for one purpose serves another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, SecretKey};

/// More signatures than a rotation of keys needs.
const MOST_SIGNATURES: usize = 4;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Mark>,
}

/// One signature. The id of its key is the key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    keyid: PublicKey,
    sig: String,
}

/// What an envelope holds, and who signed it. Whether one of them is to be believed is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Opened {
    pub(in crate::plugins) payload: Vec<u8>,
    pub(in crate::plugins) signers: Vec<PublicKey>,
}

/// Signs.
pub(in crate::plugins) fn seal(kind: &str, payload: &[u8], keys: &[&SecretKey]) -> Result<Vec<u8>, String> {
    let message = to_be_signed(kind, payload);
    let mark = |key: &&SecretKey| Mark { keyid: key.public(), sig: BASE64.encode(key.sign(&message)) };
    let envelope = Envelope {
        payload_type: kind.to_owned(),
        payload: BASE64.encode(payload),
        signatures: keys.iter().map(mark).collect(),
    };
    serde_json::to_vec_pretty(&envelope).map_err(|error| error.to_string())
}

/// Opens one of that kind. One signature that is not right spoils all: nobody has a reason to add such a one.
pub(in crate::plugins) fn open(kind: &str, text: &[u8]) -> Result<Opened, String> {
    let envelope: Envelope =
        serde_json::from_slice(text).map_err(|error| format!("is no DSSE envelope: {error}"))?;
    if envelope.payload_type != kind {
        return Err(format!("signs a `{}`, not a `{kind}`", envelope.payload_type.escape_default()));
    }
    let count = envelope.signatures.len();
    if count == 0 || count > MOST_SIGNATURES {
        return Err(format!("has {count} signatures; from 1 to {MOST_SIGNATURES} are read"));
    }
    let payload =
        BASE64.decode(&envelope.payload).map_err(|error| format!("has no base64 payload: {error}"))?;
    let message = to_be_signed(kind, &payload);
    let mut signers = Vec::with_capacity(count);
    for Mark { keyid, sig } in envelope.signatures {
        let right = BASE64.decode(&sig).is_ok_and(|signature| keyid.signed(&message, &signature));
        if !right {
            return Err(format!(
                "has a signature that is not by {keyid}, though it says so; somebody changed it"
            ));
        }
        if signers.contains(&keyid) {
            return Err(format!("is signed twice by {keyid}"));
        }
        signers.push(keyid);
    }
    Ok(Opened { payload, signers })
}

/// DSSE's pre-authentication encoding.
fn to_be_signed(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "application/vnd.keelson.test+json";

    #[test]
    fn what_is_signed_is_as_the_specification_writes_it() {
        assert_eq!(
            to_be_signed("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_opens_with_all_its_signers() {
        let keys = [SecretKey::generate(), SecretKey::generate()];
        let sealed = seal(KIND, b"words", &keys.iter().collect::<Vec<_>>()).unwrap();
        let opened = open(KIND, &sealed).unwrap();
        assert_eq!(opened.payload, b"words");
        assert_eq!(opened.signers, keys.iter().map(SecretKey::public).collect::<Vec<_>>());
    }

    #[test]
    fn another_purpose_another_text_or_another_key_is_refused() {
        let (key, other) = (SecretKey::generate(), SecretKey::generate());
        let sealed = String::from_utf8(seal(KIND, b"words", &[&key]).unwrap()).unwrap();
        let of = |text: &str| open(KIND, text.as_bytes()).unwrap_err();
        let purpose = sealed.replace("keelson.test", "keelson.index");
        assert!(of(&purpose).contains("not a `application/vnd.keelson.test+json`"));
        assert!(
            of(&sealed.replace(&BASE64.encode("words"), &BASE64.encode("sword")))
                .contains("somebody changed it")
        );
        let swapped = sealed.replace(&key.public().to_string(), &other.public().to_string());
        assert!(of(&swapped).contains("somebody changed it"));
        assert!(of("{}").contains("no DSSE envelope"));
        let nobody = seal(KIND, b"words", &[]).unwrap();
        assert!(open(KIND, &nobody).unwrap_err().contains("0 signatures"));
        let twice = seal(KIND, b"words", &[&key, &key]).unwrap();
        assert!(open(KIND, &twice).unwrap_err().contains("twice"));
    }
}
