//! `keelson-agent enroll --driver vbr` where it goes wrong: the server is looked at before a join token is used or anything is
//! stored.

use std::process::Command;

use keelson_tests::process::keelson_agent;
use keelson_tests::vbr::{Fault, Trouble};

use super::*;

/// What it says on standard error, and its exit code.
fn enroll(server: &VbrServer, folder: &TempDir, more: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(keelson_agent());
    command.args(["enroll", "--token", "kj1.never-used", "--driver", "vbr", "--vbr-user", USER]);
    command.args(["--vbr-address", &server.address()]).args(more);
    command.arg("--vbr-password-file").arg(folder.path().join("password"));
    command.arg("--data").arg(folder.path().join("agent"));
    let output = command.output().unwrap();
    assert!(!folder.path().join("agent/agent.toml").exists(), "nothing is stored");
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolment_beside_the_wrong_server_or_with_the_wrong_account_stores_nothing() {
    let server = VbrServer::start(VbrOptions::at(NOW)).await;
    let folder = tempfile::tempdir().unwrap();
    password_file(&folder);
    let expected = "ab".repeat(32);
    let (said, code) = enroll(&server, &folder, &["--vbr-fingerprint", &expected]);
    assert!(said.contains(&expected) && said.contains(&server.fingerprint()), "{said}");
    assert_eq!(code, Some(1));
    assert_eq!(server.take_asked(), Vec::<String>::new(), "no password was sent");

    server.break_it(Fault::times("/api/oauth2/token", 1, Trouble::Mfa));
    let (said, _) = enroll(&server, &folder, &[]);
    assert!(said.contains(&format!("the account {USER} has multi-factor authentication")), "{said}");

    write_private(&folder.path().join("password"), "wrong");
    let (said, _) = enroll(&server, &folder, &[]);
    assert!(said.contains("user name or password is incorrect") && !said.contains("wrong;"), "{said}");

    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("password"), open).unwrap();
    let (said, _) = enroll(&server, &folder, &[]);
    assert!(said.contains("chmod 600"), "{said}");

    password_file(&folder);
    let (said, code) = enroll(&server, &folder, &[]);
    assert!(said.contains("token") && code == Some(2), "only now the join token is looked at: {said}");
    assert_eq!(server.violations(), Vec::<String>::new());
}
