//! How much a guest may use, and the accountant that the engine asks.

use std::time::Duration;

/// The memory of one instance, unless the manifest asks for more.
pub(super) const DEFAULT_MEMORY: usize = 32 << 20;
/// The most that a manifest may ask for.
pub(super) const MAX_MEMORY: usize = 256 << 20;
/// Elements in all tables of one instance.
pub(super) const TABLE_ELEMENTS: usize = 20_000;
/// Core instances in one component: `wit-component` makes about five.
pub(super) const INSTANCES: usize = 16;
/// Memories of one component.
pub(super) const MEMORIES: usize = 2;
/// Tables of one component.
pub(super) const TABLES: usize = 16;
/// Bytes that one answer may have in all. A verdict on each of 10,000 rows with three short arguments needs 2 MiB.
pub(super) const HOSTCALL_FUEL: usize = 4 << 20;
/// Resource handles of one instance.
pub(super) const HANDLES: usize = 1_000;
/// How often a guest's processor time is looked at.
pub(super) const TICK: Duration = Duration::from_millis(10);
/// Calls that run at once, over all plugins.
pub(super) const CALLS: usize = 32;
/// Calls that wait at once, over all plugins.
pub(super) const WAITING_CALLS: usize = 256;
/// Calls of one plugin that run at once.
pub(super) const PLUGIN_CALLS: usize = 4;
/// Calls of one plugin that wait at once.
pub(super) const PLUGIN_WAITING_CALLS: usize = 64;

/// The time that a kind of call gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Processor time.
    pub(super) cpu: Duration,
    /// From the request to the answer.
    pub(super) wall: Duration,
}

/// `describe` and the like: what a load asks.
pub(super) const LOAD_CALL: Budget = Budget { cpu: Duration::from_secs(1), wall: Duration::from_secs(5) };
/// A batch of rows through one rule.
pub(super) const RULE_CALL: Budget = Budget { cpu: Duration::from_secs(1), wall: Duration::from_secs(5) };
/// Making data fit another version.
pub(super) const MIGRATE_CALL: Budget = Budget { cpu: Duration::from_secs(10), wall: Duration::from_mins(1) };
/// A part of the console.
pub(super) const VIEW_CALL: Budget = Budget { cpu: Duration::from_millis(200), wall: Duration::from_secs(2) };
/// A request to a route, and whatever else somebody waits for.
pub(super) const ROUTE_CALL: Budget = Budget { cpu: Duration::from_secs(2), wall: Duration::from_secs(30) };
/// Processor time of one part of a task; how long it may take says the manifest.
pub(super) const TASK_CPU: Duration = Duration::from_secs(30);

/// `32 MiB`.
pub(super) fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Counts the **sum** of an instance's memories: a limit for each memory would give a guest as many times that as it
/// has memories.
#[derive(Debug)]
pub(super) struct Accountant {
    limit: usize,
    memory: usize,
    elements: usize,
    /// What the engine was just allowed and may still fail to get.
    pending: usize,
    refused: bool,
}

impl Accountant {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, memory: 0, elements: 0, pending: 0, refused: false }
    }

    /// The limit, if it has been hit.
    pub(super) fn refused(&self) -> Option<usize> {
        self.refused.then_some(self.limit)
    }

    fn grow_memory(&mut self, current: usize, desired: usize) -> bool {
        let more = desired.saturating_sub(current);
        let fits = self.memory.saturating_add(more) <= self.limit;
        if fits {
            self.memory += more;
            self.pending = more;
        } else {
            self.refused = true;
        }
        fits
    }
}

impl wasmtime::ResourceLimiter for Accountant {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow_memory(current, desired))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory = self.memory.saturating_sub(std::mem::take(&mut self.pending));
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.elements = self.elements.saturating_add(desired.saturating_sub(current));
        Ok(self.elements <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter as _;

    use super::*;

    #[test]
    fn two_memories_share_one_limit() {
        let mut accountant = Accountant::new(10);
        assert!(accountant.grow_memory(0, 6));
        assert!(!accountant.grow_memory(0, 5));
        assert_eq!(accountant.refused(), Some(10));
        assert!(accountant.grow_memory(0, 4));
    }

    #[test]
    fn growth_that_failed_is_given_back() {
        let mut accountant = Accountant::new(10);
        assert!(accountant.grow_memory(0, 10));
        accountant.memory_grow_failed(wasmtime::Error::msg("no pages")).unwrap();
        assert!(accountant.grow_memory(0, 10));
        assert_eq!(accountant.refused(), None);
    }

    #[test]
    fn tables_are_counted_together() {
        let mut accountant = Accountant::new(10);
        assert!(accountant.table_growing(0, TABLE_ELEMENTS, None).unwrap());
        assert!(!accountant.table_growing(0, 1, None).unwrap());
    }
}
