//! What is open. Ids are the host's; opening again under one answers the same, closing what is not open is done already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OnceCell;
use tracing::{debug, info};

use super::contract::{Close, Fetch, List, MOST_PATHS, Open, Opening, Page, Search, Write, answer, payload};
use super::{Opened, Point, Restore, SourcePath, Wanted};
use crate::clock::SharedClock;
use crate::driver::{Done, Order, Refused};

/// A session that nobody used for so long is over.
const IDLE: Duration = Duration::from_mins(30);
/// Between two looks for such.
const LOOK: Duration = Duration::from_mins(1);
/// Most sessions at once: each holds memory here, or a mount of the engine's.
const MOST: usize = 16;
/// Letters of a session's id.
const LONGEST_ID: usize = 64;
/// Shorter texts find half the backup.
const SHORTEST_TEXT: usize = 2;

/// The sessions of one engine.
#[derive(Debug)]
pub(crate) struct Sessions {
    engine: Arc<dyn Restore>,
    clock: SharedClock,
    all: Mutex<HashMap<String, Session>>,
    cleaned: OnceCell<()>,
    /// Two at once could be at the same file.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Session {
    point: Point,
    /// When it was last used, in unix milliseconds.
    used: i64,
    opened: Arc<OnceCell<Arc<dyn Opened>>>,
}

/// Whether a command is one of these.
pub(crate) fn is_restore(kind: &str) -> bool {
    kind.starts_with("restore-")
}

/// Whether it only looks: its answers may be large, and it can be done again without harm.
pub(crate) fn is_look(kind: &str) -> bool {
    matches!(kind, "restore-list" | "restore-search" | "restore-fetch")
}

impl Sessions {
    pub(crate) fn new(engine: Arc<dyn Restore>, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            engine,
            clock,
            all: Mutex::default(),
            cleaned: OnceCell::new(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what a restore command asks for.
    pub(crate) async fn execute(self: &Arc<Self>, order: &Order) -> Result<Done, Refused> {
        self.expire().await;
        let kind = order.kind.as_str();
        match kind {
            "restore-open" => self.open(payload(kind, &order.payload)?).await,
            "restore-list" => self.list(payload(kind, &order.payload)?).await,
            "restore-search" => self.search(payload(kind, &order.payload)?).await,
            "restore-fetch" => self.fetch(payload(kind, &order.payload)?).await,
            "restore-write" => self.write(payload(kind, &order.payload)?).await,
            "restore-close" => self.close(payload(kind, &order.payload)?).await,
            _ => Err(Refused(format!("this agent knows no restore command \"{kind}\""))),
        }
    }

    async fn open(self: &Arc<Self>, wish: Open) -> Result<Done, Refused> {
        let Open { server, workload, restore_point, session: id } = wish;
        check_id(&id)?;
        self.cleaned.get_or_init(|| self.engine.clean()).await;
        let point = Point { server, workload, restore_point };
        let cell = self.reserve(&id, &point)?;
        let opened = match cell.get_or_try_init(|| self.engine.open(&point)).await {
            Ok(opened) => Arc::clone(opened),
            Err(refused) => {
                self.all().remove(&id);
                return Err(refused);
            }
        };
        if self.session(&id).is_err() {
            opened.close().await;
            return Err(Refused(format!("the restore session {id} was closed before it was open")));
        }
        let places = opened.places();
        info!(session = id, restore_point = point.restore_point, "a restore session is open");
        let opening = Opening {
            session: id,
            idle_seconds: IDLE.as_secs(),
            in_place: places.in_place,
            restore_roots: places.roots,
        };
        answer("the restore point is open", &opening)
    }

    /// The place of a session: the one that it has, or a new one if there is room.
    fn reserve(self: &Arc<Self>, id: &str, point: &Point) -> Result<Arc<OnceCell<Arc<dyn Opened>>>, Refused> {
        let mut all = self.all();
        if let Some(session) = all.get_mut(id) {
            if session.point != *point {
                return Err(Refused(format!(
                    "the restore session {id} is open for another restore point; take another id"
                )));
            }
            session.used = self.clock.now_ms();
            return Ok(Arc::clone(&session.opened));
        }
        if all.len() >= MOST {
            return Err(Refused(format!(
                "{MOST} restore sessions are open on this agent, which is the most; close one, or try again when one has \
                 been idle for {} minutes",
                IDLE.as_secs() / 60
            )));
        }
        if all.is_empty() {
            tokio::spawn(watch(Arc::downgrade(self)));
        }
        let opened = Arc::new(OnceCell::new());
        let session =
            Session { point: point.clone(), used: self.clock.now_ms(), opened: Arc::clone(&opened) };
        all.insert(id.to_owned(), session);
        Ok(opened)
    }

    /// An open session, which is used by this.
    fn session(&self, id: &str) -> Result<Arc<dyn Opened>, Refused> {
        let mut all = self.all();
        let session = all.get_mut(id).ok_or_else(|| {
            Refused(format!(
                "the restore session {id} is not open: it was closed, was idle for {} minutes, or the agent started anew; \
                 open it again",
                IDLE.as_secs() / 60
            ))
        })?;
        session.used = self.clock.now_ms();
        let opened = session.opened.get().map(Arc::clone);
        opened.ok_or_else(|| Refused(format!("the restore session {id} is still being opened")))
    }

    async fn list(&self, wish: List) -> Result<Done, Refused> {
        let session = self.session(&wish.session)?;
        let folder = SourcePath::parse(&wish.path)?;
        let listed = session.list(&folder, Page::new(wish.offset, wish.limit)).await?;
        answer("", &listed)
    }

    async fn search(&self, wish: Search) -> Result<Done, Refused> {
        let session = self.session(&wish.session)?;
        let folder = SourcePath::parse(&wish.path)?;
        let text = wish.text.trim();
        if text.chars().count() < SHORTEST_TEXT {
            return Err(Refused(format!("search for at least {SHORTEST_TEXT} letters of a name")));
        }
        let limit = Page::new(0, wish.limit).limit;
        answer("", &session.search(&folder, text, limit).await?)
    }

    async fn fetch(&self, wish: Fetch) -> Result<Done, Refused> {
        let session = self.session(&wish.session)?;
        let fetched = session.fetch(&paths(&wish.paths)?).await;
        self.session(&wish.session).ok();
        answer("", &fetched?)
    }

    async fn write(&self, wish: Write) -> Result<Done, Refused> {
        let session = self.session(&wish.session)?;
        let wanted = Wanted { paths: paths(&wish.paths)?, target: wish.target, existing: wish.existing };
        let _one_at_a_time = self.writing.lock().await;
        let written = session.write(&wanted).await;
        self.session(&wish.session).ok();
        let written = written?;
        answer(written.summary(), &written)
    }

    async fn close(&self, wish: Close) -> Result<Done, Refused> {
        let session = self.all().remove(&wish.session);
        if let Some(opened) = session.and_then(|session| session.opened.get().map(Arc::clone)) {
            opened.close().await;
        }
        Ok(Done::saying("the restore session is closed"))
    }

    /// Ends what nobody has used for a while; what somebody uses at this moment has a second owner. A clock that went back
    /// makes nothing live longer than from now on.
    async fn expire(&self) {
        let now = self.clock.now_ms();
        let idle = i64::try_from(IDLE.as_millis()).unwrap_or(i64::MAX);
        let mut over = Vec::new();
        self.all().retain(|id, session| {
            session.used = session.used.min(now);
            let in_use = session.opened.get().is_none_or(|opened| Arc::strong_count(opened) > 1);
            let stays = in_use || now.saturating_sub(session.used) < idle;
            if !stays {
                debug!(session = id, "a restore session was idle for too long");
                over.extend(session.opened.get().map(Arc::clone));
            }
            stays
        });
        for opened in over {
            opened.close().await;
        }
    }
}

/// Ends idle sessions for as long as there are any.
async fn watch(sessions: Weak<Sessions>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(sessions) = sessions.upgrade() else { return };
        sessions.expire().await;
        if sessions.all().is_empty() {
            return;
        }
    }
}

/// Engines may put it into file names and addresses.
fn check_id(id: &str) -> Result<(), Refused> {
    let plain = id.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    if id.is_empty() || id.len() > LONGEST_ID || !plain {
        return Err(Refused(format!(
            "the id of a restore session is 1 to {LONGEST_ID} letters, digits and hyphens"
        )));
    }
    Ok(())
}

fn paths(texts: &[String]) -> Result<Vec<SourcePath>, Refused> {
    if texts.is_empty() {
        return Err(Refused("no path was named; name a file or a folder".to_owned()));
    }
    if texts.len() > MOST_PATHS {
        return Err(Refused(format!(
            "{} paths were named; at most {MOST_PATHS} go at once: take the folder that they are in",
            texts.len()
        )));
    }
    texts.iter().map(|text| SourcePath::parse(text)).collect()
}

#[cfg(test)]
mod tests;
