//! What a plugin keeps between its calls.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{HasSelf, Linker};

use super::refusal::Refusal;
use crate::clock::SharedClock;
use crate::id::CompanyUid;
use crate::plugins::abi;
use crate::plugins::abi::kv as wit;
use crate::plugins::grants::Grants;
use crate::plugins::manifest::Kv;
use crate::plugins::sandbox::CallState;
use crate::plugins::services::Services;
use crate::plugins::terms::Terms;
use crate::store::{EntrySpace, PluginEntry, PluginUsage};

/// The longest key.
const MAX_KEY: usize = 512;
/// The largest value.
const MAX_VALUE: usize = 256 << 10;
/// The most entries of a page.
const MAX_PAGE: u32 = 1_000;
/// The most bytes of a page.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// What all calls of one plugin share.
#[derive(Debug)]
pub(in crate::plugins) struct KvDesk {
    plugin: Arc<str>,
    declared: Option<Kv>,
    granted: bool,
    services: Option<Services>,
    clock: SharedClock,
    runtime: Handle,
}

impl KvDesk {
    pub(in crate::plugins) fn new(
        plugin: Arc<str>,
        (declared, grants): (Option<&Kv>, &Grants),
        services: Option<Services>,
        clock: SharedClock,
        runtime: Handle,
    ) -> Arc<Self> {
        let granted = grants.allow("kv");
        Arc::new(Self { plugin, declared: declared.cloned(), granted, services, clock, runtime })
    }

    fn space(&self, company: Option<CompanyUid>) -> EntrySpace<'_> {
        EntrySpace { plugin: &self.plugin, company }
    }

    async fn get(&self, company: Option<CompanyUid>, key: String) -> Result<Option<wit::Entry>, Refusal> {
        let mut tx = self.services()?.store.read().await?;
        let found = tx.plugins().entry(self.space(company), &key, self.clock.now_ms()).await?;
        Ok(found.map(wit::Entry::from))
    }

    async fn set(&self, set: Set) -> Result<u64, Refusal> {
        let now = self.clock.now_ms();
        let space = self.space(set.company);
        let mut tx = self.services()?.store.write().await?;
        let before = tx.plugins().next_write(&self.plugin).await?;
        if let Some(company) = set.company
            && tx.organizations().kind(company.0).await?.is_none()
        {
            return Err(Refusal::new("unknown-company", format!("there is no company {company} (any more)")));
        }
        let there = tx.plugins().entry(space, &set.key, now).await?;
        expect(there.as_ref(), set.if_revision)?;
        let revision = before.revision;
        let entry = PluginEntry { name: set.key, value: set.value, revision };
        let old = tx.plugins().size_of_entry(space, &entry.name).await?;
        let expires_at = set.ttl_seconds.map(|seconds| now.saturating_add(i64::from(seconds) * 1_000));
        tx.plugins().put_entry(space, &entry, expires_at).await?;
        let new = i64::try_from(entry.name.len() + entry.value.len()).unwrap_or(i64::MAX);
        let mut used = PluginUsage {
            bytes: before.usage.bytes.saturating_add(new).saturating_sub(old.unwrap_or_default()),
            entries: before.usage.entries + i64::from(old.is_none()),
        };
        if self.within(used).is_err() {
            tx.plugins().sweep_entries(now).await?;
            used = tx.plugins().usage(&self.plugin).await?;
            self.within(used)?;
        }
        tx.plugins().count_entries(&self.plugin, used).await?;
        tx.commit().await?;
        Ok(u64::try_from(revision).unwrap_or_default())
    }

    fn within(&self, PluginUsage { bytes, entries }: PluginUsage) -> Result<(), Refusal> {
        let Some(quota) = &self.declared else {
            return Err(Refusal::new("not-granted", "plugin.toml has no [kv]"));
        };
        let most = i64::try_from(quota.quota).unwrap_or(i64::MAX);
        if bytes > most || entries > i64::from(quota.keys) {
            return Err(Refusal::new(
                "quota-exceeded",
                format!(
                    "{bytes} bytes in {entries} keys; {most} in {} are what [kv] of plugin.toml asks for: remove some, or ask \
                     for more",
                    quota.keys
                ),
            ));
        }
        Ok(())
    }

    async fn delete(
        &self,
        company: Option<CompanyUid>,
        key: String,
        if_revision: Option<u64>,
    ) -> Result<bool, Refusal> {
        let mut tx = self.services()?.store.write().await?;
        // Nobody else writes between the look and the removal.
        let before = tx.plugins().next_write(&self.plugin).await?.usage;
        let space = self.space(company);
        let there = tx.plugins().entry(space, &key, self.clock.now_ms()).await?;
        expect(there.as_ref(), if_revision)?;
        if let Some(size) = tx.plugins().size_of_entry(space, &key).await? {
            tx.plugins().delete_entry(space, &key).await?;
            let left = PluginUsage { bytes: before.bytes.saturating_sub(size), entries: before.entries - 1 };
            tx.plugins().count_entries(&self.plugin, left).await?;
        }
        tx.commit().await?;
        Ok(there.is_some())
    }

    async fn scan(
        &self,
        company: Option<CompanyUid>,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<wit::Page, Refusal> {
        let mut tx = self.services()?.store.read().await?;
        let from = (cursor.as_deref().unwrap_or_default(), prefix.as_str());
        let (now, space) = (self.clock.now_ms(), self.space(company));
        // One more than asked for says whether there is another page.
        let found = tx.plugins().scan_entries(space, from, now, i64::from(limit) + 1).await?;
        let mut page = wit::Page { entries: Vec::new(), next: None };
        let (mut bytes, mut last) = (0, None);
        for entry in found.into_iter().take_while(|entry| entry.name.starts_with(&prefix)) {
            bytes += entry.name.len() + entry.value.len();
            let full = page.entries.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
            if full || (bytes > MAX_PAGE_BYTES && !page.entries.is_empty()) {
                page.next = last;
                break;
            }
            last = Some(entry.name.clone());
            page.entries.push(entry.into());
        }
        Ok(page)
    }

    fn services(&self) -> Result<&Services, Refusal> {
        self.services.as_ref().ok_or_else(Refusal::no_services)
    }
}

/// A write that passed.
struct Set {
    company: Option<CompanyUid>,
    key: String,
    value: Vec<u8>,
    if_revision: Option<u64>,
    ttl_seconds: Option<u32>,
}

/// The revision that must be there is there.
fn expect(there: Option<&PluginEntry>, wanted: Option<u64>) -> Result<(), Refusal> {
    let Some(wanted) = wanted else { return Ok(()) };
    let found = there.map_or(0, |entry| u64::try_from(entry.revision).unwrap_or_default());
    if found == wanted {
        return Ok(());
    }
    Err(Refusal::new(
        "conflict",
        format!("the key is at revision {found}, not {wanted}; read it again (0: it is not there)"),
    ))
}

impl From<PluginEntry> for wit::Entry {
    fn from(entry: PluginEntry) -> Self {
        Self {
            key: entry.name,
            value: entry.value,
            revision: u64::try_from(entry.revision).unwrap_or_default(),
        }
    }
}

/// What a call sees of it.
#[derive(Debug)]
pub(in crate::plugins) struct KvView {
    desk: Arc<KvDesk>,
    terms: Terms,
}

impl KvView {
    pub(in crate::plugins) fn new(desk: Arc<KvDesk>, terms: Terms) -> Self {
        Self { desk, terms }
    }

    /// Whose entries, if this call may have them. On behalf of a company, it writes for that company only, or what one company
    /// said would be there for the next.
    fn space(&self, space: &wit::Space, writes: bool) -> Result<Option<CompanyUid>, Refusal> {
        if !self.desk.granted {
            let message = "nobody granted `kv`; an administrator does with `keelson plugin approve`";
            return Err(Refusal::new("not-granted", message));
        }
        let asked = match space {
            wit::Space::Plugin => None,
            wit::Space::Company(uid) => {
                Some(uid.parse().map_err(|_| Refusal::bad_request("the company is no UID"))?)
            }
        };
        match self.terms.company {
            Some(own) if asked.is_some_and(|asked| asked != own) => Err(Refusal::new(
                "denied",
                "a call on behalf of a company has that company's entries and no other's",
            )),
            Some(_) if asked.is_none() && writes => Err(Refusal::new(
                "denied",
                "a call on behalf of a company may read the plugin's own entries and write to the company's only",
            )),
            _ => Ok(asked),
        }
    }

    async fn on_host<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        let task = self.desk.runtime.spawn(work);
        AbortOnDropHandle::new(task).await.unwrap_or_else(|_| Err(Refusal::stopping()))
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.is_empty() || key.len() > MAX_KEY || key.contains('\0') {
        return Err(Refusal::bad_request(format!(
            "a key of {} bytes; from 1 to {MAX_KEY}, without NUL",
            key.len()
        )));
    }
    Ok(())
}

impl wit::Host for KvView {
    async fn get(
        &mut self,
        space: wit::Space,
        key: String,
    ) -> Result<Option<wit::Entry>, abi::types::PluginError> {
        self.terms.refuse_if_pure("kv")?;
        let company = self.space(&space, false)?;
        check_key(&key)?;
        let desk = Arc::clone(&self.desk);
        Ok(self.on_host(async move { desk.get(company, key).await }).await?)
    }

    async fn set(
        &mut self,
        space: wit::Space,
        key: String,
        value: Vec<u8>,
        if_revision: Option<u64>,
        ttl_seconds: Option<u32>,
    ) -> Result<u64, abi::types::PluginError> {
        self.terms.refuse_if_pure("kv")?;
        let company = self.space(&space, true)?;
        check_key(&key)?;
        if value.len() > MAX_VALUE {
            return Err(Refusal::bad_request(format!(
                "a value of {} bytes; {MAX_VALUE} at most",
                value.len()
            ))
            .into());
        }
        let (desk, set) = (Arc::clone(&self.desk), Set { company, key, value, if_revision, ttl_seconds });
        Ok(self.on_host(async move { desk.set(set).await }).await?)
    }

    async fn delete(
        &mut self,
        space: wit::Space,
        key: String,
        if_revision: Option<u64>,
    ) -> Result<bool, abi::types::PluginError> {
        self.terms.refuse_if_pure("kv")?;
        let company = self.space(&space, true)?;
        check_key(&key)?;
        let desk = Arc::clone(&self.desk);
        Ok(self.on_host(async move { desk.delete(company, key, if_revision).await }).await?)
    }

    async fn scan(
        &mut self,
        space: wit::Space,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<wit::Page, abi::types::PluginError> {
        self.terms.refuse_if_pure("kv")?;
        let company = self.space(&space, false)?;
        let words = [Some(&prefix), cursor.as_ref()];
        if words.into_iter().flatten().any(|word| word.len() > MAX_KEY || word.contains('\0')) {
            return Err(Refusal::bad_request(format!(
                "a prefix or cursor of more than {MAX_KEY} bytes, or with NUL"
            ))
            .into());
        }
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Refusal::bad_request(format!("a limit of {limit}; from 1 to {MAX_PAGE}")).into());
        }
        let desk = Arc::clone(&self.desk);
        Ok(self.on_host(async move { desk.scan(company, prefix, cursor, limit).await }).await?)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSelf<KvView>>(linker, |state| &mut state.kv)
}
