//! Which companies have which plugin.

use std::collections::HashMap;

use crate::id::CompanyUid;
use crate::store::{CompanyRule, RunningPlugin};

/// The rules of all installed plugins. One that lies in the developer's folder is for everybody.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Audience(HashMap<String, Rules>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rules {
    otherwise: bool,
    companies: HashMap<CompanyUid, bool>,
}

impl Audience {
    pub(super) fn new(running: &[RunningPlugin], rules: Vec<CompanyRule>) -> Self {
        let every = |row: &RunningPlugin| {
            (row.id.clone(), Rules { otherwise: row.companies_allowed, companies: HashMap::new() })
        };
        let mut audience: HashMap<String, Rules> = running.iter().map(every).collect();
        for CompanyRule { plugin_id, company_uid, allowed } in rules {
            if let Some(rules) = audience.get_mut(&plugin_id) {
                rules.companies.insert(company_uid, allowed);
            }
        }
        Self(audience)
    }

    /// Whether a company has a plugin.
    pub(super) fn has(&self, plugin: &str, company: CompanyUid) -> bool {
        self.0
            .get(plugin)
            .is_none_or(|rules| rules.companies.get(&company).copied().unwrap_or(rules.otherwise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_companys_own_rule_counts_before_its_resellers_and_before_the_rest() {
        let running = |id: &str, companies_allowed| RunningPlugin {
            id: id.to_owned(),
            revision: 1,
            version: "1.0.0".to_owned(),
            settings: "{}".to_owned(),
            granted: "[]".to_owned(),
            companies_allowed,
            former_version: None,
            switched_at: 0,
            sha256: String::new(),
        };
        let [own, resellers, other] = [1, 2, 3].map(|number| CompanyUid(Uuid::from_u128(number)));
        let rule = |company_uid, allowed| CompanyRule { plugin_id: "a.b".to_owned(), company_uid, allowed };
        let rules = vec![rule(own, false), rule(resellers, false), rule(own, true)];
        let audience = Audience::new(&[running("a.b", true), running("a.c", false)], rules);
        assert!(audience.has("a.b", own) && !audience.has("a.b", resellers) && audience.has("a.b", other));
        assert!(!audience.has("a.c", own) && audience.has("in.a-folder", own));
    }
}
