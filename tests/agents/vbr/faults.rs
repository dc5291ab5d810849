//! A server that breaks: nothing is lost, nothing is said to be gone, and the message names what is the matter.

use keelson_tests::vbr::{Fault, Trouble};

use super::*;

/// What a collection says while something is broken; afterwards all is as before.
async fn broken(beside: &Beside, fault: Fault) -> String {
    let before = beside.collect().await.unwrap();
    beside.server.break_it(fault);
    let message = beside.collect().await.unwrap_err();
    beside.server.mend();
    assert_eq!(beside.collect().await.unwrap(), before);
    message
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_when_it_is_refused() {
    let beside = Beside::start().await;
    beside.collect().await.unwrap();
    assert_eq!(beside.server.logins(), 1);
    beside.advance(Duration::from_secs(800));
    beside.collect().await.unwrap();
    assert_eq!(beside.server.logins(), 1, "the refresh token was enough");
    let tokens = beside.server.take_asked().iter().filter(|asked| asked.contains("oauth2")).count();
    assert_eq!(tokens, 2);
    beside.server.break_it(Fault::times("/api/v1/jobs/states", 1, Trouble::Unauthorized));
    beside.collect().await.unwrap();
    assert_eq!(beside.server.logins(), 2);
    beside.server.restart();
    beside.advance(Duration::from_secs(800));
    beside.collect().await.unwrap();
    assert_eq!(beside.server.logins(), 1, "a new server knows no old token, and takes the password");
    beside.well_behaved();
}

#[tokio::test]
async fn a_token_that_is_always_refused_ends_in_a_named_error() {
    let beside = Beside::start().await;
    let message = broken(&beside, Fault::always("/api/v1/backups", Trouble::Unauthorized)).await;
    assert!(message.contains("fresh token") && message.contains("GET /api/v1/backups"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn a_busy_or_failing_server_is_asked_again_but_not_for_ever() {
    let beside = Beside::start().await;
    beside.server.break_it(Fault::times("/api/v1/sessions", 2, Trouble::Failure));
    beside.server.break_it(Fault::times("/api/v1/license", 1, Trouble::TooMany(1)));
    beside.server.break_it(Fault::times("/api/v1/restorePoints", 1, Trouble::TooMany(1)));
    let began = std::time::Instant::now();
    beside.collect().await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "it waits as long as it is told to");
    beside.server.mend();
    let message = broken(&beside, Fault::always("/api/v1/backupObjects", Trouble::Failure)).await;
    assert!(message.contains("GET /api/v1/backupObjects (500): the service failed"), "{message}");
    let message = broken(&beside, Fault::always("/api/v1/backupObjects", Trouble::TooMany(3600))).await;
    assert!(message.contains("too busy for GET /api/v1/backupObjects"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn half_an_answer_names_the_question_and_nothing_is_reported() {
    let beside = Beside::start().await;
    let message = broken(&beside, Fault::always("/api/v1/restorePoints", Trouble::HalfBody)).await;
    assert!(message.contains("GET /api/v1/restorePoints ended in the middle"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn a_server_that_is_started_anew_in_the_middle_is_read_again_next_time() {
    let beside = Beside::start().await;
    let message = broken(&beside, Fault::times("/api/v1/jobs/states", 1, Trouble::Restart)).await;
    assert!(message.contains("was the backup server restarted?"), "{message}");
    assert_eq!(beside.server.logins(), 1, "it had to log in anew");
    beside.well_behaved();
}

#[tokio::test]
async fn pages_that_go_round_in_circles_are_an_error_and_not_an_endless_loop() {
    let beside = Beside::with(VbrOptions { page: 5, ..VbrOptions::at(NOW) }, PACE).await;
    let message = broken(&beside, Fault::always("/api/v1/restorePoints", Trouble::Cyclic)).await;
    assert!(message.contains("GET /api/v1/restorePoints") && message.contains("repeats"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_up_to_a_limit() {
    let pace = Pace { answer: Duration::from_millis(600), ..PACE };
    let beside = Beside::with(VbrOptions::at(NOW), pace).await;
    beside.server.break_it(Fault::times("/api/v1/serverInfo", 1, Trouble::Slow(Duration::from_millis(50))));
    let message =
        broken(&beside, Fault::times("/api/v1/backups", 1, Trouble::Slow(Duration::from_secs(20)))).await;
    assert!(message.contains("did not answer GET /api/v1/backups within 0.6 s"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn times_that_are_no_times_are_named() {
    let beside = Beside::start().await;
    let message = broken(&beside, Fault::always("/api/v1/restorePoints", Trouble::OddTimes)).await;
    assert!(message.contains("the day before yesterday"), "{message}");
    beside.well_behaved();
}

#[tokio::test]
async fn a_login_that_is_refused_says_what_to_do() {
    for (trouble, words) in [
        (Trouble::Mfa, "make a service account without MFA"),
        (Trouble::NoLicence, "licence of the backup server does not allow its REST API"),
        (Trouble::OtherVersion, "does not speak version 1.3-rev1"),
        (Trouble::Failure, "POST /api/oauth2/token (500)"),
    ] {
        let beside = Beside::start().await;
        beside.server.break_it(Fault::always("/api/oauth2/token", trouble));
        let message = beside.collect().await.unwrap_err();
        assert!(message.contains(words), "{trouble:?}: {message}");
        assert!(!message.contains(PASSWORD));
        beside.well_behaved();
    }
    let beside = Beside::start().await;
    write_private(&beside.folder.path().join("password"), "wrong");
    let message = beside.collect().await.unwrap_err();
    assert!(message.contains(USER) && message.contains("user name or password is incorrect"), "{message}");
}

#[tokio::test]
async fn another_certificate_is_refused_with_both_fingerprints_and_the_way_out() {
    let beside = Beside::start().await;
    let pinned = beside.server.fingerprint();
    beside.collect().await.unwrap();
    beside.server.change_certificate();
    // The connection that stands may be used; the next one may not.
    let mut beside = beside;
    beside.driver = {
        let folder = &beside.folder;
        let access = Access {
            address: beside.server.address().parse().unwrap(),
            user: USER.to_owned(),
            password_file: password_file(folder),
            fingerprint: pinned.parse().unwrap(),
        };
        let data = DataFolder::create(folder.path().join("agent")).unwrap();
        let clock: SharedClock = Arc::<ManualClock>::clone(&beside.clock);
        Vbr::new(access, PACE, &data, clock)
    };
    beside.server.take_asked();
    let message = beside.collect().await.unwrap_err();
    assert!(message.contains(&pinned) && message.contains(&beside.server.fingerprint()), "{message}");
    assert!(message.contains("--vbr-fingerprint"), "{message}");
    assert_eq!(beside.server.take_asked(), Vec::<String>::new(), "nothing was sent to it");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_by_its_address() {
    let beside = Beside::start().await;
    let address = beside.server.address();
    let Beside { server, driver, .. } = beside;
    drop(server);
    let message = driver.collect().await.map_err(|error| chain(&error)).unwrap_err();
    assert!(message.contains(&format!("{address} cannot be reached")), "{message}");
}
