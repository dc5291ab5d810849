//! `/organizations/companies/{companyUid}/onboarding`, ours: how far a company has come on its way to a licence, worked out
//! from what is there.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::must_stay;
use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::id::CompanyUid;
use crate::instant::Instant;
use crate::model::{Override, Role, Step, StepState, Tier, steps};
use crate::store::{COMPANIES, Tx};

const LONGEST_REASON: usize = 512;
/// Why a step that is not done need not be, in the query of an operation that waits for it.
const REASON: &str = "overrideReason";

/// The steps of a company's onboarding, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CompanyOnboarding {
    company_uid: Uuid,
    /// Whether nothing stands in the way of the licence any more.
    is_ready_for_licence: bool,
    steps: Vec<OnboardingStep>,
}

/// One step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnboardingStep {
    /// `company`, `cloudConnect`, `backupServers`, `licence`.
    step: &'static str,
    #[schema(inline)]
    state: OnboardingState,
    /// Whether the company's services ask for it; a step that they do not ask for is done.
    is_needed: bool,
    /// Why it cannot be done yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocking_reason: Option<String>,
    /// What to do next for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<&'static str>,
    /// Who let it pass, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    overridden: Option<OnboardingOverride>,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
enum OnboardingState {
    Done,
    Overridden,
    Open,
    Blocked,
}

/// That a step was let pass.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnboardingOverride {
    reason: String,
    user_name: String,
    time: Instant,
}

/// Why a step is let pass.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnboardingOverrideInput {
    /// For the activity log: 1 to 512 characters.
    #[schema(min_length = 1, max_length = 512)]
    reason: String,
}

/// How far a company has come.
#[utoipa::path(
    get, path = "/organizations/companies/{companyUid}/onboarding", operation_id = "GetCompanyOnboarding",
    params(("companyUid" = Uuid, Path)),
    responses((status = 200, description = "The steps in their order", body = Envelope<CompanyOnboarding>)),
)]
pub(super) async fn get(ask: Ask) -> Result<Response, ApiError> {
    let company = CompanyUid(ask.uid("companyUid")?);
    let mut tx = ask.state.store().read().await?;
    ask.must_see(&mut tx, &COMPANIES, company.0).await?;
    envelope::one(&current(&mut tx, company).await?, &Shape::default())
}

/// Lets a step pass that is not done, so that those behind it need not wait.
#[utoipa::path(
    post, path = "/organizations/companies/{companyUid}/onboarding/{step}/override",
    operation_id = "OverrideCompanyOnboardingStep",
    params(("companyUid" = Uuid, Path), ("step" = String, Path, description = "cloudConnect or backupServers")),
    request_body = OnboardingOverrideInput,
    responses((status = 200, description = "The steps as they are now", body = Envelope<CompanyOnboarding>)),
)]
pub(super) async fn pass(
    mut change: Change,
    JsonBody(input): JsonBody<OnboardingOverrideInput>,
) -> Result<Response, ApiError> {
    let company = CompanyUid(change.ask.uid("companyUid")?);
    let step = step(change.ask.word("step")?)?;
    let reason = input.reason.trim().to_owned();
    if !says_why(&reason) {
        let message = format!("reason must say why, in 1 to {LONGEST_REASON} characters");
        return Err(ApiError::property("reason", message));
    }
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &COMPANIES, company.0).await?;
    must_stay(&mut tx, company.0).await?;
    must_be_undone(&mut tx, company, step).await?;
    record(&mut change, &mut tx, company, step, &reason).await?;
    let answer = current(&mut tx, company).await?;
    change.commit(tx).await?;
    envelope::one(&answer, &Shape::default())
}

/// Refuses what belongs to a later step while an earlier one is not done. An `overrideReason` in the query, of somebody of the
/// provider's, lets pass what is missing instead: in the change's own transaction, so that a change that fails lets nothing pass.
#[cfg_attr(not(test), expect(dead_code, reason = "for the operations of licences, which come after these"))]
pub(in crate::api) async fn require(
    change: &mut Change,
    tx: &mut Tx,
    company: CompanyUid,
    step: Step,
) -> Result<(), ApiError> {
    let states = all(tx, company).await?.0;
    let lacking = |(one, state): &&(Step, StepState)| {
        *one < step && matches!(state, StepState::Open(_) | StepState::Blocked(_))
    };
    let lacking: Vec<_> = states.iter().filter(lacking).collect();
    let Some((first, state)) = lacking.first() else { return Ok(()) };
    let Some(reason) = change.ask.parameter(REASON)?.map(str::to_owned) else {
        let next = if let StepState::Open(action) = state { *action } else { first.lack() };
        return Err(ApiError::conflict(format!(
            "{} comes before {}: {}; {next}. The provider may let it pass: send {REASON} in the query",
            first.name(),
            step.name(),
            first.lack(),
        )));
    };
    let role = change.ask.caller.role;
    if role.tier() != Tier::Provider || role == Role::ReadOnlyUser {
        return Err(ApiError::forbidden(format!(
            "users of the role {} let no step pass; leave {REASON} out, or ask the provider",
            role.name()
        )));
    }
    if !says_why(&reason) {
        let message = format!("{REASON} must say why, in 1 to {LONGEST_REASON} characters");
        return Err(ApiError::parameter(REASON, message));
    }
    for (step, _) in lacking {
        record(change, tx, company, *step, &reason).await?;
    }
    Ok(())
}

fn says_why(reason: &str) -> bool {
    !reason.trim().is_empty() && reason.chars().count() <= LONGEST_REASON
}

/// Lets a step pass, and notes who did.
async fn record(
    change: &mut Change,
    tx: &mut Tx,
    company: CompanyUid,
    step: Step,
    reason: &str,
) -> Result<(), ApiError> {
    let name = tx.companies().get(company).await?.map(|company| company.name).unwrap_or_default();
    let (clock, caller) = (change.ask.state.clock(), &change.ask.caller);
    tx.onboarding().pass(clock, company, step.name(), reason, (caller.uid, &caller.name)).await?;
    let organization = Some(company.0);
    let object = Object { kind: "CompanyOnboarding", uid: company.0, name: &name, organization };
    let (before, after) = (json!({"step": step.name()}), json!({"step": step.name(), "reason": reason}));
    change.note(&object, Some(&before), Some(&after));
    Ok(())
}

fn step(word: &str) -> Result<Step, ApiError> {
    Step::named(word).filter(|step| step.may_pass()).ok_or_else(|| {
        let known: Vec<_> = Step::ALL.iter().filter(|step| step.may_pass()).map(|step| step.name()).collect();
        ApiError::parameter("step", format!("only these steps can be let pass: {}", known.join(", ")))
    })
}

async fn must_be_undone(tx: &mut Tx, company: CompanyUid, step: Step) -> Result<(), ApiError> {
    let steps = all(tx, company).await?.0;
    match steps.iter().find(|(one, _)| *one == step) {
        Some((_, StepState::Done { .. })) => {
            Err(ApiError::conflict(format!("the step {} is done; there is nothing to let pass", step.name())))
        }
        Some((_, StepState::Overridden)) => {
            Err(ApiError::conflict(format!("the step {} was let pass already", step.name())))
        }
        _ => Ok(()),
    }
}

async fn all(tx: &mut Tx, company: CompanyUid) -> Result<(Vec<(Step, StepState)>, Vec<Override>), ApiError> {
    let facts = tx.onboarding().facts(company).await?;
    let facts = facts.ok_or_else(|| ApiError::absent(COMPANIES.name, company))?;
    let overrides = tx.onboarding().overrides(company).await?;
    Ok((steps(&facts, &overrides), overrides))
}

async fn current(tx: &mut Tx, company: CompanyUid) -> Result<CompanyOnboarding, ApiError> {
    let (states, overrides) = all(tx, company).await?;
    let waits = |(step, state): &(Step, StepState)| {
        *step != Step::Licence && matches!(state, StepState::Open(_) | StepState::Blocked(_))
    };
    let is_ready_for_licence = !states.iter().any(waits);
    let steps = states.iter().map(|(step, state)| shown(*step, state, &overrides)).collect();
    Ok(CompanyOnboarding { company_uid: company.0, is_ready_for_licence, steps })
}

fn shown(step: Step, state: &StepState, overrides: &[Override]) -> OnboardingStep {
    let mut shown = OnboardingStep {
        step: step.name(),
        state: OnboardingState::Done,
        is_needed: true,
        blocking_reason: None,
        next_action: None,
        overridden: None,
    };
    match state {
        StepState::Done { needed } => shown.is_needed = *needed,
        StepState::Overridden => {
            shown.state = OnboardingState::Overridden;
            let passed = overrides.iter().find(|one| one.step == step.name());
            shown.overridden = passed.map(|one| OnboardingOverride {
                reason: one.reason.clone(),
                user_name: one.user_name.clone(),
                time: Instant(one.created_at),
            });
        }
        StepState::Open(action) => {
            shown.state = OnboardingState::Open;
            shown.next_action = Some(*action);
        }
        StepState::Blocked(before) => {
            shown.state = OnboardingState::Blocked;
            shown.blocking_reason = Some(format!("{} comes first: {}", before.name(), before.lack()));
        }
    }
    shown
}
