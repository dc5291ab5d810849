//! A count needs no join that neither adds nor drops rows: where it is certain that a join finds exactly one row, and nothing
//! else mentions its table, it is left out.

/// Joins along a foreign key that is always there to a primary key.
const CERTAIN: &[&str] = &[
    "organizations o ON o.uid = c.uid",
    "organizations o ON o.uid = r.uid",
    "agents a ON a.uid = s.agent_uid",
    "agents a ON a.uid = c.agent_uid",
    "agents a ON a.uid = o.agent_uid",
    "backup_jobs j ON j.uid = t.job_uid",
    "sites s ON s.uid = g.site_uid",
    "sites s ON s.uid = p.site_uid",
    "sites s ON s.uid = t.site_uid",
];

/// What `from` is without the joins that only a page needs, where `conditions` limit the rows.
pub(super) fn needed(from: &str, conditions: &str) -> String {
    let (tables, always) =
        from.split_once(" WHERE ").map_or((from, None), |(tables, rest)| (tables, Some(rest)));
    let mut pieces: Vec<&str> = tables.split(" JOIN ").collect();
    while let Some((last, others)) = pieces.split_last() {
        let alias = last.split(' ').nth(1).unwrap_or_default();
        let mut texts = others.iter().copied().chain(always).chain([conditions]);
        if !CERTAIN.contains(last) || texts.any(|text| mentions(text, alias)) {
            break;
        }
        pieces.pop();
    }
    let tables = pieces.join(" JOIN ");
    always.map_or_else(|| tables.clone(), |always| format!("{tables} WHERE {always}"))
}

fn mentions(text: &str, alias: &str) -> bool {
    let name = format!("{alias}.");
    let begins = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    text.match_indices(&name).any(|(at, _)| begins(at))
}

#[cfg(test)]
mod tests {
    use super::needed;

    const COMPANIES: &str = "companies c JOIN organizations o ON o.uid = c.uid";
    const TASKS: &str = "commands c JOIN agents a ON a.uid = c.agent_uid WHERE c.kind <> 'x'";

    #[test]
    fn a_table_that_nothing_asks_is_not_joined() {
        assert_eq!(needed(COMPANIES, "c.status = $1"), "companies c");
        assert_eq!(needed(TASKS, "1 = 1"), "commands c WHERE c.kind <> 'x'");
    }

    #[test]
    fn a_table_that_a_condition_asks_is_joined() {
        assert_eq!(needed(COMPANIES, "(o.name = $1)"), COMPANIES);
        assert_eq!(needed(TASKS, "a.location_uid = $1"), TASKS);
    }

    #[test]
    fn a_join_that_may_drop_rows_stays() {
        let from = "locations l JOIN companies c ON c.uid = l.company_uid";
        assert_eq!(needed(from, "1 = 1"), from);
    }

    #[test]
    fn a_longer_name_is_another_table() {
        assert_eq!(needed(COMPANIES, "foo.x = $1"), "companies c");
    }
}
