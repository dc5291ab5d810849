//! Cloud Connect: what a server reports, and what is wanted of it.

use keelson::clock::Clock;
use keelson::id::{CommandUid, CompanyUid, SiteUid};
use keelson::model::{CommandKind, NewCommand, Outcome};
use keelson::store::{
    BackupResourceFact, CloudBackupFact, CloudFacts, CloudSource, GatewayFact, GatewayPoolFact,
    HardwarePlanFact, Lease, ReplicationFact, ReplicationUsageFact, RepositoryFact, SiteFact, SiteIds,
    TenantFact, TenantSettingsFact, WanAcceleratorFact,
};
use keelson_tests::{TestDatabase, on_both};
use serde_json::json;
use uuid::Uuid;

use super::fixtures::{NOW, World, agent};

const GIB: i64 = 1 << 30;

fn tenant(key: &str, user_name: &str) -> TenantFact {
    TenantFact {
        key: key.to_owned(),
        vcd_organization: None,
        settings: TenantSettingsFact {
            name: user_name.to_owned(),
            user_name: user_name.to_owned(),
            description: None,
            enabled: true,
            lease_expires_at: None,
            throttling: Some((5, "MbytePerSec".to_owned())),
            max_concurrent_tasks: 2,
            protection_days: Some(7),
            gateway_pools: vec!["p1".to_owned()],
            gateway_failover: false,
            native_replication: true,
            vcd_replication: false,
        },
        last_active: Some(NOW),
        data_out: 5,
        data_in: 6,
    }
}

fn resource(tenant: &str, key: &str) -> BackupResourceFact {
    BackupResourceFact {
        tenant: tenant.to_owned(),
        key: key.to_owned(),
        repository: "r1".to_owned(),
        name: format!("Cloud {key}"),
        storage_quota: 10 * GIB,
        wan_accelerator: Some("w1".to_owned()),
        used_space: GIB,
        archive_tier: None,
        capacity_tier: Some(1),
        performance_tier: Some(2),
        server_backups: 1,
        workstation_backups: 2,
        vm_backups: 3,
    }
}

fn site() -> SiteFact {
    SiteFact {
        name: "Site One".to_owned(),
        port: 9999,
        maintenance_mode: false,
        tenant_management: false,
        enterprise: false,
    }
}

pub(crate) fn whole() -> CloudFacts {
    CloudFacts {
        site: Some(site()),
        gateway_pools: vec![GatewayPoolFact { key: "p1".to_owned(), name: "Pool".to_owned() }],
        gateways: vec![GatewayFact {
            key: "g1".to_owned(),
            pool: Some("p1".to_owned()),
            name: "Gateway".to_owned(),
            host: "h1".to_owned(),
            port: 6180,
            external_port: 6180,
            external_address: "gate.example".to_owned(),
            external_ips: vec!["192.0.2.1".to_owned()],
            out_of_date: false,
            disabled: false,
            status: "Healthy".to_owned(),
        }],
        repositories: vec![RepositoryFact {
            key: "r1".to_owned(),
            name: "Repository".to_owned(),
            object_storage: false,
            capacity: Some(100 * GIB),
            free_space: None,
        }],
        wan_accelerators: vec![WanAcceleratorFact { key: "w1".to_owned(), name: "WAN".to_owned() }],
        tenants: vec![tenant("t1", "Alpha"), tenant("t2", "Beta")],
        backup_resources: vec![resource("t1", "c1"), resource("t2", "c1")],
        replications: vec![ReplicationFact {
            tenant: "t1".to_owned(),
            plans: vec![HardwarePlanFact { plan: "h1".to_owned(), wan_accelerator: Some("w1".to_owned()) }],
            failover: true,
            public_allocation: false,
            public_ips: 0,
        }],
        replication_usages: vec![ReplicationUsageFact {
            tenant: "t1".to_owned(),
            plan: "h1".to_owned(),
            vms: 1,
            vcpus: 2,
            host_cores: 8,
            memory: GIB,
            storage: GIB,
        }],
        backups: vec![CloudBackupFact {
            tenant: "t1".to_owned(),
            subtenant: None,
            key: "b1".to_owned(),
            name: "Backup".to_owned(),
            kind: "VSphere".to_owned(),
            repository: "r1".to_owned(),
            object: "o1".to_owned(),
            job: Some("j1".to_owned()),
            installation: None,
            restore_points: 3,
        }],
        complete: true,
        ..CloudFacts::default()
    }
}

async fn report(world: &World, epoch: i64, facts: &CloudFacts) -> usize {
    let source = CloudSource { agent: world.agent, server: "vbr", epoch, collected_at: world.clock.now_ms() };
    let mut tx = world.store.write().await.unwrap();
    let unknown = tx.cloud().store(&*world.clock, source, facts).await.unwrap();
    tx.commit().await.unwrap();
    unknown
}

/// The answers to a query of the test's own, as numbers.
async fn count(database: &TestDatabase, query: &'static str) -> i64 {
    use sqlx::{Connection, Row};
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0)
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0)
    }
}

async fn text(database: &TestDatabase, query: &'static str) -> Option<String> {
    use sqlx::{Connection, Row};
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0)
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).fetch_one(&mut connection).await.unwrap().get(0)
    }
}

async fn change(database: &TestDatabase, query: &'static str) {
    use sqlx::Connection;
    if database.is_sqlite() {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).execute(&mut connection).await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(query).execute(&mut connection).await.unwrap();
    }
}

/// A command of this kind about the first tenant goes out and ends so.
async fn done(world: &World, kind: CommandKind, subject: Uuid, payload: serde_json::Value, outcome: Outcome) {
    let new = NewCommand {
        uid: CommandUid::new(&*world.clock),
        agent: world.agent,
        kind,
        description: String::new(),
        subject: Some(subject),
        payload,
        sealed: None,
        key: None,
        deadline: NOW + 1_000_000,
        user: None,
        operation: String::new(),
    };
    let mut tx = world.store.write().await.unwrap();
    tx.commands().put(&*world.clock, &new).await.unwrap();
    let taken = tx.commands().send_out(&*world.clock, &[world.agent], 1000, 1).await.unwrap();
    let lease = Lease::of(&taken[0]);
    tx.commands().finish(&*world.clock, lease, &outcome).await.unwrap();
    tx.commit().await.unwrap();
}

/// A world whose agent is the provider's own.
async fn world(database: &TestDatabase) -> World {
    let mut world = World::new(database.store().await).await;
    let mut tx = world.store.write().await.unwrap();
    let provider = tx.installation().ensure(&*world.clock).await.unwrap().uid;
    tx.commit().await.unwrap();
    world.agent = agent(&world.store, &world.clock, CompanyUid(provider)).await;
    world
}

fn first_tenant(world: &World) -> Uuid {
    SiteIds::of(world.agent, "vbr").own("tenant", "t1")
}

on_both! {
    fn a_report_counts_once_however_often_it_comes(database) {
        let world = world(&database).await;
        for epoch in [1, 1, 2] {
            assert_eq!(report(&world, epoch, &whole()).await, 0);
        }
        for (table, rows) in [
            ("SELECT count(*) FROM sites", 1),
            ("SELECT count(*) FROM cloud_gateway_pools", 1),
            ("SELECT count(*) FROM cloud_gateways", 1),
            ("SELECT count(*) FROM cloud_repositories", 1),
            ("SELECT count(*) FROM cloud_wan_accelerators", 1),
            ("SELECT count(*) FROM cloud_tenants", 2),
            ("SELECT count(*) FROM tenant_backup_resources", 2),
            ("SELECT count(*) FROM tenant_replication_resources", 1),
            ("SELECT count(*) FROM tenant_replication_usages", 1),
            ("SELECT count(*) FROM cloud_backups", 1),
        ] {
            assert_eq!(count(&database, table).await, rows, "{table}");
        }
    }

    fn what_a_whole_inventory_leaves_out_is_no_more(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        let mut less = whole();
        less.tenants.remove(0);
        less.backup_resources.remove(0);
        (less.replications, less.replication_usages, less.backups) = (vec![], vec![], vec![]);
        less.gateways.clear();
        report(&world, 2, &less).await;
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_backups").await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_gateways").await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM sites").await, 1);
    }

    fn what_is_gone_by_name_is_gone_alone(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        let gone = CloudFacts {
            backup_resources_gone: vec![("t2".to_owned(), "c1".to_owned())],
            tenants_gone: vec!["t1".to_owned()],
            gateways_gone: vec!["g1".to_owned()],
            gateway_pools_gone: vec!["p1".to_owned()],
            ..CloudFacts::default()
        };
        report(&world, 1, &gone).await;
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_gateways").await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_gateway_pools").await, 0);
    }

    fn facts_about_tenants_that_nobody_knows_are_counted_and_left_out(database) {
        let world = world(&database).await;
        let mut facts = whole();
        facts.tenants.remove(1);
        assert_eq!(report(&world, 1, &facts).await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 1);
    }

    fn a_report_does_not_undo_what_is_on_its_way(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        change(&database, "UPDATE cloud_tenants SET max_concurrent_tasks = 9, sync = 'Updating' WHERE key = 't1'").await;
        let tasks = "SELECT max_concurrent_tasks FROM cloud_tenants WHERE key = 't1'";
        report(&world, 1, &whole()).await;
        assert_eq!(count(&database, tasks).await, 9);
        world.clock.advance(10);
        done(&world, CommandKind::TenantEdit, first_tenant(&world), json!({}), Outcome::done()).await;
        world.clock.advance(-5);
        report(&world, 1, &whole()).await;
        assert_eq!(count(&database, tasks).await, 9, "it was collected before the change");
        world.clock.advance(5);
        report(&world, 1, &whole()).await;
        assert_eq!(count(&database, tasks).await, 2, "the server is right about itself");
    }

    fn a_tenant_made_here_finds_its_key_by_its_name(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        change(&database, "UPDATE cloud_tenants SET key = NULL, sync = 'Creating' WHERE key = 't1'").await;
        change(&database, "UPDATE tenant_backup_resources SET key = NULL, sync = 'Creating'").await;
        let mut facts = whole();
        facts.tenants[0].key = "fresh".to_owned();
        facts.backup_resources = vec![resource("fresh", "c1"), resource("t2", "c1")];
        (facts.replications, facts.replication_usages, facts.backups) = (vec![], vec![], vec![]);
        assert_eq!(report(&world, 2, &facts).await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 2);
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 2);
        let key = text(&database, "SELECT key FROM cloud_tenants WHERE user_name = 'Alpha'").await;
        assert_eq!(key.as_deref(), Some("fresh"));
    }

    fn the_end_of_a_command_is_told_to_the_tenant(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        let sync = "SELECT sync FROM cloud_tenants WHERE key = 't1'";
        let (uid, none) = (first_tenant(&world), json!({}));
        change(&database, "UPDATE cloud_tenants SET key = NULL, sync = 'Creating' WHERE key = 't1'").await;
        let made = Outcome { result: Some(json!({"key": "t1"})), ..Outcome::done() };
        done(&world, CommandKind::TenantCreate, uid, none.clone(), made).await;
        assert_eq!(text(&database, sync).await.as_deref(), Some("Settled"));
        done(&world, CommandKind::TenantDisable, uid, none.clone(), Outcome::failed("access denied")).await;
        assert_eq!(text(&database, sync).await.as_deref(), Some("UpdateFailed"));
        let message = text(&database, "SELECT sync_message FROM cloud_tenants WHERE key = 't1'").await;
        assert_eq!(message.as_deref(), Some("access denied"));
        change(&database, "UPDATE cloud_tenants SET deleted_at = 1, sync = 'Deleting' WHERE key = 't1'").await;
        done(&world, CommandKind::TenantDelete, uid, none.clone(), Outcome::failed("busy")).await;
        assert_eq!(text(&database, sync).await.as_deref(), Some("DeletionFailed"));
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants WHERE deleted_at IS NULL").await, 2);
        done(&world, CommandKind::TenantDelete, uid, none, Outcome::done()).await;
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 1);
    }

    fn the_end_of_a_command_is_told_to_the_share(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        let tenant = first_tenant(&world);
        let share = SiteIds::of(world.agent, "vbr").own("resource", "t1\0c1");
        let payload = json!({"resourceUid": share});
        let states = "SELECT r.sync FROM tenant_backup_resources r JOIN cloud_tenants t ON t.uid = r.tenant_uid WHERE t.key = 't1'";
        done(&world, CommandKind::BackupResourceEdit, tenant, payload.clone(), Outcome::failed("full")).await;
        assert_eq!(text(&database, states).await.as_deref(), Some("UpdateFailed"));
        done(&world, CommandKind::BackupResourceEdit, tenant, payload.clone(), Outcome::done()).await;
        assert_eq!(text(&database, states).await.as_deref(), Some("Settled"));
        done(&world, CommandKind::BackupResourceDelete, tenant, payload, Outcome::done()).await;
        assert_eq!(count(&database, "SELECT count(*) FROM tenant_backup_resources").await, 1);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 2);
    }

    fn a_switch_that_the_server_did_not_turn_is_where_it_was(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        let SiteUid(site) = SiteIds::of(world.agent, "vbr").site;
        let on = "SELECT count(*) FROM sites WHERE maintenance_mode";
        change(&database, "UPDATE sites SET maintenance_mode = TRUE").await;
        done(&world, CommandKind::SiteMaintenance, site, json!({"enabled": true}), Outcome::done()).await;
        assert_eq!(count(&database, on).await, 1);
        done(&world, CommandKind::SiteMaintenance, site, json!({"enabled": true}), Outcome::failed("no")).await;
        assert_eq!(count(&database, on).await, 0);
    }

    fn a_tenants_agent_is_no_site_whatever_it_says(database) {
        let mut world = world(&database).await;
        world.agent = agent(&world.store, &world.clock, world.company).await;
        assert_eq!(report(&world, 1, &whole()).await, 12);
        assert_eq!(count(&database, "SELECT count(*) FROM sites").await, 0);
        assert_eq!(count(&database, "SELECT count(*) FROM cloud_tenants").await, 0);
    }

    fn a_site_keeps_the_name_that_people_gave_it(database) {
        let world = world(&database).await;
        report(&world, 1, &whole()).await;
        change(&database, "UPDATE sites SET name = 'Frankfurt'").await;
        report(&world, 1, &whole()).await;
        assert_eq!(text(&database, "SELECT name FROM sites").await.as_deref(), Some("Frankfurt"));
    }
}
