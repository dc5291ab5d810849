//! Every statement of the store, for the test that prepares each on both databases.

use super::bulk::Dialect;
use super::{
    PING, accounts, actions, agents, alarms, audit, cloud, commands, companies, credentials, due, failures,
    hosted, infrastructure, ingest, inspect, installation, inventory, join_tokens, list, locations, logins,
    mails, notifications, onboarding, organization_sites, organizations, owners, plugin_access,
    plugin_requests, plugins, removal, resellers, resources, settings, standing, subtenants, templates,
    unverified, users, workloads, world,
};

/// Every statement of the store with its name, as `dialect` gets it: the prepare test feeds each to its database.
pub fn every_statement(dialect: Dialect) -> Vec<(&'static str, String)> {
    let fixed = [
        actions::STATEMENTS,
        accounts::STATEMENTS,
        agents::STATEMENTS,
        audit::STATEMENTS,
        commands::STATEMENTS,
        companies::STATEMENTS,
        credentials::STATEMENTS,
        due::STATEMENTS,
        failures::STATEMENTS,
        hosted::STATEMENTS,
        inspect::STATEMENTS,
        installation::STATEMENTS,
        inventory::STATEMENTS,
        join_tokens::STATEMENTS,
        locations::STATEMENTS,
        mails::STATEMENTS,
        notifications::STATEMENTS,
        logins::STATEMENTS,
        onboarding::STATEMENTS,
        organization_sites::STATEMENTS,
        organizations::STATEMENTS,
        owners::STATEMENTS,
        plugin_access::STATEMENTS,
        plugin_requests::STATEMENTS,
        removal::STATEMENTS,
        resellers::STATEMENTS,
        settings::STATEMENTS,
        standing::STATEMENTS,
        subtenants::STATEMENTS,
        templates::STATEMENTS,
        unverified::STATEMENTS,
        users::STATEMENTS,
        workloads::STATEMENTS,
        world::STATEMENTS,
    ];
    let fixed = fixed
        .into_iter()
        .chain(ingest::ALL)
        .chain(infrastructure::STATEMENTS.iter().copied())
        .chain(plugins::ALL_STATEMENTS.iter().copied())
        .flatten()
        .chain(cloud::statements());
    let fixed = fixed.map(|(name, text)| (*name, (*text).to_owned()));
    let bulk =
        [agents::BULK, alarms::BULK, commands::BULK, ingest::BULK, due::BULK, workloads::BULK, world::BULK]
            .into_iter()
            .chain(infrastructure::BULK.iter().copied());
    let bulk = bulk.flatten().chain(cloud::bulk());
    let bulk = bulk.map(|statement| (statement.name, statement.text_for_one_row(dialect)));
    let lists = resources::ALL.iter().flat_map(|resource| list::every_property(resource, dialect));
    fixed.chain(bulk).chain(lists).chain([("store::PING", PING.to_owned())]).collect()
}
