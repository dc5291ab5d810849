//! The licence of a server, as a script tells it.

use keelson_proto::v1::License;
use serde::Deserialize;

use super::{FacetError, check};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LicenseWire {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    edition: String,
    #[serde(default)]
    company: String,
    #[serde(default)]
    contact_person: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    license_ids: Vec<String>,
    #[serde(default)]
    support_ids: Vec<String>,
    expires_at: Option<String>,
    support_expires_at: Option<String>,
    #[serde(default)]
    auto_update: bool,
    #[serde(default)]
    cloud_connect: String,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    unit_type: String,
    units: Option<f64>,
    used_units: Option<f64>,
    new_units: Option<f64>,
    rental_units: Option<f64>,
}

impl LicenseWire {
    pub(super) fn of_server(self, server_key: &str) -> Result<License, FacetError> {
        for (what, text) in
            [("edition", &self.edition), ("company", &self.company), ("e-mail address", &self.email)]
        {
            check::text(what, text)?;
        }
        let amounts = [self.units, self.used_units, self.new_units, self.rental_units];
        if amounts.into_iter().flatten().any(|amount| !amount.is_finite() || amount < 0.0) {
            return Err(FacetError::Nonsense("a number of units of the licence is no amount".to_owned()));
        }
        Ok(License {
            server_key: server_key.to_owned(),
            r#type: self.kind,
            status: self.status,
            edition: self.edition,
            company: self.company,
            contact_person: self.contact_person,
            email: self.email,
            license_ids: self.license_ids,
            support_ids: self.support_ids,
            expires_at: check::maybe_instant("end of the licence", self.expires_at.as_deref())?,
            support_expires_at: check::maybe_instant("end of support", self.support_expires_at.as_deref())?,
            auto_update: self.auto_update,
            cloud_connect: self.cloud_connect,
            packages: self.packages,
            unit_type: self.unit_type,
            units: self.units,
            used_units: self.used_units,
            new_units: self.new_units,
            rental_units: self.rental_units,
            ..License::default()
        })
    }
}
