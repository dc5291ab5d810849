//! What is to be done about alarms, from what the rules say and from the alarms that exist. No I/O.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::subject::Object;
use crate::clock::Clock;
use crate::id::{AlarmTemplateUid, AlarmUid};
use crate::model::AlarmStatus;
use crate::plugins::{Severity, Verdict};
use crate::store::{OpenAlarm, Raise};

/// What one template says of a cohort.
#[derive(Debug)]
pub(super) enum Opinion {
    /// The rule looked: these objects are not well, the others are.
    Verdicts {
        verdicts: Vec<Verdict>,
        /// Rows of companies that do not have the plugin: whatever the rule says of them, it is not theirs.
        without: HashSet<u32>,
    },
    /// No alarm can stand under the template any more, for this reason.
    Over(&'static str),
    /// The rule could not look: what is, stays.
    None,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Decisions<'a> {
    pub(super) raise: Vec<Raise>,
    pub(super) reword: Vec<(AlarmUid, String)>,
    /// (why, which)
    pub(super) resolve: HashMap<&'static str, Vec<&'a OpenAlarm>>,
}

/// Compares. Objects outside `settled` changed meanwhile: nothing is decided about them now.
pub(super) fn decide<'a>(
    clock: &dyn Clock,
    objects: &[Object],
    settled: &HashSet<Uuid>,
    opinions: &[(AlarmTemplateUid, Opinion)],
    existing: &'a [OpenAlarm],
) -> Decisions<'a> {
    let by_key: HashMap<(AlarmTemplateUid, Uuid), &OpenAlarm> =
        existing.iter().map(|alarm| ((alarm.template_uid, alarm.object_uid), alarm)).collect();
    let mut decisions = Decisions::default();
    for (template, opinion) in opinions {
        let Opinion::Verdicts { verdicts, without } = opinion else { continue };
        for verdict in verdicts.iter().filter(|verdict| !without.contains(&verdict.row)) {
            let object = usize::try_from(verdict.row).ok().and_then(|row| objects.get(row));
            let Some(object) = object.filter(|object| !object.gone && settled.contains(&object.uid)) else {
                continue;
            };
            match by_key.get(&(*template, object.uid)) {
                Some(alarm) if stands(alarm, verdict) => {
                    if alarm.message != verdict.message {
                        decisions.reword.push((alarm.uid, verdict.message.clone()));
                    }
                }
                alarm => {
                    let uid = alarm.map_or_else(|| AlarmUid::new(clock), |alarm| alarm.uid);
                    decisions.raise.push(raise(uid, *template, object, verdict));
                }
            }
        }
    }
    let rows: HashMap<Uuid, usize> =
        objects.iter().enumerate().map(|(row, object)| (object.uid, row)).collect();
    let open = existing.iter().filter(|alarm| alarm.status != AlarmStatus::Resolved.name());
    for alarm in open.filter(|alarm| settled.contains(&alarm.object_uid)) {
        let Some(row) = rows.get(&alarm.object_uid) else { continue };
        if let Some(why) = ended(alarm, *row, objects, opinions) {
            decisions.resolve.entry(why).or_default().push(alarm);
        }
    }
    decisions
}

/// Whether an alarm already says what the verdict says. An acknowledged one does until it gets well.
fn stands(alarm: &OpenAlarm, verdict: &Verdict) -> bool {
    alarm.status == status(verdict.severity).name() || alarm.status == AlarmStatus::Acknowledged.name()
}

/// Why the open alarm of the object in this row ends, if it does.
fn ended(
    alarm: &OpenAlarm,
    row: usize,
    objects: &[Object],
    opinions: &[(AlarmTemplateUid, Opinion)],
) -> Option<&'static str> {
    if objects.get(row).is_some_and(|object| object.gone) {
        return Some("The object is no longer reported.");
    }
    // Every template of the cohort's subject has an opinion: this one looks at another kind of object by now.
    let Some((_, opinion)) = opinions.iter().find(|(template, _)| *template == alarm.template_uid) else {
        return Some("The rule does not look at objects of this kind.");
    };
    match opinion {
        Opinion::Over(why) => Some(why),
        Opinion::None => None,
        Opinion::Verdicts { verdicts, without } => {
            let row = u32::try_from(row).ok()?;
            if without.contains(&row) {
                return Some("The company does not have the plugin.");
            }
            let well = verdicts.binary_search_by_key(&row, |verdict| verdict.row).is_err();
            well.then_some("The condition no longer holds.")
        }
    }
}

fn raise(uid: AlarmUid, template_uid: AlarmTemplateUid, object: &Object, verdict: &Verdict) -> Raise {
    Raise {
        uid,
        template_uid,
        company_uid: object.company,
        location_uid: object.location,
        agent_uid: object.agent,
        object_type: object.kind,
        object_uid: object.uid,
        object_name: object.name.clone(),
        computer_name: object.computer.clone(),
        status: status(verdict.severity),
        message: verdict.message.clone(),
    }
}

fn status(severity: Severity) -> AlarmStatus {
    match severity {
        Severity::Info => AlarmStatus::Info,
        Severity::Warning => AlarmStatus::Warning,
        Severity::Error => AlarmStatus::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::id::{AgentUid, CompanyUid, LocationUid};

    const TEMPLATE: AlarmTemplateUid = AlarmTemplateUid(Uuid::from_u128(1));
    const OBJECT: Uuid = Uuid::from_u128(2);

    fn object(gone: bool) -> Object {
        Object {
            uid: OBJECT,
            company: CompanyUid(Uuid::nil()),
            location: LocationUid(Uuid::nil()),
            agent: AgentUid(Uuid::nil()),
            kind: "BackupAgent",
            name: "vm".to_owned(),
            computer: "vm".to_owned(),
            revision: 1,
            gone,
        }
    }

    fn alarm(status: AlarmStatus) -> OpenAlarm {
        OpenAlarm {
            uid: AlarmUid(Uuid::from_u128(3)),
            template_uid: TEMPLATE,
            object_uid: OBJECT,
            status: status.name().to_owned(),
            message: "old".to_owned(),
        }
    }

    fn bad() -> Opinion {
        let verdicts = vec![Verdict { row: 0, severity: Severity::Error, message: "new".to_owned() }];
        Opinion::Verdicts { verdicts, without: HashSet::new() }
    }

    /// (raised, reworded, resolved)
    fn outcome(
        object: Object,
        opinion: Opinion,
        existing: &[OpenAlarm],
        settled: bool,
    ) -> (usize, usize, usize) {
        let clock = ManualClock::at(0);
        let settled = settled.then_some(OBJECT).into_iter().collect();
        let decisions = decide(&*clock, &[object], &settled, &[(TEMPLATE, opinion)], existing);
        (decisions.raise.len(), decisions.reword.len(), decisions.resolve.values().map(Vec::len).sum())
    }

    #[test]
    fn an_object_that_is_not_well_gets_one_alarm() {
        assert_eq!(outcome(object(false), bad(), &[], true), (1, 0, 0));
        assert_eq!(outcome(object(false), bad(), &[alarm(AlarmStatus::Error)], true), (0, 1, 0));
    }

    #[test]
    fn a_company_without_the_plugin_gets_no_alarm_and_keeps_none() {
        let without = || match bad() {
            Opinion::Verdicts { verdicts, .. } => Opinion::Verdicts { verdicts, without: HashSet::from([0]) },
            other => other,
        };
        assert_eq!(outcome(object(false), without(), &[], true), (0, 0, 0));
        assert_eq!(outcome(object(false), without(), &[alarm(AlarmStatus::Error)], true), (0, 0, 1));
    }

    #[test]
    fn an_alarm_ends_when_the_rule_falls_silent_and_comes_back_under_its_id() {
        let silent = Opinion::Verdicts { verdicts: Vec::new(), without: HashSet::new() };
        assert_eq!(outcome(object(false), silent, &[alarm(AlarmStatus::Error)], true), (0, 0, 1));
        assert_eq!(outcome(object(false), bad(), &[alarm(AlarmStatus::Resolved)], true), (1, 0, 0));
    }

    #[test]
    fn a_severity_that_changes_is_a_new_activation_but_an_acknowledged_alarm_stays_so() {
        assert_eq!(outcome(object(false), bad(), &[alarm(AlarmStatus::Warning)], true), (1, 0, 0));
        assert_eq!(outcome(object(false), bad(), &[alarm(AlarmStatus::Acknowledged)], true), (0, 1, 0));
    }

    #[test]
    fn a_rule_that_could_not_look_changes_nothing() {
        assert_eq!(outcome(object(false), Opinion::None, &[alarm(AlarmStatus::Error)], true), (0, 0, 0));
    }

    #[test]
    fn what_is_gone_or_switched_off_ends() {
        assert_eq!(outcome(object(true), bad(), &[alarm(AlarmStatus::Error)], true), (0, 0, 1));
        assert_eq!(
            outcome(
                object(false),
                Opinion::Over("The alarm was switched off."),
                &[alarm(AlarmStatus::Error)],
                true
            ),
            (0, 0, 1)
        );
    }

    #[test]
    fn an_object_that_became_another_kind_leaves_its_alarm_behind() {
        let clock = ManualClock::at(0);
        let existing = [alarm(AlarmStatus::Error)];
        let decisions = decide(&*clock, &[object(false)], &HashSet::from([OBJECT]), &[], &existing);
        assert_eq!(decisions.resolve.values().map(Vec::len).sum::<usize>(), 1);
    }

    #[test]
    fn nothing_is_decided_about_an_object_that_changed_meanwhile() {
        assert_eq!(outcome(object(false), bad(), &[], false), (0, 0, 0));
        assert_eq!(outcome(object(true), bad(), &[alarm(AlarmStatus::Error)], false), (0, 0, 0));
    }
}
