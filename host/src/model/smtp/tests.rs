//! What settings of a mail server say, and what none can mean.

use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "so that each case reads as one line")]
fn settings(value: serde_json::Value) -> SmtpSettings {
    let mut whole = json!({ "serverAddress": "mail.example", "timeout": "00:00:30", "tlsMode": "startTls" });
    for (key, value) in value.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn with_password(server: &str, user: &str, password: Option<&str>) -> SmtpSettings {
    let mut credential = json!({ "userName": user });
    if let Some(password) = password {
        credential["password"] = json!(password);
    }
    settings(json!({ "serverAddress": server, "passwordCredential": credential }))
}

#[test]
fn an_address_is_a_host_and_perhaps_a_port() {
    let address = |text: &str, mode: &str| {
        settings(json!({ "serverAddress": text, "tlsMode": mode })).address().map(|found| found.to_string())
    };
    assert_eq!(address("Mail.Example.", "none").unwrap(), "mail.example:25");
    assert_eq!(address("mail.example", "sslOnConnect").unwrap(), "mail.example:465");
    assert_eq!(address("mail.example:2525", "auto").unwrap(), "mail.example:2525");
    assert_eq!(address("smtp://mail.example:25", "auto").unwrap(), "mail.example:25");
    assert_eq!(address("[::1]:587", "auto").unwrap(), "[::1]:587");
    for bad in [
        "",
        ":25",
        "mail:0",
        "mail:65536",
        "mail:x",
        "user@mail",
        "http://mail",
        "a b",
        "[::1",
        "[x]:1",
        "::1",
        "m\r\n",
    ] {
        // A trailing line break alone is trimmed; within, it is refused.
        let found = address(bad, "none");
        assert!(found.is_err() || bad == "m\r\n", "{bad:?} became {found:?}");
    }
}

#[test]
fn a_timeout_is_a_time_of_at_most_five_minutes() {
    let patience = |text: &str| settings(json!({ "timeout": text })).patience();
    assert_eq!(patience("00:01:40").unwrap().as_secs(), 100);
    assert_eq!(patience("00:00:30.0000000").unwrap().as_secs(), 30);
    for bad in [
        "",
        "30",
        "00:00:00",
        "00:05:01",
        "00:00:60",
        "0:0:1",
        "00:00",
        "-0:00:01",
        "00:00:01:00",
        "00:00:01.x",
    ] {
        assert!(patience(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_hash_in_any_spelling_becomes_one_and_another_length_is_refused() {
    let hash = "AB:".repeat(31) + "AB";
    let mut found = settings(json!({ "exclusivelyAcceptedCertificateHash": hash }));
    found.check().unwrap();
    assert_eq!(found.exclusively_accepted_certificate_hash, Some("ab".repeat(32)));
    assert_eq!(found.pin(), Some([0xab; 32]));
    let mut sha1 = settings(json!({ "exclusivelyAcceptedCertificateHash": "ab".repeat(20) }));
    assert_eq!(sha1.check().unwrap_err().property, "exclusivelyAcceptedCertificateHash");
}

#[test]
fn an_unknown_mechanism_and_two_credentials_are_refused() {
    let mut found = settings(json!({ "passwordCredential": { "userName": "u", "saslMechanism": "NTLM" } }));
    assert_eq!(found.check().unwrap_err().property, "passwordCredential.saslMechanism");
    let mut found = settings(
        json!({ "passwordCredential": { "userName": "u" }, "oAuth2Credential": oauth("Google", None) }),
    );
    assert_eq!(found.check().unwrap_err().property, "oAuth2Credential");
}

fn oauth(kind: &str, tenant: Option<&str>) -> serde_json::Value {
    json!({
        "identityProviderSettings": {}, "userId": "box@example.com", "accessToken": "at", "refreshToken": "rt",
        "accessTokenExpiration": "2026-01-01T00:00:00Z",
        "clientSettings": { "kind": kind, "clientId": "c", "clientSecret": "cs", "tenantId": tenant },
    })
}

#[test]
fn a_tenant_cannot_lead_elsewhere() {
    for bad in ["../x", "a/b", "x?y", "x@evil.example", "a..b", ""] {
        let mut found = settings(json!({ "oAuth2Credential": oauth("Azure", Some(bad)) }));
        assert_eq!(found.check().unwrap_err().property, "oAuth2Credential.clientSettings.tenantId", "{bad}");
    }
}

#[test]
fn secrets_come_out_and_go_back_in_and_show_nowhere() {
    let mut found = settings(json!({ "oAuth2Credential": oauth("Google", None) }));
    assert!(!format!("{found:?}").contains("\"cs\""));
    let whole = found.clone();
    let secrets = found.take_secrets();
    let shown = serde_json::to_string(&found).unwrap();
    assert!(!shown.contains("\"at\"") && !shown.contains("\"rt\"") && !shown.contains("\"cs\""), "{shown}");
    found.put_secrets(&secrets);
    assert_eq!(found, whole);

    let mut found = with_password("mail.example", "u", Some("hunter2"));
    let secrets = found.take_secrets();
    assert!(!serde_json::to_string(&found).unwrap().contains("password\""), "the property is left out");
    assert!(!format!("{secrets:?}").contains("hunter2"));
}

#[test]
fn another_server_user_or_client_is_somewhere_else() {
    let old = with_password("mail.example:25", "u", None);
    assert!(with_password("MAIL.example", "u", None).goes_where(&old));
    assert!(!with_password("mail.example:26", "u", None).goes_where(&old));
    assert!(!with_password("evil.example:25", "u", None).goes_where(&old));
    assert!(!with_password("mail.example:25", "v", None).goes_where(&old));
    let oauth_of =
        |kind: &str, tenant: Option<&str>| settings(json!({ "oAuth2Credential": oauth(kind, tenant) }));
    let old = oauth_of("Azure", Some("a.example"));
    assert!(oauth_of("Azure", Some("a.example")).goes_where(&old));
    assert!(!oauth_of("Azure", Some("b.example")).goes_where(&old));
    assert!(!oauth_of("Google", Some("a.example")).goes_where(&old));
}

#[test]
fn a_weaker_line_is_another_line() {
    let old = with_password("mail.example", "u", None);
    let mut weaker = old.clone();
    weaker.tls_mode = TlsMode::None;
    assert!(weaker.goes_where(&old) && !weaker.same_line(&old));
}

#[test]
fn secrets_stay_on_a_line_that_is_no_weaker() {
    let of = |port: u16, mode: TlsMode, pin: Option<&str>| {
        let mut settings = with_password(&format!("mail.example:{port}"), "u", None);
        settings.tls_mode = mode;
        settings.exclusively_accepted_certificate_hash = pin.map(str::to_owned);
        settings
    };
    let (one, other) = ("11".repeat(32), "22".repeat(32));
    let order = [TlsMode::None, TlsMode::StartTlsWhenAvailable, TlsMode::StartTls];
    for (old, before) in order.iter().enumerate() {
        for (new, after) in order.iter().enumerate() {
            let kept = of(25, *after, None).keeps_secrets_of(&of(25, *before, None));
            assert_eq!(kept, new >= old, "{before:?} {after:?}");
        }
    }
    assert!(of(465, TlsMode::Auto, None).keeps_secrets_of(&of(465, TlsMode::SslOnConnect, None)));
    assert!(!of(25, TlsMode::Auto, None).keeps_secrets_of(&of(25, TlsMode::StartTls, None)));
    let pinned = of(25, TlsMode::StartTls, Some(&one));
    assert!(pinned.keeps_secrets_of(&of(25, TlsMode::StartTls, None)), "a pin makes it stricter");
    for pin in [None, Some(other.as_str())] {
        assert!(!of(25, TlsMode::StartTls, pin).keeps_secrets_of(&pinned));
    }
}
