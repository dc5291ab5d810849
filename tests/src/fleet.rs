//! A whole fleet out of nothing but two numbers, its scale and the day it is seen on: what lists, benchmarks and the
//! conformance check are tried on.
//!
//! **Cast.** [`Fleet`] answers what belongs to what, by arithmetic alone: nothing is remembered, so that a million rows cost no
//! memory. Each file below describes [`table::Table`]s, a closure from a row's number to its cells; [`planting`] writes them,
//! in bulk, into a database that the host's own migrations made.
//!
//! **To add a table**: a function that gives its [`table::Table`], and its name in [`tables`]. The test
//! `store::fleet::every_property_is_filled_in_some_row` tells what a new column leaves empty.

mod alarms;
mod audit;
mod cell;
mod cloud;
mod cloud_tenants;
mod hosted;
mod infrastructure;
mod jobs;
mod licenses;
mod names;
mod numbers;
mod organisations;
mod people;
mod planting;
mod plugins;
mod points;
mod repositories;
mod settings;
mod table;
mod tasks;
mod workloads;

pub use numbers::Thing;
pub use planting::{Planted, plant};

use uuid::Uuid;

use table::Table;

/// Milliseconds of an hour and of a day.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const GIB: i64 = 1 << 30;

/// How many of each there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Scale {
    pub resellers: i64,
    pub companies: i64,
    pub sites: i64,
    /// Backup servers that stand at companies.
    pub servers: i64,
    /// Five restore points for each, on average.
    pub workloads: i64,
    pub users_of_company: i64,
    /// Entries of the activity log.
    pub entries: i64,
}

impl Scale {
    /// Something of everything, in a second or two.
    pub const SMALL: Self = Self {
        resellers: 6,
        companies: 40,
        sites: 3,
        servers: 60,
        workloads: 800,
        users_of_company: 6,
        entries: 150,
    };

    /// Enough that the databases choose their plans as they do on a large fleet.
    pub const MIDDLE: Self = Self {
        resellers: 20,
        companies: 1_000,
        sites: 8,
        servers: 2_000,
        workloads: 20_000,
        users_of_company: 3,
        entries: 4_000,
    };

    /// What Keelson is built for.
    pub const FULL: Self = Self {
        resellers: 100,
        companies: 10_000,
        sites: 20,
        servers: 20_000,
        workloads: 1_000_000,
        users_of_company: 3,
        entries: 2_000,
    };
}

/// What belongs to what.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// How much of it.
    pub scale: Scale,
    /// The instant it is seen at, Unix milliseconds: everything happened within the sixty days before.
    pub now: i64,
    /// The provider's id.
    pub provider: Uuid,
}

/// All tables, parents before children.
fn tables(fleet: Fleet) -> Vec<Table> {
    let mut tables = organisations::tables(fleet);
    tables.extend(infrastructure::tables(fleet));
    tables.extend(people::tables(fleet));
    tables.extend(plugins::tables(fleet));
    tables.extend(settings::tables(fleet));
    tables.extend(cloud::tables(fleet));
    tables.extend(cloud_tenants::tables(fleet));
    tables.extend(repositories::tables(fleet));
    tables.extend(licenses::tables(fleet));
    tables.extend(jobs::tables(fleet));
    tables.extend(hosted::tables(fleet));
    tables.extend(workloads::tables(fleet));
    tables.extend(points::tables(fleet));
    tables.extend(alarms::tables(fleet));
    tables.extend(tasks::tables(fleet));
    tables
}
