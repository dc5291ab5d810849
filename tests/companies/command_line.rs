//! Companies and resellers made by commands.

use std::io::Write as _;
use std::process::{Command, Stdio};

use keelson_tests::on_both;
use keelson_tests::process::keelson;
use serde_json::json;

use super::desk::{Desk, PASSWORD, signs_in};

fn with_password(desk: &Desk, arguments: &[&str]) -> String {
    let mut command = Command::new(keelson());
    command
        .args(arguments)
        .arg("--data")
        .arg(desk.host.data.path())
        .args(["--database", &desk.host.database_url()]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

on_both! {
    fn owners_are_made_when_a_password_is_given(database) {
        let desk = Desk::open(database).await;
        let reseller = with_password(&desk, &["reseller", "add", "--name", "North", "--owner", "nora", "--password-stdin"]);
        let company = with_password(
            &desk,
            &["company", "add", "--name", "Bakery", "--owner", "bob", "--password-stdin", "--reseller", "North"],
        );
        assert!(signs_in(&desk, "nora", PASSWORD).await && signs_in(&desk, "bob", PASSWORD).await);
        let shown = desk.admin.data(&format!("/organizations/companies/{company}")).await;
        assert_eq!((&shown["resellerUid"], &shown["ownerCredentials"]["userName"]), (&json!(reseller), &json!("bob")));
        let later = desk.host.command(&["company", "add", "--name", "Later", "--owner", "lea"]);
        assert!(!signs_in(&desk, "lea", PASSWORD).await);
        let steps = json!([{"op": "add", "path": "/ownerCredentials/password", "value": PASSWORD}]);
        let (status, body) = desk.patch(&format!("/organizations/companies/{later}"), steps).await;
        assert_eq!(status, reqwest::StatusCode::OK, "{body}");
        assert!(signs_in(&desk, "lea", PASSWORD).await, "the first password makes the owner");
        desk.close().await;
    }
}
