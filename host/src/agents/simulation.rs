//! The agent protocol on a simulated network, both sides of it real: this host's sessions, writers, dispatch and presence, and
//! `keelson-agent` with its collector, session and work, over HTTP/2 on the streams of `turmoil`.
//!
//! **Cast.** A *scene* (`scene.rs`) is made from a seed: how many agents there are, how slow everything is, what may fail. The
//! *nodes* (`nodes.rs`) are the host and the agents, with a door that knows who calls by the address, as TLS cannot be had
//! twice with the same bytes. What outlives them is made of twins in memory that keep what was committed and lose the rest: the
//! *desk* (`desk.rs`, with its `books.rs`) in the place of the store, the *spool* (`spool.rs`) in the place of an agent's file. *Engines*
//! (`engine.rs`) are what the agents sit beside. The *script* (`script.rs`) cuts, holds, kills and starts, heals everything in
//! the end, and waits until host and engines agree, row by row (`rows.rs`).
//!
//! **The checker.** What an agent was told is stored is on the host's disk at that moment; each batch counts once and in its
//! order; no command whose result was kept is done again; in the end each command is over with its agent's own words, and the
//! host has what the engine has. Nobody starts over without a reason.
//!
//! **Time** is `turmoil`'s, and so is all chance: the same seed tells the same story. A seed that fails prints how it is told
//! again.

mod books;
mod desk;
mod dice;
mod engine;
mod nodes;
mod rows;
mod scene;
mod script;
mod spool;
mod tests;

/// What a host or an agent may do wrong, so that the checker proves itself. Each is done by a twin: what ships cannot do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// The desk answers, and commits a moment later.
    AnswersBeforeCommit,
    /// The desk looks at the sequence alone to find out what comes next.
    EpochsIgnored,
    /// The desk stores a batch again that comes again.
    RepeatsCount,
    /// The desk keeps what a new epoch does not mention.
    NothingSwept,
    /// The desk now and then takes what follows for what does not.
    FollowersRefused,
    /// The spool loses what waits when its connection ends.
    SpoolForgets,
    /// The spool does not know what was done.
    AnswersForgotten,
}
