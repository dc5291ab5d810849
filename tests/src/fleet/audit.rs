//! The activity log. Its rows are a chain of hashes, so they go through the host's own code.

use keelson::store::{NewAuditRow, Store};

use super::Fleet;
use super::numbers::{Thing, one_of};
use super::{DAY, names};

const WHAT: [(&str, &str, &str); 4] = [
    ("PatchCompany", "Company", "Company was changed"),
    ("CreateLocation", "OrganizationLocation", "Location was made"),
    ("DeleteUser", "User", "User was deleted"),
    ("PatchBackupServerJob", "BackupServerJob", "Job was changed"),
];

impl Fleet {
    fn entry(self, n: i64) -> NewAuditRow {
        let (operation, kind, message) = one_of(&WHAT, n);
        let company = n % self.scale.companies;
        let denied = n % 9 == 8;
        NewAuditRow {
            at: self.now - 30 * DAY + n * (30 * DAY) / self.scale.entries,
            user_uid: Some(if n % 2 == 0 {
                self.user_of_provider(0)
            } else {
                self.user_of_company(company, 0)
            }),
            user_name: if n % 2 == 0 { "Operator-0".to_owned() } else { format!("company-{company}-0") },
            actor_uid: (n % 20 == 7).then(|| self.user_of_provider(1)),
            address: format!("198.51.100.{}", n % 250),
            operation: operation.to_owned(),
            outcome: if denied { "Denied" } else { "Succeeded" },
            organization_uid: Some(Thing::Company.at(company)),
            object_type: kind.to_owned(),
            object_uid: Some(Thing::Company.at(company)),
            object_name: names::company(company),
            message: message.to_owned(),
            before: (!denied).then(|| r#"{"status":"Active"}"#.to_owned()),
            after: (!denied).then(|| r#"{"status":"Disabled"}"#.to_owned()),
        }
    }
}

/// Writes them in one transaction.
pub(super) async fn write(store: &Store, fleet: Fleet) -> anyhow::Result<i64> {
    let mut tx = store.write().await?;
    for n in 0..fleet.scale.entries {
        tx.audit().add(&fleet.entry(n)).await?;
    }
    tx.commit().await?;
    Ok(fleet.scale.entries)
}
