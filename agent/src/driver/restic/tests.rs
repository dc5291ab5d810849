//! Against the real program: a driver that was tested with a fake one was not tested.

use super::*;
use crate::clock::SystemClock;
use crate::error::chain;
use crate::testing::restic::Repository;

fn setup(repository: &Repository, password_file: &str) -> Setup {
    Setup {
        repository: repository.path("repository"),
        password_file: repository.path(password_file).into(),
        server_name: None,
        cache: repository.path("cache").into(),
        restore_roots: Vec::new(),
    }
}

fn driver(repository: &Repository, password_file: &str) -> Restic {
    Restic::new(setup(repository, password_file), Arc::new(SystemClock))
}

fn with_program(repository: &Repository, program: &str, limit: Duration) -> Restic {
    Restic::with_program(setup(repository, "password"), Arc::new(SystemClock), program, limit)
}

#[tokio::test]
async fn a_real_repository_becomes_a_server_workloads_and_restore_points() {
    let repository = Repository::init();
    let engine = driver(&repository, "password");
    let empty = engine.inventory().await.unwrap();
    assert!(empty.workloads.is_empty() && empty.restore_points.is_empty());
    assert_eq!(empty.server.name, "repository");
    assert_eq!(empty.server.key.len(), 64);
    assert!(empty.server.version.starts_with(|c: char| c.is_ascii_digit()), "{}", empty.server.version);

    repository.backup("alpha");
    repository.backup("alpha");
    repository.backup("beta");
    let full = engine.inventory().await.unwrap();
    assert_eq!(full.server.key, empty.server.key);
    let names: Vec<&str> = full.workloads.iter().map(|workload| workload.name.as_str()).collect();
    assert_eq!(names, ["alpha", "beta"]);
    assert_eq!(full.workloads[0].backed_up_items, repository.path("files"));
    let of_alpha = full.restore_points.iter().filter(|point| point.workload_key == full.workloads[0].key);
    assert_eq!(of_alpha.count(), 2);
    assert!(full.restore_points.iter().all(|point| point.key.len() == 64 && point.created_at > 0));

    repository.restic(&["forget", "--host", "alpha", "--keep-last", "1"]);
    assert_eq!(engine.inventory().await.unwrap().restore_points.len(), 2);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_way_out() {
    let repository = Repository::init();
    std::fs::write(repository.path("wrong"), "battery staple\n").unwrap();
    let wrong = driver(&repository, "wrong").inventory().await.unwrap_err();
    assert!(matches!(&wrong, ResticError::WrongPassword(_)), "{wrong}");
    assert!(!chain(&wrong).contains("battery"));
    let unreadable = driver(&repository, "absent").inventory().await.unwrap_err();
    assert!(matches!(unreadable, ResticError::PasswordFile(_)), "{unreadable}");

    let engine = with_program(&repository, "restic-of-nobody", TIME_LIMIT);
    let missing = engine.inventory().await.unwrap_err();
    assert!(matches!(missing, ResticError::Missing(_)) && missing.to_string().contains("apt-get"));

    std::fs::remove_dir_all(repository.path("repository")).unwrap();
    let none = driver(&repository, "password").inventory().await.unwrap_err();
    assert!(matches!(none, ResticError::NoRepository(_)), "{none}");
}

#[tokio::test]
async fn a_restic_that_hangs_is_ended_at_the_time_limit() {
    let repository = Repository::init();
    let script = repository.path("hang");
    std::fs::write(&script, "#!/bin/sh\nexec sleep 600\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).unwrap();
    let limit = Duration::from_millis(200);
    let engine = with_program(&repository, &script, limit);
    assert!(matches!(engine.inventory().await.unwrap_err(), ResticError::TimeLimit(_)));
}
