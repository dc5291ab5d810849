//! `GET /eventLogs/activityLogs`.

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::{brief, nearest};
use crate::store::list::{Collation, Comparison, Condition, Sort, Value};
use crate::store::{ACTIVITY_LOGS, ACTIVITY_ORDER};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetActivityLogs", list)
}

/// A page of the activity log, the latest first unless asked otherwise.
async fn list(ask: Ask) -> Result<Rendered, ApiError> {
    let mut of = Vec::new();
    let mut must = |property: &str, comparison, value| {
        if let (Some(property), Some(value)) = (ACTIVITY_LOGS.property(property), value) {
            of.push(Condition::Compare {
                property: *property,
                comparison,
                value,
                collation: Collation::Ordinal,
            });
        }
    };
    let instant = |name| ask.instant_parameter(name).map(|at| at.map(Value::Integer));
    let uid = |name| ask.uid_parameter(name).map(|uid| uid.map(Value::Uuid));
    must("date", Comparison::GreaterThanOrEqual, instant("from")?);
    must("date", Comparison::LessThanOrEqual, instant("to")?);
    must("organizationUid", Comparison::Equals, uid("organizationUid")?);
    must("userUid", Comparison::Equals, uid("userUid")?);
    let kind = word(&ask, "activityLogKind", &["Internal", "External"])?;
    must("activityKind", Comparison::Equals, kind.map(|kind| Value::Text(kind.to_owned())));
    let direction = word(&ask, "dateSortingDirection", &["ascending", "descending"])?;
    let mut request = ask.list(&ACTIVITY_LOGS)?;
    if request.query.sort.is_empty() {
        let descending = direction != Some("ascending");
        request.query.sort =
            vec![Sort { property: ACTIVITY_ORDER, descending, collation: Collation::Ordinal }];
    }
    let mut tx = ask.state.store().read().await?;
    ask.page_of(&mut tx, &ACTIVITY_LOGS, &Condition::All(of), request).await
}

/// A parameter that is one of a few words.
fn word(ask: &Ask, name: &'static str, words: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
    let Some(text) = ask.parameter(name)? else { return Ok(None) };
    let known = words.iter().find(|word| word.eq_ignore_ascii_case(text)).copied();
    known.map(Some).ok_or_else(|| {
        let hint = nearest(text, words.iter().copied());
        ApiError::parameter(name, format!("\"{}\" is no {name}; {hint}", brief(text)))
    })
}
