//! The installed licence.

use serde_json::{Value, json};

/// What is installed. A licence file of the fake's is the JSON of what it installs.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Licence {
    pub status: String,
    pub edition: String,
    pub kind: String,
    pub licensed_to: String,
    pub support_id: String,
    pub expires: Option<i64>,
    pub support_expires: Option<i64>,
    pub instances: f64,
    pub used: f64,
    pub new: f64,
    pub rental: f64,
    pub sockets: i64,
    pub sockets_used: i64,
    pub capacity_tb: f64,
    pub capacity_used_tb: f64,
    pub auto_update: bool,
    pub cloud_connect: String,
}

impl Licence {
    /// A service provider's.
    pub(super) fn rental(now: i64) -> Self {
        Self {
            status: "Valid".to_owned(),
            edition: "EnterprisePlus".to_owned(),
            kind: "Rental".to_owned(),
            licensed_to: "Example MSP".to_owned(),
            support_id: "02345678".to_owned(),
            expires: Some(now + 75 * 86_400_000),
            support_expires: Some(now + 300 * 86_400_000),
            instances: 100.0,
            used: 7.0,
            new: 2.0,
            rental: 5.0,
            sockets: 8,
            sockets_used: 4,
            capacity_tb: 10.0,
            capacity_used_tb: 1.5,
            auto_update: true,
            cloud_connect: "Disabled".to_owned(),
        }
    }

    /// What is left when there is none.
    pub(super) fn community() -> Self {
        Self {
            status: "Valid".to_owned(),
            edition: "Community".to_owned(),
            kind: "Free".to_owned(),
            licensed_to: String::new(),
            support_id: String::new(),
            expires: None,
            support_expires: None,
            instances: 10.0,
            used: 7.0,
            new: 0.0,
            rental: 0.0,
            sockets: 0,
            sockets_used: 0,
            capacity_tb: 0.0,
            capacity_used_tb: 0.0,
            auto_update: false,
            cloud_connect: "Disabled".to_owned(),
        }
    }

    /// The text of a file that installs it.
    pub fn file(&self) -> String {
        serde_json::to_string(self).expect("JSON")
    }

    /// `InstalledLicenseModel`.
    pub(super) fn json(&self) -> Value {
        let mut json = json!({
            "status": self.status, "edition": self.edition, "type": self.kind, "licensedTo": self.licensed_to,
            "supportId": self.support_id, "cloudConnect": self.cloud_connect, "autoUpdateEnabled": self.auto_update,
            "proactiveSupportEnabled": true, "freeAgentInstanceConsumptionEnabled": true, "IsMultiSection": self.sockets > 0,
            "instanceLicenseSummary": {
                "package": "Suite", "licensedInstancesNumber": self.instances, "usedInstancesNumber": self.used,
                "newInstancesNumber": self.new, "rentalInstancesNumber": self.rental,
                "objects": [{"type": "VMs", "count": 7, "multiplier": 1.0, "usedInstancesNumber": self.used}],
            },
        });
        if let Some(at) = self.expires {
            json["expirationDate"] = super::lists::time(at);
        }
        if let Some(at) = self.support_expires {
            json["supportExpirationDate"] = super::lists::time(at);
        }
        if self.sockets > 0 {
            json["socketLicenseSummary"] = json!({
                "package": "Suite", "licensedSocketsNumber": self.sockets, "usedSocketsNumber": self.sockets_used,
                "remainingSocketsNumber": self.sockets - self.sockets_used,
            });
        }
        if self.capacity_tb > 0.0 {
            json["capacityLicenseSummary"] = json!({
                "licensedCapacityTb": self.capacity_tb, "usedCapacityTb": self.capacity_used_tb,
                "objects": [{"type": "FileShare", "usedCapacityTb": self.capacity_used_tb}],
            });
        }
        json
    }
}
