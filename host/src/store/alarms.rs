//! Alarms and their activations.

use uuid::Uuid;

use super::bulk::{BulkStatement, Column, Type};
use super::list::Value;
use super::{StoreError, Tx};
use crate::clock::Clock;
use crate::id::{self, AgentUid, AlarmTemplateUid, AlarmUid, CompanyUid, LocationUid};
use crate::model::AlarmStatus;

const OF_OBJECTS: BulkStatement = BulkStatement {
    name: "store::alarms::OF_OBJECTS",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "SELECT uid, template_uid, object_uid, status, message FROM alarms WHERE object_uid IN (SELECT uid FROM input)",
};

const RAISE: BulkStatement = BulkStatement {
    name: "store::alarms::RAISE",
    fixed: &[("now", Type::Int)],
    columns: &[
        ("uid", Type::Uuid),
        ("template_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("location_uid", Type::Uuid),
        ("agent_uid", Type::Uuid),
        ("object_type", Type::Text),
        ("object_uid", Type::Uuid),
        ("object_name", Type::Text),
        ("object_name_folded", Type::Text),
        ("computer_name", Type::Text),
        ("activation_uid", Type::Uuid),
        ("status", Type::Text),
        ("message", Type::Text),
    ],
    text: "INSERT INTO alarms (uid, template_uid, company_uid, location_uid, agent_uid, object_type, object_uid, \
        object_name, object_name_folded, computer_name, activation_uid, status, message, remark, changed_at, repeat_count) \
        SELECT uid, template_uid, company_uid, location_uid, agent_uid, object_type, object_uid, object_name, \
        object_name_folded, computer_name, activation_uid, status, message, '', :now, 1 FROM input WHERE 1 = 1 \
        ON CONFLICT (template_uid, object_uid) DO UPDATE SET activation_uid = excluded.activation_uid, \
        status = excluded.status, message = excluded.message, remark = '', changed_at = excluded.changed_at, \
        object_name = excluded.object_name, object_name_folded = excluded.object_name_folded, \
        computer_name = excluded.computer_name, repeat_count = alarms.repeat_count + 1",
};

const RESOLVE: BulkStatement = BulkStatement {
    name: "store::alarms::RESOLVE",
    fixed: &[("now", Type::Int), ("remark", Type::Text)],
    columns: &[("uid", Type::Uuid), ("activation_uid", Type::Uuid)],
    text: "UPDATE alarms SET status = 'Resolved', activation_uid = input.activation_uid, changed_at = :now, \
        remark = :remark FROM input WHERE alarms.uid = input.uid",
};

const REWORD: BulkStatement = BulkStatement {
    name: "store::alarms::REWORD",
    fixed: &[],
    columns: &[("uid", Type::Uuid), ("message", Type::Text)],
    text: "UPDATE alarms SET message = input.message FROM input WHERE alarms.uid = input.uid",
};

const ACTIVATE: BulkStatement = BulkStatement {
    name: "store::alarms::ACTIVATE",
    fixed: &[("now", Type::Int), ("remark", Type::Text)],
    columns: &[
        ("uid", Type::Uuid),
        ("alarm_uid", Type::Uuid),
        ("status", Type::Text),
        ("message", Type::Text),
    ],
    text: "INSERT INTO alarm_activations (uid, alarm_uid, status, message, remark, created_at) \
        SELECT uid, alarm_uid, status, message, :remark, :now FROM input",
};

pub(super) const BULK: &[BulkStatement] = &[OF_OBJECTS, RAISE, RESOLVE, REWORD, ACTIVATE];

/// An alarm that exists for an object, whatever its state.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OpenAlarm {
    /// Its id.
    pub uid: AlarmUid,
    /// Under which template.
    pub template_uid: AlarmTemplateUid,
    /// For which object.
    pub object_uid: Uuid,
    /// An [`AlarmStatus`].
    pub status: String,
    /// What is wrong.
    pub message: String,
}

/// An alarm to be raised, anew or again.
#[derive(Debug, Clone)]
pub struct Raise {
    /// The existing alarm's id, or a fresh one.
    pub uid: AlarmUid,
    /// Under which template.
    pub template_uid: AlarmTemplateUid,
    /// Whose object.
    pub company_uid: CompanyUid,
    /// Where it stands.
    pub location_uid: LocationUid,
    /// Who knows it.
    pub agent_uid: AgentUid,
    /// A word of the API's object types.
    pub object_type: &'static str,
    /// The object.
    pub object_uid: Uuid,
    /// For people.
    pub object_name: String,
    /// Its machine.
    pub computer_name: String,
    /// How bad it is.
    pub status: AlarmStatus,
    /// What is wrong.
    pub message: String,
}

/// Alarms, seen through a transaction.
#[derive(Debug)]
pub struct Alarms<'t>(pub(super) &'t mut Tx);

impl Alarms<'_> {
    /// The alarms of these objects, whatever their state.
    pub async fn of_objects(&mut self, objects: Vec<Uuid>) -> Result<Vec<OpenAlarm>, StoreError> {
        OF_OBJECTS.fetch(self.0, &[], &[Column::Uuid(objects)]).await
    }

    /// Raises alarms. Each (template, object) at most once in a call.
    pub async fn raise(&mut self, clock: &dyn Clock, raises: &[Raise]) -> Result<(), StoreError> {
        let activations: Vec<Uuid> = raises.iter().map(|_| id::fresh(clock)).collect();
        let uuid = |of: fn(&Raise) -> Uuid| Column::Uuid(raises.iter().map(of).collect());
        let text = |of: fn(&Raise) -> String| Column::Text(raises.iter().map(of).collect());
        let columns = [
            uuid(|raise| raise.uid.0),
            uuid(|raise| raise.template_uid.0),
            uuid(|raise| raise.company_uid.0),
            uuid(|raise| raise.location_uid.0),
            uuid(|raise| raise.agent_uid.0),
            text(|raise| raise.object_type.to_owned()),
            uuid(|raise| raise.object_uid),
            text(|raise| raise.object_name.clone()),
            text(|raise| raise.object_name.to_lowercase()),
            text(|raise| raise.computer_name.clone()),
            Column::Uuid(activations.clone()),
            text(|raise| raise.status.name().to_owned()),
            text(|raise| raise.message.clone()),
        ];
        RAISE.execute(self.0, &[Value::Integer(clock.now_ms())], &columns).await?;
        let columns = [
            Column::Uuid(activations),
            uuid(|raise| raise.uid.0),
            text(|raise| raise.status.name().to_owned()),
            text(|raise| raise.message.clone()),
        ];
        self.activate(clock, "", &columns).await
    }

    /// Resolves alarms, and says why.
    pub async fn resolve(
        &mut self,
        clock: &dyn Clock,
        remark: &str,
        alarms: &[&OpenAlarm],
    ) -> Result<(), StoreError> {
        let activations: Vec<Uuid> = alarms.iter().map(|_| id::fresh(clock)).collect();
        let uids: Vec<Uuid> = alarms.iter().map(|alarm| alarm.uid.0).collect();
        let fixed = [Value::Integer(clock.now_ms()), Value::Text(remark.to_owned())];
        let columns = [Column::Uuid(uids.clone()), Column::Uuid(activations.clone())];
        RESOLVE.execute(self.0, &fixed, &columns).await?;
        let columns = [
            Column::Uuid(activations),
            Column::Uuid(uids),
            Column::Text(alarms.iter().map(|_| AlarmStatus::Resolved.name().to_owned()).collect()),
            Column::Text(alarms.iter().map(|alarm| alarm.message.clone()).collect()),
        ];
        self.activate(clock, remark, &columns).await
    }

    /// Brings the texts of alarms up to date; their states stay.
    pub async fn reword(&mut self, words: &[(AlarmUid, String)]) -> Result<(), StoreError> {
        let columns = [
            Column::Uuid(words.iter().map(|(uid, _)| uid.0).collect()),
            Column::Text(words.iter().map(|(_, message)| message.clone()).collect()),
        ];
        REWORD.execute(self.0, &[], &columns).await?;
        Ok(())
    }

    async fn activate(
        &mut self,
        clock: &dyn Clock,
        remark: &str,
        columns: &[Column],
    ) -> Result<(), StoreError> {
        let fixed = [Value::Integer(clock.now_ms()), Value::Text(remark.to_owned())];
        ACTIVATE.execute(self.0, &fixed, columns).await?;
        Ok(())
    }
}
