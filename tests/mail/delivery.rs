//! What becomes of a mail.

use keelson::model::{MailKind, NewMail};
use keelson_tests::{MailServer, MailServerOptions, Mood, eventually, on_both};
use serde_json::json;

use super::fixtures::{Post, execute, mail, options, smtp};

async fn server(mood: Mood) -> MailServer {
    MailServer::start(MailServerOptions { mood, ..MailServerOptions::default() }).await
}

on_both! {
    fn a_mail_reaches_its_recipients_in_both_forms(database) {
        let (post, server) = (Post::open(database).await, server(Mood::Fine).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let to = "one@bakery.test, Two <two@bakery.test>".to_owned();
        let uid = post.queue_mail(&NewMail { to, ..mail(post.company) }).await;
        assert_eq!(post.until(uid, "Sent").await.attempts, 1);
        let [taken] = server.delivered().try_into().unwrap();
        assert_eq!(taken.to, ["one@bakery.test", "two@bakery.test"]);
        assert_eq!(taken.from, format!("console@{}.test", post.provider.simple()));
        assert!(taken.header("From").unwrap().contains("Backup console"));
        assert_eq!(taken.header("Message-ID").unwrap(), format!("<{uid}@console.test>"));
        assert!(taken.data.contains("plain words") && taken.data.contains("<p>marked words</p>"));
        post.stop().await;
    }

    fn a_mail_of_a_change_that_was_not_committed_never_goes_out(database) {
        let (post, server) = (Post::open(database).await, server(Mood::Fine).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let mut tx = post.store.write().await.unwrap();
        let gone = tx.mails().queue(&keelson::clock::SystemClock, post.mailer.seal(), &mail(post.company)).await.unwrap();
        drop(tx);
        let uid = post.queue(post.company, "the next").await;
        post.until(uid, "Sent").await;
        assert_eq!(server.delivered().len(), 1);
        assert_eq!(post.store.read().await.unwrap().mails().state(gone).await.unwrap(), None);
        post.stop().await;
    }

    fn a_server_that_puts_off_gets_the_mail_later(database) {
        let (post, server) = (Post::open(database).await, server(Mood::PutsOff(2)).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let uid = post.queue(post.company, "greylisted").await;
        assert!(post.until_failed(uid).await.last_error.unwrap().contains("451"));
        let state = post.until(uid, "Sent").await;
        assert_eq!((state.attempts, state.last_error), (3, None));
        assert_eq!(server.delivered().len(), 1);
        post.stop().await;
    }

    fn a_refusal_for_good_ends_it_and_holds_up_nobody(database) {
        let (post, server) = (Post::open(database).await, server(Mood::RefusesRecipients).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let uid = post.queue(post.company, "nobody").await;
        let dead = post.until(uid, "Dead").await;
        assert_eq!(dead.attempts, 1);
        assert!(dead.last_error.unwrap().contains("550"));
        let odd = post.queue_mail(&NewMail { to: "no address".to_owned(), ..mail(post.company) }).await;
        assert!(post.until(odd, "Dead").await.last_error.unwrap().contains("'no address'"));
        server.change(|options| options.mood = Mood::Fine);
        let next = post.queue(post.company, "somebody").await;
        post.until(next, "Sent").await;
        post.stop().await;
    }

    fn a_mail_is_given_up_after_its_last_attempt_and_its_words_are_gone(database) {
        let (post, server) = (Post::open(database).await, server(Mood::PutsOff(usize::MAX)).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let uid = post.queue_mail(&NewMail { max_attempts: Some(3), ..mail(post.company) }).await;
        let dead = post.until(uid, "Dead").await;
        assert_eq!(dead.attempts, 3);
        assert!(dead.last_error.unwrap().contains("451"));
        assert_eq!(stored_words(&post, uid).await, None);
        post.stop().await;
    }

    fn a_hanging_server_holds_up_only_its_own_organisation(database) {
        let post = Post::open(database).await;
        let (hangs, works) = (server(Mood::Silent).await, server(Mood::Fine).await);
        post.set(post.reseller, smtp(&hangs, json!({ "timeout": "00:00:03" }))).await;
        post.set(post.provider, smtp(&works, json!({}))).await;
        let held = post.queue(post.company, "held").await;
        eventually("the connection", || async { (hangs.connections() > 0).then_some(()) }).await;
        let free = post.queue(post.provider, "free").await;
        post.until(free, "Sent").await;
        let state = post.until_failed(held).await;
        assert_eq!(state.status, "Queued");
        assert!(state.last_error.unwrap().contains("3 s"));
        post.stop().await;
    }

    fn what_is_no_mail_server_is_said_to_be_none(database) {
        let (post, server) = (Post::open(database).await, server(Mood::Nonsense).await);
        post.set(post.provider, smtp(&server, json!({ "tlsMode": "startTls" }))).await;
        let uid = post.queue(post.company, "lost").await;
        assert!(post.until_failed(uid).await.last_error.unwrap().contains("no SMTP reply"));
        post.stop().await;
    }

    fn a_mail_without_a_server_waits_for_one(database) {
        let (post, server) = (Post::open(database).await, server(Mood::Fine).await);
        let uid = post.queue(post.company, "early").await;
        assert!(post.until_failed(uid).await.last_error.unwrap().contains("no mail server is configured"));
        post.set(post.provider, smtp(&server, json!({}))).await;
        post.until(uid, "Sent").await;
        post.stop().await;
    }

    fn the_nearest_mail_server_takes_it(database) {
        let post = Post::open(database).await;
        let (far, middle, near) = (server(Mood::Fine).await, server(Mood::Fine).await, server(Mood::Fine).await);
        post.set(post.provider, smtp(&far, json!({}))).await;
        let first = post.queue(post.company, "first").await;
        post.until(first, "Sent").await;
        post.set(post.reseller, smtp(&middle, json!({}))).await;
        let second = post.queue(post.company, "second").await;
        post.until(second, "Sent").await;
        post.set(post.company, smtp(&near, json!({}))).await;
        let third = post.queue(post.company, "third").await;
        post.until(third, "Sent").await;
        for (server, subject) in [(far, "first"), (middle, "second"), (near, "third")] {
            let [taken] = server.delivered().try_into().unwrap();
            assert_eq!(taken.header("Subject").unwrap(), subject);
        }
        post.stop().await;
    }

    fn a_way_to_a_new_password_goes_past_the_server_of_those_who_could_read_it(database) {
        let post = Post::open(database).await;
        let (far, middle, near) = (server(Mood::Fine).await, server(Mood::Fine).await, server(Mood::Fine).await);
        post.set(post.company, smtp(&near, json!({}))).await;
        let reset = |organization| NewMail { kind: MailKind::PasswordReset, ..mail(organization) };
        let early = post.queue_mail(&reset(post.company)).await;
        assert!(post.until_failed(early).await.last_error.unwrap().contains("no mail server is configured"));
        post.set(post.provider, smtp(&far, json!({}))).await;
        post.until(early, "Sent").await;
        post.set(post.reseller, smtp(&middle, json!({}))).await;
        for organization in [post.company, post.reseller, post.provider] {
            let uid = post.queue_mail(&reset(organization)).await;
            post.until(uid, "Sent").await;
        }
        let plain = post.queue(post.company, "plain").await;
        post.until(plain, "Sent").await;
        assert_eq!((near.delivered().len(), middle.delivered().len(), far.delivered().len()), (1, 1, 3));
        assert_eq!(near.delivered()[0].header("Subject").unwrap(), "plain");
        post.stop().await;
    }

    fn after_a_crash_a_mail_stays_with_its_lease_and_then_goes_out_under_the_same_id(database) {
        let (post, server) = (Post::open(database).await, server(Mood::Silent).await);
        post.set(post.provider, smtp(&server, json!({ "timeout": "00:05:00" }))).await;
        let uid = post.queue(post.company, "once").await;
        eventually("the connection", || async { (server.connections() > 0).then_some(()) }).await;
        post.crash();
        server.change(|options| options.mood = Mood::Fine);
        let (provider, data) = (post.provider, &post.data);
        let again = keelson::mail::Mailer::new(
            post.store.clone(),
            keelson::seal::Seal::open(data.path()).unwrap(),
            std::sync::Arc::new(keelson::clock::SystemClock),
            options(),
        );
        let stopping = tokio_util::sync::CancellationToken::new();
        let running = tokio::spawn(again.run(stopping.clone()));
        let other = post.queue(provider, "another").await;
        post.until(other, "Sent").await;
        assert_eq!(post.state(uid).await.status, "Queued", "the lease is not over");
        execute(&post.database, "UPDATE mails SET due_at = 1 WHERE status = 'Queued'".to_owned()).await;
        assert_eq!(post.until(uid, "Sent").await.attempts, 2);
        let ids: Vec<_> = server.delivered().iter().filter_map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.iter().filter(|id| id.contains(&uid.to_string())).count(), 1);
        stopping.cancel();
        running.await.unwrap();
    }

    fn a_mail_whose_acceptance_was_lost_comes_again_under_the_same_id(database) {
        let (post, server) = (Post::open(database).await, server(Mood::DiesAfterData(1)).await);
        post.set(post.provider, smtp(&server, json!({}))).await;
        let uid = post.queue(post.company, "twice").await;
        post.until(uid, "Sent").await;
        let ids: Vec<_> = server.delivered().iter().filter_map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
        post.stop().await;
    }

    fn words_and_passwords_are_not_in_the_database_in_clear(database) {
        let post = Post::open(database).await;
        let credential = json!({ "userName": "ann", "password": "hunter2-secret" });
        let unreachable = json!({
            "serverAddress": "127.0.0.1:1", "timeout": "00:00:01", "tlsMode": "none", "passwordCredential": credential,
        });
        post.set(post.provider, unreachable).await;
        let uid = post.queue_mail(&NewMail { text: "reset-link-secret".to_owned(), ..mail(post.company) }).await;
        let words = stored_words(&post, uid).await.unwrap();
        assert!(!String::from_utf8_lossy(&words).contains("secret"));
        let row = post.store.read().await.unwrap().notifications().smtp_of(post.provider).await.unwrap().unwrap();
        assert!(!row.smtp.contains("hunter2"), "{}", row.smtp);
        assert!(!format!("{row:?}").contains("hunter2"));
        post.stop().await;
    }
}

async fn stored_words(post: &Post, uid: keelson::id::MailUid) -> Option<Vec<u8>> {
    use sqlx::{Connection, Row};
    let text = "SELECT words FROM mails WHERE uid = $1";
    if post.database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&post.database.url).await.unwrap();
        sqlx::query(text).bind(uid).fetch_one(&mut connection).await.unwrap().get(0)
    } else {
        let mut connection = sqlx::PgConnection::connect(&post.database.url).await.unwrap();
        sqlx::query(text).bind(uid).fetch_one(&mut connection).await.unwrap().get(0)
    }
}
