//! What a new company must look like: the limits and patterns of the schema, each with what would do.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::OrganizationDetails;
use super::services::CompanyServices;
use crate::api::error::ApiError;

/// A company to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompanyInput {
    pub(super) organization_input: OrganizationInput,
    pub(super) owner_credentials: OwnerCredentialsInput,
    #[serde(default)]
    pub(super) company_services: Option<CompanyServices>,
    #[serde(default)]
    pub(super) is_alarm_detect_enabled: bool,
    #[serde(default)]
    pub(super) is_rest_access_enabled: bool,
    /// Resellers are not available yet: leave it out.
    #[serde(default)]
    #[schema(value_type = Option<uuid::Uuid>)]
    reseller_uid: Option<Value>,
    /// Subscription plans are not available yet: leave it out.
    #[serde(default)]
    #[schema(value_type = Option<uuid::Uuid>)]
    subscription_plan_uid: Option<Value>,
}

/// The organisation of a company to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationInput {
    #[schema(min_length = 1, max_length = 128, pattern = "^[^<>=%~]+$")]
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) details: OrganizationDetails,
}

/// Who will own a company to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OwnerCredentialsInput {
    #[schema(min_length = 1, max_length = 128)]
    pub(super) user_name: String,
    /// Without one the owner cannot sign in until a password is set.
    #[schema(min_length = 1, max_length = 128, format = Password)]
    pub(super) password: Option<String>,
}

impl std::fmt::Debug for OwnerCredentialsInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnerCredentialsInput").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

impl CompanyInput {
    /// Holds it to the schema; the first thing that will not do is refused.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let mut check = Check::default();
        check.absent("resellerUid", self.reseller_uid.as_ref(), "resellers");
        check.absent("subscriptionPlanUid", self.subscription_plan_uid.as_ref(), "subscription plans");
        let organization = &self.organization_input;
        let path = |name: &str| format!("organizationInput.{name}");
        check.text(&path("name"), Some(&organization.name), 1..=128);
        check.that(
            &path("name"),
            Some(&organization.name),
            |name| !name.trim().is_empty() && !name.contains(['<', '>', '=', '%', '~']),
            || "must not be blank, nor have any of < > = % ~".to_owned(),
        );
        organization.details.check(&mut check, path);
        let owner = &self.owner_credentials;
        check.text("ownerCredentials.userName", Some(&owner.user_name), 1..=128);
        check.that("ownerCredentials.userName", Some(&owner.user_name), is_user_name, || {
            "may have letters A-Z, digits, spaces and !#$%&()-.^_{}~'` and must not end in a dot".to_owned()
        });
        check.text("ownerCredentials.password", owner.password.as_ref(), 1..=128);
        if let Some(services) = &self.company_services {
            services.check(&mut check);
        }
        check.0.map_or(Ok(()), Err)
    }
}

impl OrganizationDetails {
    fn check(&self, check: &mut Check, path: impl Fn(&str) -> String) {
        check.text(&path("alias"), self.alias.as_ref(), 1..=32);
        check.that(&path("alias"), self.alias.as_ref(), is_alias, || {
            "may have letters A-Z, digits, spaces and !#$%&()-.^\"_{}~'`".to_owned()
        });
        check.text(&path("email"), self.email.as_ref(), 1..=128);
        check.that(&path("email"), self.email.as_ref(), is_email, || "must be an e-mail address".to_owned());
        for (name, value, longest) in [
            ("city", &self.city, 128),
            ("companyId", &self.company_id, 128),
            ("domain", &self.domain, 128),
            ("legalName", &self.legal_name, 128),
            ("locationAdmin0Code", &self.location_admin0_code, 32),
            ("locationAdmin1Code", &self.location_admin1_code, 32),
            ("locationAdmin2Code", &self.location_admin2_code, 32),
            ("notes", &self.notes, 512),
            ("phone", &self.phone, 128),
            ("street", &self.street, 128),
            ("taxId", &self.tax_id, 100),
            ("veeamTenantId", &self.veeam_tenant_id, 128),
            ("website", &self.website, 128),
            ("zipCode", &self.zip_code, 128),
        ] {
            check.text(&path(name), value.as_ref(), 0..=longest);
        }
        check.number(&path("country"), self.country, 1..=i32::MAX);
        check.number(&path("state"), self.state, 1..=51);
    }
}

/// Remembers the first complaint.
#[derive(Debug, Default)]
pub(super) struct Check(Option<ApiError>);

impl Check {
    fn refuse(&mut self, path: &str, message: &str) {
        self.0.get_or_insert_with(|| ApiError::property(path, format!("{path} {message}")));
    }

    fn absent(&mut self, path: &str, value: Option<&Value>, what: &str) {
        if value.is_some() {
            self.refuse(path, &format!("cannot be given: this version has no {what} yet; leave it out"));
        }
    }

    fn text(&mut self, path: &str, value: Option<&String>, length: RangeInclusive<usize>) {
        let (least, most) = (length.start(), length.end());
        self.that(
            path,
            value,
            |text| length.contains(&text.chars().count()),
            || format!("must have {least} to {most} characters"),
        );
    }

    fn that(
        &mut self,
        path: &str,
        value: Option<&String>,
        holds: impl Fn(&str) -> bool,
        message: impl Fn() -> String,
    ) {
        if value.is_some_and(|text| !holds(text)) {
            self.refuse(path, &message());
        }
    }

    /// Holds a number to its limits.
    pub(super) fn number(&mut self, path: &str, value: Option<i32>, range: RangeInclusive<i32>) {
        if value.is_some_and(|number| !range.contains(&number)) {
            let message = match *range.end() {
                i32::MAX => format!("must be at least {}", range.start()),
                most => format!("must be from {} to {most}", range.start()),
            };
            self.refuse(path, &message);
        }
    }
}

// ^[a-zA-Z0-9!#$%&()\-.^_{}~'` ]+(?<!\.)$
fn is_user_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&()-.^_{}~'` ".contains(c)) && !text.ends_with('.')
}

// ^[a-zA-Z\d\!\#\$\%\&\(\)\-\.\^\"\_\{\}\~\'\ \`]+$
fn is_alias(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&()-.^\"_{}~' `".contains(c))
}

// ^(")?(?:[^\."])(?:(?:[\.])?(?:[\w\-!#$%&'*+\/=?\^_`{|}~]))*\1@(\w[\-\w]*\.){1,5}([A-Za-z]){2,6}$
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let unquoted = local.strip_prefix('"').map_or(Some(local), |rest| rest.strip_suffix('"'));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let atom = |c: char| word(c) || "-!#$%&'*+/=?^`{|}~.".contains(c);
    let local_holds = unquoted.is_some_and(|local| {
        let mut chars = local.chars();
        chars.next().is_some_and(|first| first != '.' && first != '"')
            && chars.all(atom)
            && !local.contains("..")
            && !local.ends_with('.')
    });
    let labels: Vec<_> = domain.split('.').collect();
    let Some((top, labels)) = labels.split_last() else { return false };
    let label_holds = |label: &&str| label.starts_with(word) && label.chars().all(|c| word(c) || c == '-');
    local_holds
        && (1..=5).contains(&labels.len())
        && labels.iter().all(label_holds)
        && (2..=6).contains(&top.len())
        && top.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(change: impl FnOnce(&mut Value)) -> Option<String> {
        let mut input = json!({
            "organizationInput": {"name": "Acme", "email": "ada@acme.test", "alias": null},
            "ownerCredentials": {"userName": "ada", "password": "secret"},
        });
        change(&mut input);
        let input: CompanyInput = serde_json::from_value(input).unwrap();
        input.check().err().map(|error| error.property_name().unwrap().to_owned())
    }

    #[test]
    fn an_ordinary_company_passes() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(|input| input["resellerUid"] = Value::Null), None);
    }

    #[test]
    fn each_limit_is_refused_by_the_propertys_path() {
        let set = |path: &str, value: Value| refused(|input| *input.pointer_mut(path).unwrap() = value);
        assert_eq!(set("/organizationInput/name", json!("")).as_deref(), Some("organizationInput.name"));
        assert_eq!(
            set("/organizationInput/name", json!("a".repeat(129))).as_deref(),
            Some("organizationInput.name")
        );
        assert_eq!(set("/organizationInput/name", json!("  ")).as_deref(), Some("organizationInput.name"));
        assert_eq!(set("/organizationInput/name", json!("a<b")).as_deref(), Some("organizationInput.name"));
        assert_eq!(set("/organizationInput/email", json!("ada")).as_deref(), Some("organizationInput.email"));
        assert_eq!(
            set("/ownerCredentials/userName", json!("ada.")).as_deref(),
            Some("ownerCredentials.userName")
        );
        assert_eq!(
            set("/ownerCredentials/password", json!("")).as_deref(),
            Some("ownerCredentials.password")
        );
        let state = refused(|input| input["organizationInput"]["state"] = json!(52));
        assert_eq!(state.as_deref(), Some("organizationInput.state"));
        let quota = json!({"remoteServices": {"backupServersManagement": {"backupServerQuota": 0}}});
        let quota = refused(|input| input["companyServices"] = quota);
        assert_eq!(
            quota.unwrap(),
            "companyServices.remoteServices.backupServersManagement.backupServerQuota"
        );
    }

    #[test]
    fn what_does_not_exist_yet_cannot_be_given() {
        let reseller = refused(|input| input["resellerUid"] = json!("0190c5a8-0000-7000-8000-000000000000"));
        assert_eq!(reseller.as_deref(), Some("resellerUid"));
        let plan = refused(|input| input["subscriptionPlanUid"] = json!("x"));
        assert_eq!(plan.as_deref(), Some("subscriptionPlanUid"));
    }

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in ["a@b.co", "a.b+c@x-y.example.com", "\"ab\"@b.co", "o'neil@acme.museum"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "@", "a@b", ".a@b.co", "a..b@b.co", "a.@b.co", "a@-b.co", "a@b.c", "a b@c.co", "\"a@b.co"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
