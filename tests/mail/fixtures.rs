//! A mailer over a database, without the rest of a host.

use std::sync::Arc;
use std::time::Duration;

use keelson::clock::{Clock, SystemClock};
use keelson::id::{self, MailUid};
use keelson::mail::{MailOptions, Mailer, TokenEndpoints};
use keelson::model::{MailKind, MailState, NewMail, NotificationSettings, SmtpSettings};
use keelson::seal::Seal;
use keelson::store::Store;
use keelson_tests::database::sql;
use keelson_tests::{MailServer, TestDatabase, eventually};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Organisations, a queue, and a mailer that runs.
pub(super) struct Post {
    pub(super) database: TestDatabase,
    pub(super) store: Store,
    pub(super) mailer: Mailer,
    pub(super) provider: Uuid,
    pub(super) reseller: Uuid,
    pub(super) company: Uuid,
    pub(super) data: TempDir,
    stopping: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

pub(super) fn options() -> MailOptions {
    MailOptions {
        name: "console.test".to_owned(),
        authorities: Vec::new(),
        private_servers: true,
        tokens: TokenEndpoints::default(),
        first_wait: Duration::from_millis(100),
    }
}

impl Post {
    pub(super) async fn open(database: TestDatabase) -> Self {
        Self::open_with(database, options()).await
    }

    pub(super) async fn open_with(database: TestDatabase, options: MailOptions) -> Self {
        let store = database.store().await;
        let data = tempfile::tempdir().unwrap();
        let [provider, reseller, company] = [0, 1, 2].map(|_| id::fresh(&SystemClock));
        for statement in organisations(&database, provider, reseller, company) {
            execute(&database, statement).await;
        }
        let seal = Seal::open(data.path()).unwrap();
        let mailer = Mailer::new(store.clone(), seal, Arc::new(SystemClock), options);
        let stopping = CancellationToken::new();
        let running = tokio::spawn(mailer.clone().run(stopping.clone()));
        Self { database, store, mailer, provider, reseller, company, data, stopping, running }
    }

    /// Stops the mailer in order.
    pub(super) async fn stop(self) {
        self.stopping.cancel();
        self.running.await.unwrap();
    }

    /// Ends the mailer as a crash does.
    pub(super) fn crash(&self) {
        self.running.abort();
    }

    pub(super) async fn set(&self, organization: Uuid, smtp: Value) {
        let settings = NotificationSettings {
            smtp: Some(serde_json::from_value(smtp).unwrap()),
            default_from: Some(format!("console@{}.test", organization.simple())),
            default_sender_name: Some("Backup console".to_owned()),
            ..NotificationSettings::default()
        };
        let mut tx = self.store.write().await.unwrap();
        tx.notifications().put(self.mailer.seal(), organization, &settings).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn queue(&self, organization: Uuid, subject: &str) -> MailUid {
        self.queue_mail(&NewMail { subject: subject.to_owned(), ..mail(organization) }).await
    }

    pub(super) async fn queue_mail(&self, new: &NewMail) -> MailUid {
        let mut tx = self.store.write().await.unwrap();
        let uid = tx.mails().queue(&SystemClock, self.mailer.seal(), new).await.unwrap();
        tx.commit().await.unwrap();
        uid
    }

    pub(super) async fn state(&self, uid: MailUid) -> MailState {
        self.store.read().await.unwrap().mails().state(uid).await.unwrap().unwrap()
    }

    pub(super) async fn until(&self, uid: MailUid, status: &str) -> MailState {
        eventually(&format!("the mail to be {status}"), || async {
            Some(self.state(uid).await).filter(|state| state.status == status)
        })
        .await
    }

    /// Until an attempt has failed; how the mail stands then.
    pub(super) async fn until_failed(&self, uid: MailUid) -> MailState {
        eventually("an attempt to fail", || async {
            Some(self.state(uid).await).filter(|state| state.last_error.is_some())
        })
        .await
    }
}

pub(super) fn mail(organization: Uuid) -> NewMail {
    NewMail {
        organization_uid: organization,
        kind: MailKind::Test,
        to: "owner@bakery.test".to_owned(),
        from: None,
        sender_name: None,
        subject: "Hello".to_owned(),
        text: "plain words".to_owned(),
        html: "<p>marked words</p>".to_owned(),
        max_attempts: None,
    }
}

/// Settings for a server without TLS or sign-in, with some of them otherwise.
#[expect(clippy::needless_pass_by_value, reason = "so that each call reads as one line")]
pub(super) fn smtp(server: &MailServer, other: Value) -> Value {
    let mut settings = json!({ "serverAddress": server.address(), "timeout": "00:00:05", "tlsMode": "none" });
    for (key, value) in other.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

pub(super) fn parsed(settings: Value) -> SmtpSettings {
    let mut settings: SmtpSettings = serde_json::from_value(settings).unwrap();
    settings.check().unwrap();
    settings
}

pub(super) async fn execute(database: &TestDatabase, statement: String) {
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        connection.execute(sqlx::query(sql(statement))).await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        connection.execute(sqlx::query(sql(statement))).await.unwrap();
    }
}

fn organisations(database: &TestDatabase, provider: Uuid, reseller: Uuid, company: Uuid) -> Vec<String> {
    let literal = |uid: Uuid| {
        if database.is_sqlite() { format!("x'{}'", uid.simple()) } else { format!("'{uid}'") }
    };
    let no = if database.is_sqlite() { "0" } else { "FALSE" };
    let now = SystemClock.now_ms();
    let (provider, reseller, company) = (literal(provider), literal(reseller), literal(company));
    let organisation = |uid: &str, kind: &str| {
        format!(
            "INSERT INTO organizations (uid, type, name, name_folded, created_at) VALUES ({uid}, '{kind}', 'The {kind}', 'the {kind}', {now})"
        )
    };
    vec![
        organisation(&provider, "Provider"),
        organisation(&reseller, "Reseller"),
        organisation(&company, "Company"),
        format!(
            "INSERT INTO resellers (uid, status, rest_access_enabled, owner_name) VALUES ({reseller}, 'Active', {no}, 'r')"
        ),
        format!(
            "INSERT INTO companies (uid, name, name_folded, status, alarm_detect_enabled, rest_access_enabled, owner_name, details, \
             created_at, reseller_uid) VALUES ({company}, 'Bakery', 'bakery', 'Active', {no}, {no}, 'b', '{{}}', {now}, {reseller})"
        ),
    ]
}
