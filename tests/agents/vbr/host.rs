//! From the server through an agent to the REST API, and from there to the server.

use keelson::id::{AgentUid, CommandUid};
use keelson::model::{CommandKind, NewCommand};
use keelson::seal::Seal;
use keelson_tests::vbr::World;
use keelson_tests::wait::eventually;
use keelson_tests::{Agent, Client, TestDatabase, TestHost, on_both};
use reqwest::{Method, StatusCode};

use super::*;

const JOB: &str = "VM Backup 01";

/// A Veeam server with an agent beside it, and a host that has heard of all of it.
struct Place {
    host: TestHost,
    client: Client,
    server: VbrServer,
    agent: Agent,
    said: String,
}

impl Place {
    async fn make(database: TestDatabase) -> Self {
        // What happens in these tests must lie behind the host, whose clock is the machine's.
        let now = keelson::clock::Clock::now_ms(&keelson::clock::SystemClock) / 1000 * 1000 - 3_600_000;
        let server = VbrServer::start(VbrOptions::at(now)).await;
        let host = TestHost::start_with(database, None, Arc::new(keelson::clock::SystemClock)).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let (mut agent, said) = Agent::enroll_vbr(&token, &server);
        agent.start();
        let client = host.administrator();
        let place = Self { host, client, server, agent, said };
        let points = place.server.with(|world| world.points.len());
        place.until("all restore points are there", |count| (count == points).then_some(())).await;
        place
    }

    /// Waits for something about the number of restore points.
    async fn until<T>(&self, what: &str, look: impl Fn(usize) -> Option<T>) -> T {
        eventually(what, || async { look(self.points().await.len()) }).await
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        self.client.data(&format!("{path}?limit=500")).await.as_array().unwrap().clone()
    }

    async fn points(&self) -> Vec<Value> {
        let mut all = self.all("/protectedWorkloads/computersManagedByBackupServer/restorePoints").await;
        all.extend(self.all("/protectedWorkloads/fileShares/restorePoints").await);
        for machine in self.all("/protectedWorkloads/virtualMachines").await {
            let uid = machine["instanceUid"].as_str().unwrap();
            all.extend(
                self.all(&format!("/protectedWorkloads/virtualMachines/{uid}/backupRestorePoints")).await,
            );
        }
        all
    }

    async fn job(&self) -> Value {
        let all = self.all("/infrastructure/backupServers/jobs").await;
        all.into_iter().find(|job| job["name"] == JOB).unwrap()
    }

    async fn until_job(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async { Some(self.job().await).filter(|job| fits(job)) }).await
    }

    async fn tell(&self, verb: &str) {
        let job = self.job().await["instanceUid"].as_str().unwrap().to_owned();
        let path = format!("/infrastructure/backupServers/jobs/{job}/{verb}");
        let (status, answer) = self.client.json(Method::POST, &path, &json!(null)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    /// Puts a command for the server into the outbox, as the host itself does.
    async fn command(&self, kind: CommandKind, secret: Option<Value>) {
        let clock = keelson::clock::SystemClock;
        let uid = CommandUid::new(&clock);
        let seal = Seal::open(self.host.data.path()).unwrap();
        let sealed =
            secret.map(|secret| seal.seal(&NewCommand::purpose(uid), secret.to_string().as_bytes()).unwrap());
        let servers = self.all("/infrastructure/backupServers").await;
        let agent = servers[0]["managementAgentUid"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
        let command = NewCommand {
            uid,
            agent: AgentUid(agent),
            kind,
            description: "a test's".to_owned(),
            subject: None,
            payload: json!({"server": self.world(|world| world.id)}),
            sealed,
            key: None,
            deadline: keelson::clock::Clock::now_ms(&clock) + 60_000,
            user: None,
            operation: "InstallBackupServerLicense".to_owned(),
        };
        let mut tx = self.host.store.write().await.unwrap();
        tx.commands().put(&clock, &command).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn until_licence(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async {
            self.all("/licensing/backupServers").await.into_iter().next().filter(|licence| fits(licence))
        })
        .await
    }

    fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.server.with(look)
    }

    async fn end(self) {
        assert_eq!(self.server.violations(), Vec::<String>::new());
        drop(self.agent);
        self.host.stop().await;
    }
}

fn names(rows: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// As the API writes instants.
fn written(row: &Value) -> Option<i64> {
    let text = row.as_str()?;
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
    Some(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap())
}

on_both! {
    fn what_a_veeam_server_has_stands_in_the_api_row_by_row(database) {
        let place = Place::make(database).await;
        let pinned = place.server.fingerprint();
        assert!(place.said.contains(&pinned) && place.said.contains("vbr01.example"), "{}", place.said);
        let settings = place.agent.settings();
        assert!(settings.contains(&pinned) && !settings.contains(PASSWORD), "{settings}");

        let servers = place.all("/infrastructure/backupServers").await;
        let (name, version, id) = place.world(|world| (world.name.clone(), world.version.clone(), world.id));
        assert_eq!((&servers[0]["name"], &servers[0]["version"]), (&json!(name), &json!(version)));
        assert_eq!(servers[0]["installationUid"], json!(id));
        let licence = place.all("/licensing/backupServers").await;
        let known = place.world(|world| world.licence.clone());
        assert_eq!((&licence[0]["type"], &licence[0]["company"]), (&json!("Rental"), &json!(known.licensed_to)));
        assert_eq!((&licence[0]["units"], &licence[0]["usedUnits"]), (&json!(known.instances), &json!(known.used)));
        assert_eq!(written(&licence[0]["expirationDate"]), known.expires);

        let jobs = place.all("/infrastructure/backupServers/jobs").await;
        let known = place.world(|world| world.jobs.clone());
        assert_eq!(jobs.len(), known.len());
        for known in known {
            let job = jobs.iter().find(|job| job["name"] == known.name.as_str()).unwrap();
            assert_eq!((&job["status"], &job["isEnabled"]), (&json!("Success"), &json!(true)));
            assert_eq!(written(&job["lastRun"]), known.last_run);
            assert_eq!(job["processingRate"], json!(100.0));
        }
        let typed = place.all("/infrastructure/backupServers/jobs/backupVmJobs").await;
        assert_eq!((&typed[0]["subtype"], &typed[0]["protectedVmCount"]), (&json!("VSphere"), &json!(4)));
        let repositories = place.all("/infrastructure/backupServers/repositories").await;
        assert_eq!(names(&repositories), ["Archive", "Default Backup Repository", "Vault 01"]);

        for (list, platforms) in [
            ("virtualMachines", ["VMware"].as_slice()),
            ("computersManagedByBackupServer", &["WindowsPhysical"]),
            ("fileShares", &["UnstructuredData"]),
        ] {
            let shown = names(&place.all(&format!("/protectedWorkloads/{list}")).await);
            let mut known: Vec<String> = place.world(|world| {
                let of = world.objects.iter().filter(|object| platforms.contains(&object.platform));
                of.map(|object| object.name.clone()).collect()
            });
            known.sort();
            assert_eq!(shown, known, "{list}");
        }
        for machine in place.all("/protectedWorkloads/virtualMachines").await {
            let known: Vec<i64> = place.world(|world| {
                let of = world.points.iter().filter(|point| point.name == machine["name"].as_str().unwrap());
                of.map(|point| point.created).collect()
            });
            assert_eq!(machine["restorePoints"], json!(known.len()));
            assert_eq!(written(&machine["latestRestorePointDate"]), known.into_iter().max());
        }
        let backups = place.all("/protectedWorkloads/virtualMachines/backups").await;
        assert_eq!(backups.len(), 4);
        assert!(backups.iter().all(|backup| backup["restorePoints"] == json!(3) && backup["jobUid"] == typed[0]["instanceUid"]));
        place.end().await;
    }

    fn a_job_is_started_by_the_api_runs_and_ends(database) {
        let place = Place::make(database).await;
        let before = place.points().await.len();
        place.tell("start").await;
        place.until_job("the job runs", |job| job["status"] == "Running").await;
        assert!(place.world(|world| world.job_named(JOB).ends.is_some()));
        place.server.advance(Duration::from_mins(1));
        let job = place.until_job("the job has ended", |job| job["status"] == "Success").await;
        assert_eq!(written(&job["lastRun"]), place.world(|world| world.job_named(JOB).last_run));
        place.until("each machine has a point more", |count| (count == before + 4).then_some(())).await;
        let sessions = format!("/infrastructure/backupServers/jobs/{}/sessions", job["instanceUid"].as_str().unwrap());
        let shown = place.all(&sessions).await;
        assert_eq!(shown.len(), 2);
        assert!(shown.iter().all(|session| session["status"] == "Success"), "{shown:?}");
        place.end().await;
    }

    fn a_job_is_stopped_retried_held_and_let_go(database) {
        let place = Place::make(database).await;
        place.tell("start").await;
        place.until_job("the job runs", |job| job["status"] == "Running").await;
        place.tell("stop").await;
        let stopped = place.until_job("the job was stopped", |job| job["status"] == "Failed").await;
        assert!(stopped["failureMessage"].as_str().unwrap().contains("canceled"), "{stopped}");
        place.tell("retry").await;
        place.until_job("the job runs again", |job| job["status"] == "Running").await;
        place.server.advance(Duration::from_mins(1));
        let job = place.until_job("the job has ended", |job| job["status"] == "Success").await;
        let path = format!("/infrastructure/backupServers/jobs/{}", job["instanceUid"].as_str().unwrap());
        for enabled in [false, true] {
            let patch = json!([{"op": "replace", "path": "/isEnabled", "value": enabled}]);
            let (status, answer) = place.client.json(Method::PATCH, &path, &patch).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            place.until_job("the job is held or let go", |job| job["isEnabled"] == enabled).await;
            assert_eq!(place.world(|world| world.job_named(JOB).disabled), !enabled);
        }
        place.end().await;
    }

    fn a_licence_goes_to_the_server_by_a_command_with_a_secret(database) {
        let place = Place::make(database).await;
        let mut licence = place.world(|world| world.licence.clone());
        (licence.licensed_to, licence.instances) = ("Bakery".to_owned(), 250.0);
        place.command(CommandKind::LicenseInstall, Some(json!({"license": licence.file()}))).await;
        let shown = place.until_licence("the new licence is shown", |licence| licence["company"] == "Bakery").await;
        assert_eq!(shown["units"], json!(250.0));
        place.command(CommandKind::LicenseRemove, None).await;
        let shown = place.until_licence("none is left", |licence| licence["type"] == "Community").await;
        assert_eq!(shown["edition"], "Community");
        let damaged = Some(json!({"license": "junk"}));
        place.command(CommandKind::LicenseInstall, damaged).await;
        eventually("the failure to be told", || async {
            let tasks = place.all("/eventLogs/managementAgentTasks").await;
            tasks.iter().any(|task| task["status"] == "Failed").then_some(())
        })
        .await;
        place.end().await;
    }

    fn nothing_is_gone_while_the_server_is_broken_and_all_is_read_afterwards(database) {
        use keelson_tests::vbr::{Fault, Trouble};
        let place = Place::make(database).await;
        let before = place.points().await.len();
        let troubles = [Trouble::HalfBody, Trouble::Restart, Trouble::Failure, Trouble::Unauthorized, Trouble::Cyclic];
        for trouble in troubles {
            place.server.take_asked();
            place.server.break_it(Fault::always("/api/v1/restorePoints", trouble));
            eventually("it was asked in vain", || async {
                let asked = place.server.take_asked();
                asked.iter().any(|one| one.contains("restorePoints")).then_some(())
            })
            .await;
            place.server.mend();
            assert_eq!(place.points().await.len(), before, "{trouble:?}");
        }
        // A point more can only be seen by a whole new reading.
        place.world(|world| {
            let mut point = world.points[0].clone();
            point.id = uuid::Uuid::from_u128(7);
            world.points.push(point);
        });
        place.until("what is new is there", |count| (count == before + 1).then_some(())).await;
        place.world(|world| world.points.retain(|point| point.id != uuid::Uuid::from_u128(7)));
        place.until("what was removed is gone", |count| (count == before).then_some(())).await;
        place.end().await;
    }
}
