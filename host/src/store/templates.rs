//! Alarm templates.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::AlarmTemplateUid;
use crate::model::{AlarmTemplate, NewTemplate};

statements! {
    SYNC = "INSERT INTO alarm_templates (uid, plugin, rule, subject, internal_id, name, name_folded, category, enabled, \
        predefined, parameters, summary, cause, resolution) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT (plugin, rule) DO UPDATE SET subject = excluded.subject, internal_id = excluded.internal_id, \
        name = excluded.name, name_folded = excluded.name_folded, category = excluded.category, \
        summary = excluded.summary, cause = excluded.cause, resolution = excluded.resolution";
    ALL = "SELECT uid, plugin, rule, subject, internal_id, name, category, enabled, predefined, parameters, summary, \
        cause, resolution FROM alarm_templates ORDER BY uid";
    GET = "SELECT uid, plugin, rule, subject, internal_id, name, category, enabled, predefined, parameters, summary, \
        cause, resolution FROM alarm_templates WHERE uid = $1";
    SET_RULE = "UPDATE alarm_templates SET parameters = $2, enabled = $3 WHERE uid = $1";
}

/// Templates, seen through a transaction.
#[derive(Debug)]
pub struct Templates<'t>(pub(super) &'t mut Tx);

impl Templates<'_> {
    /// Takes over what a plugin says of its rule. The parameters and the switch stay as the provider left them.
    pub async fn sync(&mut self, clock: &dyn Clock, new: &NewTemplate) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SYNC)
            .bind(AlarmTemplateUid::new(clock))
            .bind(&new.plugin)
            .bind(&new.rule)
            .bind(&new.subject)
            .bind(new.internal_id)
            .bind(&new.name)
            .bind(new.name.to_lowercase())
            .bind(&new.category)
            .bind(true)
            .bind(true)
            .bind(&new.parameters)
            .bind(&new.summary)
            .bind(&new.cause)
            .bind(&new.resolution)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// All templates; there are as many as rules.
    pub async fn all(&mut self) -> Result<Vec<AlarmTemplate>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(ALL).fetch_all(db).await?);
        Ok(rows)
    }

    /// One template.
    pub async fn get(&mut self, uid: AlarmTemplateUid) -> Result<Option<AlarmTemplate>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Changes a rule's parameters and switch.
    pub async fn set_rule(
        &mut self,
        uid: AlarmTemplateUid,
        parameters: &str,
        enabled: bool,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_RULE).bind(uid).bind(parameters).bind(enabled).execute(db).await?.rows_affected());
        Ok(())
    }
}
