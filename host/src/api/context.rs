//! Who is asking. A [`Caller`] exists only after [`admit`] has proved who it is and that the operation admits its role;
//! handlers take one, and every row they read goes through its scope.
//!
//! Scripts send a bearer: an access token or an API key. The console's page has a cookie, and unsafe methods must then
//! repeat a token that only the page knows. A request with a bearer never reads cookies.

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::api::ApiState;
use crate::api::denials::Denial;
use crate::api::error::ApiError;
use crate::api::operations::Operation;
use crate::api::token::secret::{Secret, SecretKind};
use crate::api::users::authority;
use crate::id::{CompanyUid, ResellerUid, UserUid};
use crate::model::{LoginScope, OrganizationKind, Role, Scope, Session, Tier, TokenKind, User};
use crate::store::{StoreError, Tx};

/// The page's cookie. The prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
pub(crate) const COOKIE_NAME: &str = "__Host-keelson";
/// What the page repeats on unsafe methods.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";
/// The only status of a company whose users may sign in.
const ACTIVE: &str = "Active";

/// Somebody who may do what they ask for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Their id.
    pub(crate) uid: UserUid,
    /// Their user name.
    pub(crate) name: String,
    /// Their role.
    pub(crate) role: Role,
    /// Whose rows they see.
    pub(crate) scope: Scope,
    /// Who acts in their place: support. Both stand in the activity log.
    pub(crate) actor: Option<UserUid>,
    /// Whether their key or session only reads.
    pub(crate) read_only: bool,
}

/// Through which entrance somebody comes: a company may have the API switched off for its users, not the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// A bearer.
    Rest,
    /// The console.
    Page,
}

/// Proves who is asking and that the operation admits them.
pub(crate) async fn admit(
    state: &ApiState,
    parts: &Parts,
    operation: &Operation,
) -> Result<Caller, ApiError> {
    let refused = match authenticate(state, parts).await {
        Ok(caller) => match may(&caller, operation) {
            Ok(()) => return Ok(caller),
            Err(error) => {
                state.deny(Denial::of(&caller, operation, parts).because(error.message()));
                error
            }
        },
        Err(error) => {
            if error.is_refusal()
                && let Some(user) = presented_by(state, parts).await
            {
                state.deny(Denial::of_user(&user, operation.id, parts).because(error.message()));
            }
            error
        }
    };
    Err(refused)
}

/// Whose credential it is that opens nothing, for the activity log: an expired key, the token of a disabled user.
async fn presented_by(state: &ApiState, parts: &Parts) -> Option<User> {
    let (Presented::Bearer(_, secret) | Presented::Page(secret)) = presented(parts).ok()?;
    let mut tx = state.store().read().await.ok()?;
    let key = tx.logins().key_by_hash(&secret.hash()).await.ok()?;
    let uid = match key {
        Some(key) => key.user_uid,
        None => tx.credentials().token_by_hash(&secret.hash()).await.ok()??.user_uid,
    };
    tx.users().get(uid).await.ok()?
}

/// Whether the operation admits the caller.
fn may(caller: &Caller, operation: &Operation) -> Result<(), ApiError> {
    if !operation.admits(caller.role) {
        let admitted: Vec<_> = operation.roles.iter().map(|role| role.name()).collect();
        return Err(ApiError::forbidden(format!(
            "the role {} may not call {}; it admits {}",
            caller.role.name(),
            operation.id,
            admitted.join(", ")
        )));
    }
    if caller.read_only && !operation.is_read() {
        return Err(ApiError::forbidden(format!(
            "this API key or session may only read, and {} changes something; use one without the read-only flag",
            operation.id
        )));
    }
    Ok(())
}

/// Proves who is asking, whatever for.
pub(crate) async fn authenticate(state: &ApiState, parts: &Parts) -> Result<Caller, ApiError> {
    match presented(parts)? {
        Presented::Bearer(SecretKind::ApiKey, secret) => by_api_key(state, &secret).await,
        Presented::Bearer(SecretKind::Access, secret) => {
            by_token(state, &secret, TokenKind::Access, Entrance::Rest).await
        }
        Presented::Bearer(kind, _) => Err(ApiError::unauthenticated(format!(
            "the {} that was sent is no bearer token; send an access token of POST /api/v3/token, or an API key",
            kind.name()
        ))),
        Presented::Page(secret) => {
            if !parts.method.is_safe() {
                check_csrf(parts, &secret)?;
            }
            by_token(state, &secret, TokenKind::Page, Entrance::Page).await
        }
    }
}

enum Presented {
    Bearer(SecretKind, Secret),
    Page(Secret),
}

fn presented(parts: &Parts) -> Result<Presented, ApiError> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (Some(value), None) => {
            let text = value.to_str().unwrap_or_default();
            let (kind, secret) = bearer(text)?;
            Ok(Presented::Bearer(kind, secret))
        }
        (Some(_), Some(_)) => Err(ApiError::unauthenticated("the request has two Authorization headers")),
        (None, _) => page_secret(parts).map(Presented::Page).ok_or_else(|| {
            ApiError::unauthenticated(
                "sign in first: send \"Authorization: Bearer\" with an access token of POST /api/v3/token, or with an \
                 API key",
            )
        }),
    }
}

fn bearer(header: &str) -> Result<(SecretKind, Secret), ApiError> {
    match header.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => {
            Secret::parse(rest.trim()).map_err(|error| ApiError::unauthenticated(error.to_string()))
        }
        _ => Err(ApiError::unauthenticated(
            "the Authorization header must be \"Bearer\", a space, and the token",
        )),
    }
}

/// The page's cookie, if it is whole.
pub(crate) fn page_secret(parts: &Parts) -> Option<Secret> {
    let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs =
        cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
    let (kind, secret) = Secret::parse(value).ok()?;
    (kind == SecretKind::Page).then_some(secret)
}

/// What the page must repeat: nobody computes it without the cookie, and no other site reads the cookie.
pub(crate) fn csrf_token(page: &Secret) -> String {
    let digest = Sha256::new().chain_update("keelson csrf ").chain_update(page.reveal()).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Refuses a request that the page did not make.
pub(crate) fn check_csrf(parts: &Parts, page: &Secret) -> Result<(), ApiError> {
    let sent = parts.headers.get(CSRF_HEADER).map(http::HeaderValue::as_bytes).unwrap_or_default();
    if sent.ct_eq(csrf_token(page).as_bytes()).into() {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "the X-CSRF-Token header is missing or not this session's; GET /ui/session gives it. Scripts need none: they \
         send a bearer token instead of the cookie",
    ))
}

async fn by_token(
    state: &ApiState,
    secret: &Secret,
    kind: TokenKind,
    entrance: Entrance,
) -> Result<Caller, ApiError> {
    let mut tx = state.store().read().await?;
    let signed_in = tx.credentials().signed_in(state.clock(), &secret.hash(), kind).await?;
    let signed_in = signed_in
        .ok_or_else(|| ApiError::unauthenticated("the session has expired or was ended; sign in again"))?;
    let caller = recognise(&mut tx, &signed_in.user, entrance).await?;
    Ok(acted_for(&mut tx, caller, signed_in.session()).await?)
}

/// The caller with what holds for all tokens of a sign-in. If somebody acts for them, they must still be allowed to: a
/// right that was taken away counts at once, not when the token expires.
pub(crate) async fn acted_for(tx: &mut Tx, caller: Caller, session: Session) -> Result<Caller, NotLetIn> {
    let mut caller = Caller { read_only: session.read_only, ..caller };
    let Some(uid) = session.actor_uid else { return Ok(caller) };
    let ended = || NotLetIn::Because("nobody may act for this user any more with this token".to_owned());
    let actor = tx.users().get(uid).await?.ok_or_else(ended)?;
    let actor = recognise(tx, &actor, Entrance::Rest).await?;
    authority::to_act_for(tx, &actor, caller.uid).await.map_err(NotLetIn::Fault)?.ok_or_else(ended)?;
    caller.actor = Some(uid);
    Ok(caller)
}

async fn by_api_key(state: &ApiState, secret: &Secret) -> Result<Caller, ApiError> {
    let mut tx = state.store().read().await?;
    let key = tx.logins().key_by_hash(&secret.hash()).await?;
    let key = key.ok_or_else(|| ApiError::unauthenticated("this host does not know the API key"))?;
    if !key.enabled {
        return Err(ApiError::unauthenticated("the API key is disabled"));
    }
    let now = state.clock().now_ms();
    if key.expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(ApiError::unauthenticated("the API key has expired; make a new one"));
    }
    if !key.scopes().into_iter().any(LoginScope::opens_rest) {
        let message =
            format!("the scopes {} of this API key do not open the REST API; rest does", key.scopes);
        return Err(ApiError::forbidden(message));
    }
    let user = tx.users().get(key.user_uid).await?;
    let user = user.ok_or_else(|| ApiError::unauthenticated("the API key's user does not exist any more"))?;
    let caller = recognise(&mut tx, &user, Entrance::Rest).await?;
    state.note_key_use(key.id, key.last_used_at);
    Ok(Caller { read_only: key.read_only, ..caller })
}

/// Why somebody known is not let in.
#[derive(Debug)]
pub(crate) enum NotLetIn {
    /// For reasons that they may read.
    Because(String),
    /// The host could not find out.
    Fault(ApiError),
}

impl From<NotLetIn> for ApiError {
    fn from(refusal: NotLetIn) -> Self {
        match refusal {
            NotLetIn::Because(message) => Self::forbidden(message),
            NotLetIn::Fault(error) => error,
        }
    }
}

impl From<StoreError> for NotLetIn {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// Who a user is, if they may come in at all.
pub(crate) async fn recognise(tx: &mut Tx, user: &User, entrance: Entrance) -> Result<Caller, NotLetIn> {
    let refuse = |message: &str| Err(NotLetIn::Because(message.to_owned()));
    if !user.enabled {
        return refuse("this user is disabled; ask an administrator");
    }
    let role: Role = user.role.parse().map_err(NotLetIn::Because)?;
    let kind = tx.organizations().kind(user.organization_uid).await?;
    let scope = scope(user, role, kind)?;
    let organization = standing(tx, scope).await?;
    match organization {
        Standing::Gone => return refuse("this user's organisation does not exist any more"),
        Standing::Inactive => return refuse("this user's organisation is not active; ask your provider"),
        Standing::Active { rest: false } if entrance == Entrance::Rest => {
            return refuse(
                "your provider has not enabled REST access for this organisation; the console works",
            );
        }
        Standing::Active { .. } => {}
    }
    Ok(Caller { uid: user.uid, name: user.name.clone(), role, scope, actor: None, read_only: false })
}

/// How a caller's organisation stands.
enum Standing {
    Gone,
    Inactive,
    Active { rest: bool },
}

/// A company stands no better than its reseller.
async fn standing(tx: &mut Tx, scope: Scope) -> Result<Standing, StoreError> {
    let Some(uid) = scope.company() else {
        return match scope.reseller() {
            Some(uid) => reseller_standing(tx, uid).await,
            None => Ok(Standing::Active { rest: true }),
        };
    };
    let Some(company) = tx.companies().get(uid).await? else { return Ok(Standing::Gone) };
    if company.status != ACTIVE {
        return Ok(Standing::Inactive);
    }
    match company.reseller_uid {
        Some(reseller) => match reseller_standing(tx, reseller).await? {
            Standing::Active { .. } => Ok(Standing::Active { rest: company.rest_access_enabled }),
            worse => Ok(worse),
        },
        None => Ok(Standing::Active { rest: company.rest_access_enabled }),
    }
}

async fn reseller_standing(tx: &mut Tx, uid: ResellerUid) -> Result<Standing, StoreError> {
    Ok(match tx.resellers().get(uid).await? {
        None => Standing::Gone,
        Some(reseller) if reseller.status != ACTIVE => Standing::Inactive,
        Some(reseller) => Standing::Active { rest: reseller.rest_access_enabled },
    })
}

/// Whose rows a user sees. A role that does not fit where its user belongs gets nothing.
fn scope(user: &User, role: Role, organization: Option<OrganizationKind>) -> Result<Scope, NotLetIn> {
    let uid = user.organization_uid;
    let company = CompanyUid(uid);
    match (role.tier(), organization) {
        (Tier::Provider, Some(OrganizationKind::Provider)) => Ok(match role {
            Role::SiteAdministrator => Scope::Site(user.uid),
            _ => Scope::Provider,
        }),
        (Tier::Reseller, Some(OrganizationKind::Reseller)) => Ok(Scope::Reseller(ResellerUid(uid))),
        (Tier::Company, Some(OrganizationKind::Company)) => Ok(match role {
            Role::LocationAdministrator | Role::LocationUser => Scope::Location(company, user.uid),
            Role::SubTenant => Scope::Subtenant(company, user.uid),
            _ => Scope::Company(company),
        }),
        _ => Err(NotLetIn::Because(format!("the role {} does not fit where this user belongs", role.name()))),
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or_else(|| ApiError::internal("a handler ran without its guard"))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(role: Role) -> User {
        User {
            uid: UserUid(Uuid::nil()),
            organization_uid: Uuid::max(),
            name: "ada".to_owned(),
            role: role.name().to_owned(),
            password_hash: String::new(),
            enabled: true,
            created_at: 0,
        }
    }

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let request = headers
            .iter()
            .fold(http::Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn nobody_sees_more_than_their_tier() {
        let kinds = [OrganizationKind::Provider, OrganizationKind::Reseller, OrganizationKind::Company];
        for role in Role::ALL.iter().copied() {
            assert!(scope(&user(role), role, None).is_err(), "{role:?}");
            for kind in kinds {
                let fits = match role.tier() {
                    Tier::Provider => OrganizationKind::Provider,
                    Tier::Reseller => OrganizationKind::Reseller,
                    Tier::Company => OrganizationKind::Company,
                };
                match scope(&user(role), role, Some(kind)) {
                    Ok(scope) => {
                        assert_eq!(kind, fits, "{role:?}");
                        assert_eq!(scope.company().is_some(), kind == OrganizationKind::Company, "{role:?}");
                        assert_eq!(
                            scope.reseller().is_some(),
                            kind == OrganizationKind::Reseller,
                            "{role:?}"
                        );
                    }
                    Err(_) => assert_ne!(kind, fits, "{role:?}"),
                }
            }
        }
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme_and_cookies_are_then_ignored() {
        let key = Secret::generate(SecretKind::ApiKey);
        let page = Secret::generate(SecretKind::Page);
        let header = format!("bearer {}", key.reveal());
        let cookie = format!("a=b; {COOKIE_NAME}={}", page.reveal());
        let both = presented(&parts(&[("authorization", &header), ("cookie", &cookie)])).unwrap();
        assert!(matches!(both, Presented::Bearer(SecretKind::ApiKey, secret) if secret == key));
        let wrong = presented(&parts(&[("authorization", "Basic eA=="), ("cookie", &cookie)]));
        assert_eq!(wrong.err().unwrap().status(), http::StatusCode::UNAUTHORIZED);
        assert!(
            matches!(presented(&parts(&[("cookie", &cookie)])).unwrap(), Presented::Page(secret) if secret == page)
        );
        assert!(presented(&parts(&[])).is_err());
    }

    #[test]
    fn a_cookie_of_another_kind_is_no_session() {
        let access = Secret::generate(SecretKind::Access);
        assert!(page_secret(&parts(&[("cookie", &format!("{COOKIE_NAME}={}", access.reveal()))])).is_none());
    }

    #[test]
    fn only_the_sessions_own_csrf_token_passes() {
        let (page, other) = (Secret::generate(SecretKind::Page), Secret::generate(SecretKind::Page));
        assert!(check_csrf(&parts(&[(CSRF_HEADER, &csrf_token(&page))]), &page).is_ok());
        assert!(check_csrf(&parts(&[(CSRF_HEADER, &csrf_token(&other))]), &page).is_err());
        assert!(check_csrf(&parts(&[]), &page).is_err());
    }
}
