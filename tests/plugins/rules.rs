//! The shipped rules through the sandbox.

use keelson::plugins::{ABSENT, Blame, FactTable, Refusal, SUBJECTS, Severity, Values};
use serde_json::json;

use super::support::{HOUR, NOW, SHIPPED, Shelf};

#[tokio::test]
async fn an_old_restore_point_becomes_a_verdict_and_a_young_one_a_recheck_time() {
    let stage = Shelf::with_shipped().start().await;
    let facts = FactTable::new(3)
        .with("first-seen", Values::Ints(vec![0, 0, NOW - 30 * HOUR]))
        .with("newest-restore-point", Values::Ints(vec![NOW - HOUR, NOW - 26 * HOUR, ABSENT]));
    let evaluation =
        stage.plugins.evaluate(SHIPPED, "computer-without-backup", "{}", NOW, facts).await.unwrap();
    let rows: Vec<_> = evaluation.verdicts.iter().map(|verdict| (verdict.row, verdict.severity)).collect();
    assert_eq!(rows, [(1, Severity::Error), (2, Severity::Error)]);
    assert_eq!(
        evaluation.verdicts[0].message,
        "No restore point within the RPO of 24 h: the newest is from 2026-11-20 07:05 UTC"
    );
    assert_eq!(evaluation.recheck, [Some(NOW + 23 * HOUR), None, None]);
}

#[tokio::test]
async fn only_the_parameter_decides_between_well_and_not_well() {
    let stage = Shelf::with_shipped().start().await;
    assert_eq!(stage.backup_age(26, "{}").await.unwrap().verdicts.len(), 1);
    assert_eq!(stage.backup_age(26, r#"{"rpoHours":48}"#).await.unwrap().verdicts.len(), 0);
}

#[tokio::test]
async fn a_lost_agent_is_an_error_after_its_minutes() {
    let stage = Shelf::with_shipped().start().await;
    let facts = FactTable::new(2)
        .with("connected", Values::Flags(vec![1, 0]))
        .with("last-heartbeat", Values::Ints(vec![NOW - HOUR, NOW - HOUR]))
        .with("enrolled-at", Values::Ints(vec![0, 0]))
        .with("version", Values::Strings(vec!["1".to_owned(), "2".to_owned()]));
    let evaluation =
        stage.plugins.evaluate(SHIPPED, "management-agent-connection-lost", "{}", NOW, facts).await.unwrap();
    assert_eq!(evaluation.verdicts.len(), 1);
    assert!(evaluation.verdicts[0].message.starts_with("No connection for 5 min or longer"));
}

#[tokio::test]
async fn parameters_are_held_to_the_rules_schema_before_the_guest_sees_them() {
    let stage = Shelf::with_shipped().start().await;
    let error = stage.backup_age(26, r#"{"rpoHours":0}"#).await.unwrap_err();
    assert!(matches!(error.blame, Blame::Policy(Refusal::Parameters(_))), "{error:?}");
    assert!(error.to_string().contains("/rpoHours"), "{error}");

    let validate =
        |parameters| stage.plugins.validate_parameters(SHIPPED, "computer-without-backup", &parameters);
    assert_eq!(validate(json!({})), Ok(json!({ "rpoHours": 24 })));
    assert!(validate(json!({ "rpo": 1 })).unwrap_err().join(" ").contains("rpo"));
}

#[tokio::test]
async fn rules_are_listed_with_their_defaults_and_a_missing_one_is_named() {
    let stage = Shelf::with_shipped().start().await;
    let rules = stage.plugins.rules();
    let ids: Vec<_> = rules.iter().map(|loaded| loaded.rule.id.as_str()).collect();
    assert_eq!(
        ids,
        ["computer-without-backup", "management-agent-connection-lost", "management-agent-misuse"]
    );
    let rule = rules.get(SHIPPED, "computer-without-backup").unwrap();
    assert_eq!(rule.rule.default_parameters, json!({ "rpoHours": 24 }));
    let error = stage.plugins.evaluate(SHIPPED, "gone", "{}", NOW, FactTable::new(0)).await.unwrap_err();
    assert!(error.to_string().contains("no rule `gone`"), "{error}");
}

#[tokio::test]
async fn without_a_plugin_there_is_no_rule_and_no_verdict() {
    let stage = Shelf::new().start().await;
    assert!(stage.plugins.rules().is_empty());
    let error = stage.backup_age(1_000, "{}").await.unwrap_err();
    assert_eq!(error.blame, Blame::Policy(Refusal::NotLoaded));
}

#[tokio::test]
async fn a_full_chunk_goes_through_though_every_row_is_not_well() {
    let stage = Shelf::with_shipped().start().await;
    let rows = keelson::plugins::CHUNK_ROWS;
    let facts = FactTable::new(rows)
        .with("first-seen", Values::Ints(vec![0; rows]))
        .with("newest-restore-point", Values::Ints(vec![1; rows]));
    let evaluation =
        stage.plugins.evaluate(SHIPPED, "computer-without-backup", "{}", NOW, facts).await.unwrap();
    assert_eq!((evaluation.verdicts.len(), evaluation.recheck.len()), (rows, rows));
}

#[test]
fn the_list_of_facts_for_authors_is_the_hosts() {
    let readme = include_str!("../../wit/README.md");
    for subject in SUBJECTS {
        for (column, kind) in subject.columns {
            let line =
                format!("| `{}` | `{column}` | `{}` |", subject.name, format!("{kind:?}").to_lowercase());
            assert!(readme.contains(&line), "wit/README.md lacks {line}");
        }
    }
    let listed =
        readme.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 3).count();
    assert_eq!(listed, SUBJECTS.iter().map(|subject| subject.columns.len()).sum::<usize>());
}
