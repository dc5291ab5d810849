//! `GET …/managementAgents/packages/linux`: one shell script that brings the agent's program and a join token, and makes of them an
//! agent that is enrolled and runs. The program is the one of this host's version, appended to the script; a host that has none
//! beside it makes a script that uses the program that is on the machine already.

use std::path::Path;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::place::{self, Place};
use crate::api::change::{Change, Object};
use crate::api::error::ApiError;
use crate::clock::DAY;
use crate::instant;
use crate::store::NewJoinToken;

/// What a client gets at most, whatever it asks for.
const LONGEST_DAYS: i64 = 30;
/// The contract's bounds and default for what it may ask for.
const ASKED: std::ops::RangeInclusive<i64> = 1..=4_700;
const DEFAULT_DAYS: i64 = 365;
/// How many agents one package enrols.
const USES: u32 = 100;
const TEMPLATE: &str = include_str!("package.sh");

/// Makes a package for an organisation's location.
pub(super) async fn linux(mut change: Change) -> Result<Response, ApiError> {
    if change.ask.caller.read_only {
        return Err(ApiError::forbidden(
            "this key only reads, and a package lets agents in; use another credential",
        ));
    }
    let days = days(change.ask.parameter("tokenExpiryPeriodDays")?)?;
    if change.ask.head {
        // A token that nobody is given would only lie around.
        place::read(&change.ask, &mut change.ask.state.store().read().await?, None).await?;
        return Response::builder()
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(Body::empty())
            .map_err(ApiError::internal);
    }
    let mut tx = change.begin().await?;
    let place = place::read(&change.ask, &mut tx, None).await?;
    let clock = change.ask.state.clock();
    let expires_at = clock.now_ms().saturating_add(days * DAY);
    let token = change.ask.state.agents().token(place.door);
    let new = new_token(&place, token.hash, expires_at);
    let uid = tx.join_tokens().create(clock, &new).await?;
    let program = Program::read(change.ask.state.agents().program.as_deref()).await?;
    let expires = instant::format(expires_at);
    let script = script(&token.text, &expires, program.as_ref());
    note(&mut change, uid.0, &place, &expires);
    change.commit(tx).await?;
    answer(script, program, &expires)
}

fn days(asked: Option<&str>) -> Result<i64, ApiError> {
    let Some(text) = asked else { return Ok(LONGEST_DAYS.min(DEFAULT_DAYS)) };
    let days = text.parse::<i64>().ok().filter(|days| ASKED.contains(days));
    let days = days.ok_or_else(|| {
        let message = format!("tokenExpiryPeriodDays must be a whole number from 1 to {}", ASKED.end());
        ApiError::parameter("tokenExpiryPeriodDays", message)
    })?;
    Ok(days.min(LONGEST_DAYS))
}

fn new_token(place: &Place, hash: [u8; 32], expires_at: i64) -> NewJoinToken {
    NewJoinToken {
        company_uid: place.organization,
        location_uid: place.location,
        account_uid: place.account,
        hash,
        door: place.door,
        uses: USES,
        expires_at,
    }
}

fn note(change: &mut Change, uid: Uuid, place: &Place, expires: &str) {
    let organization = Some(place.organization.0);
    let object = Object { kind: "JoinToken", uid, name: "Linux package", organization };
    let after =
        json!({"locationUid": place.location, "door": place.door.name(), "expires": expires, "uses": USES});
    change.note(&object, None, Some(&after));
}

/// The agent's program, as it will be appended.
#[derive(Debug)]
struct Program {
    file: tokio::fs::File,
    size: u64,
    hash: String,
}

impl Program {
    async fn read(path: Option<&Path>) -> Result<Option<Self>, ApiError> {
        let Some(path) = path else { return Ok(None) };
        let mut file = tokio::fs::File::open(path).await.map_err(ApiError::internal)?;
        let (mut hasher, mut size) = (Sha256::new(), 0);
        let mut piece = vec![0; 256 * 1024];
        loop {
            let read = file.read(&mut piece).await.map_err(ApiError::internal)?;
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
            hasher.update(read);
            size += read.len() as u64;
        }
        let file = tokio::fs::File::open(path).await.map_err(ApiError::internal)?;
        Ok(Some(Self { file, size, hash: hex::encode(hasher.finalize()) }))
    }
}

/// Only letters, digits and a few signs go into the script: nothing that a client sends.
fn script(token: &str, expires: &str, program: Option<&Program>) -> String {
    let (size, hash) = program.map_or((0, ""), |program| (program.size, program.hash.as_str()));
    TEMPLATE
        .replace("@TOKEN@", token)
        .replace("@EXPIRES@", expires)
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@ARCHITECTURE@", std::env::consts::ARCH)
        .replace("@SIZE@", &size.to_string())
        .replace("@HASH@", hash)
}

fn answer(script: String, program: Option<Program>, expires: &str) -> Result<Response, ApiError> {
    let size = script.len() as u64 + program.as_ref().map_or(0, |program| program.size);
    let body = match program {
        Some(program) => {
            let head = std::io::Cursor::new(script.into_bytes());
            Body::from_stream(ReaderStream::new(head.chain(program.file.take(program.size))))
        }
        None => Body::from(script),
    };
    Response::builder()
        .header(CONTENT_TYPE, "application/octet-stream")
        .header(CONTENT_LENGTH, size)
        .header(CONTENT_DISPOSITION, "attachment; filename=\"keelson-agent-linux.sh\"")
        .header("x-keelson-token-expires", expires)
        .body(body)
        .map_err(ApiError::internal)
}
