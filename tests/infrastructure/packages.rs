//! The Linux package: a script that makes an agent of a machine.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use keelson_tests::{HostProcess, eventually, on_both};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;

const PACKAGE: &str = "/infrastructure/managementAgents/packages/linux";

on_both! {
    fn the_package_brings_the_agent_and_a_token_no_longer_than_the_provider_allows(database) {
        let host = HostProcess::start(database, None).await;
        let admin = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let company = admin.data("/organizations/companies").await[0]["instanceUid"].as_str().unwrap().to_owned();
        let path = format!("/api/v3{PACKAGE}?organizationUid={company}&tokenExpiryPeriodDays=4700");
        let changes = async || admin.data("/eventLogs/activityLogs?limit=500").await.as_array().unwrap().len();
        let before = changes().await;
        let head = admin.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!((head.status(), head.headers().get("x-keelson-token-expires")), (StatusCode::OK, None));
        assert_eq!(changes().await, before, "whoever asks for the head only gets no token");
        let answer = admin.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/octet-stream");
        let expires = answer.headers()["x-keelson-token-expires"].to_str().unwrap().to_owned();
        let script = answer.bytes().await.unwrap();
        let head = String::from_utf8_lossy(script.get(..8_000).unwrap()).into_owned();
        assert!(head.starts_with("#!/bin/sh\n") && head.contains(&expires));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("package.sh");
        std::fs::write(&file, &script).unwrap();
        let mut install = Command::new("sh");
        install.arg(&file).arg("--program").arg(folder.path().join("bin/keelson-agent"));
        install.arg("--data").arg(folder.path().join("data")).args(["--no-service", "--", "--driver", "simulated"]);
        let done = install.stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(folder.path().join("bin/keelson-agent").is_file());
        eventually("the agent to be listed", || async {
            let agents = admin.data("/infrastructure/managementAgents").await;
            (agents[0]["organizationUid"] == company.as_str()).then_some(())
        })
        .await;

        let mut cut = script.to_vec();
        cut.pop();
        std::fs::write(&file, &cut).unwrap();
        let refused = install.output().unwrap();
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("download it again"));
        for (query, status) in [
            ("tokenExpiryPeriodDays=0", StatusCode::BAD_REQUEST),
            ("tokenExpiryPeriodDays=4701", StatusCode::BAD_REQUEST),
            ("tokenExpiryPeriodDays=many", StatusCode::BAD_REQUEST),
            ("organizationUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
            ("locationUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
            ("cloudTenantUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(admin.get(&format!("{PACKAGE}?{query}")).await.0, status, "{query}");
        }
    }

    fn the_package_makes_a_confined_service_updates_what_is_there_and_takes_itself_away(database) {
        let host = HostProcess::start(database, None).await;
        let admin = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let company = admin.data("/organizations/companies").await[0]["instanceUid"].as_str().unwrap().to_owned();
        let answer = admin.request(Method::GET, &format!("/api/v3{PACKAGE}?organizationUid={company}")).send().await.unwrap();
        let package = Package::keep(&answer.bytes().await.unwrap());
        package.is_a_sound_script();
        let agents = async || admin.data("/infrastructure/managementAgents").await.as_array().unwrap().len();

        let driver = ["--", "--driver", "simulated"];
        assert!(package.run(&driver).contains("enrolled below"));
        assert_eq!((package.mode(UNIT), package.mode(PROGRAM), package.mode(KEY)), (0o644, 0o755, 0o600));
        let unit = std::fs::read_to_string(package.path(UNIT)).unwrap();
        for line in [
            "ExecStart=/usr/local/bin/keelson-agent run --data /var/lib/keelson-agent",
            "ReadWritePaths=/var/lib/keelson-agent",
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "Restart=on-failure",
            "RestartPreventExitStatus=7",
        ] {
            assert!(unit.lines().any(|one| one == line), "{line}: {unit}");
        }
        let key = std::fs::read(package.path(KEY)).unwrap();
        let program = std::fs::read(package.path(PROGRAM)).unwrap();

        std::fs::write(package.path(PROGRAM), "an earlier version").unwrap();
        std::fs::remove_file(package.path(UNIT)).unwrap();
        let again = package.run(&driver);
        assert!(again.contains("already enrolled") && again.contains("updated below"), "{again}");
        assert!(package.path(UNIT).exists());
        assert_eq!((std::fs::read(package.path(PROGRAM)).unwrap(), std::fs::read(package.path(KEY)).unwrap()), (program.clone(), key.clone()));
        assert_eq!(agents().await, 1);

        let refused = package.refusal(CHANGED, &["--", "--driver", "simulated", "--force"]);
        assert!(refused.contains("download it again"), "{refused}");
        assert_eq!((std::fs::read(package.path(PROGRAM)).unwrap(), agents().await), (program, 1));
        package.run(&["--", "--driver", "simulated", "--force"]);
        assert_ne!(std::fs::read(package.path(KEY)).unwrap(), key);
        assert_eq!(agents().await, 2);

        assert!(package.refusal(SCRIPT, &["--purge"]).contains("--uninstall"));
        package.run(&["--uninstall"]);
        assert!(!package.path(UNIT).exists() && !package.path(PROGRAM).exists() && package.path(KEY).exists());
        package.run(&["--uninstall", "--purge"]);
        assert!(!package.path("var/lib/keelson-agent").exists());
        assert!(package.refusal(SCRIPT, &["--uninstall"]).contains("name them with --program"), "nothing is left");
    }
}

#[test]
fn the_package_takes_an_agent_away_from_where_its_service_says() {
    let package = Package::without_program();
    package.bring("opt/ka/keelson-agent");
    package.run(&["--program", "/opt/ka/keelson-agent", "--data", "/srv/a/ka"]);
    assert_eq!((package.mode("srv"), package.mode("srv/a"), package.mode("srv/a/ka")), (0o755, 0o755, 0o700));
    assert_eq!(package.mode("srv/a/ka/agent.key"), 0o600);

    let unit = std::fs::read_to_string(package.path(UNIT)).unwrap();
    std::fs::write(package.path(UNIT), unit.replace("ExecStart=", "ExecStart=/bin/nice\\x20")).unwrap();
    assert!(package.refusal(SCRIPT, &["--uninstall", "--purge"]).contains("name it with --program"));
    std::fs::write(package.path(UNIT), unit).unwrap();
    let refused = package.refusal(SCRIPT, &["--uninstall", "--purge", "--data", "/opt/ka"]);
    assert!(refused.contains("holds no agent, nothing is removed"), "{refused}");
    assert!(package.path(UNIT).exists() && package.path("opt/ka/keelson-agent").exists());

    assert!(package.run(&["--uninstall", "--purge"]).contains("/srv/a/ka"));
    for gone in [UNIT, "opt/ka/keelson-agent", "srv/a/ka"] {
        assert!(!package.path(gone).exists(), "{gone}");
    }
    let nothing = package.refusal(SCRIPT, &["--uninstall", "--purge"]);
    assert!(nothing.contains("there is no service") && nothing.contains("--data FOLDER"), "{nothing}");
}

#[test]
fn the_package_takes_quotes_in_the_service_as_systemd_does() {
    let package = Package::without_program();
    package.bring("opt/k a/keelson-agent");
    package.bring("srv/k a/agent.key");
    package.bring(UNIT);
    let line = "ExecStart=\"/opt/k a/keelson-agent\" run --data '/srv/k a' --json\n";
    std::fs::write(package.path(UNIT), line).unwrap();
    package.run(&["--uninstall"]);
    assert!(!package.path("opt/k a/keelson-agent").exists() && package.path("srv/k a/agent.key").exists());
    package.run(&["--uninstall", "--purge", "--data", "/srv/k a"]);
    assert!(!package.path("srv/k a").exists());
}

const UNIT: &str = "etc/systemd/system/keelson-agent.service";
const PROGRAM: &str = "usr/local/bin/keelson-agent";
const KEY: &str = "var/lib/keelson-agent/agent.key";

/// The script, and a folder that it takes for the root of a machine.
struct Package {
    folder: TempDir,
}

const SCRIPT: &str = "package.sh";
/// Stands in for keelson-agent.
const ENROLS: &str =
    "#!/bin/sh\n# keelson-agent\ntouch \"$3/agent.toml\" \"$3/agent.key\" \"$3/agent.pem\"\n";
/// The same with another byte in its program.
const CHANGED: &str = "changed.sh";

impl Package {
    fn keep(script: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut changed = script.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        std::fs::write(folder.path().join(SCRIPT), script).unwrap();
        std::fs::write(folder.path().join(CHANGED), changed).unwrap();
        Self { folder }
    }

    /// As a host makes it that has no agent's program beside it.
    fn without_program() -> Self {
        let script = include_str!("../../host/src/api/agents/package.sh");
        Self::keep(script.replace("@SIZE@", "0").as_bytes())
    }

    /// Something in the agent's place, which enrols as far as files go.
    fn bring(&self, name: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, ENROLS).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("root").join(name)
    }

    fn mode(&self, name: &str) -> u32 {
        self.path(name).metadata().unwrap().permissions().mode() & 0o777
    }

    fn started(&self, script: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("sh");
        command.arg(self.folder.path().join(script)).arg("--root").arg(self.path("")).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> String {
        let done = self.started(SCRIPT, arguments);
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn refusal(&self, script: &str, arguments: &[&str]) -> String {
        let done = self.started(script, arguments);
        assert!(!done.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&done.stderr).into_owned()
    }

    /// Read by a shell, and by shellcheck where there is one.
    fn is_a_sound_script(&self) {
        let script = std::fs::read(self.folder.path().join(SCRIPT)).unwrap();
        let text = String::from_utf8_lossy(&script);
        let size = text
            .lines()
            .find_map(|line| line.strip_prefix("SIZE='")?.strip_suffix('\'')?.parse::<usize>().ok());
        let head = self.folder.path().join("head.sh");
        std::fs::write(&head, &script[..script.len() - size.unwrap()]).unwrap();
        for (program, arguments) in [("sh", ["-n", "--"]), ("shellcheck", ["--shell=sh", "--"])] {
            match Command::new(program).args(arguments).arg(&head).output() {
                Ok(read) => {
                    assert!(read.status.success(), "{program}: {}", String::from_utf8_lossy(&read.stdout));
                }
                Err(error) => {
                    assert!(program != "sh" && error.kind() == ErrorKind::NotFound, "{program}: {error}");
                }
            }
        }
    }
}
