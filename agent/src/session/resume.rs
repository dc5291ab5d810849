//! What a Welcome means: go on from where the host stands, or begin a new epoch because that is impossible.

use keelson_proto::v1::Welcome;

use crate::spool::Position;

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// The host has everything of this epoch up to this sequence.
    After(u64),
    /// The spool cannot bring the host to the present state; the reason goes to the log.
    Restart(&'static str),
}

pub(super) fn decide(position: Position, welcome: &Welcome) -> Resume {
    if welcome.epoch == position.epoch {
        return if welcome.sequence < position.acknowledged {
            Resume::Restart("the host lost data that it had acknowledged")
        } else if welcome.sequence > position.last {
            Resume::Restart(
                "the host has data that this spool never held; was the agent restored from a copy?",
            )
        } else {
            Resume::After(welcome.sequence)
        };
    }
    if welcome.epoch > position.epoch {
        Resume::Restart("the host is in a later epoch; was the agent restored from a copy?")
    } else if position.acknowledged > 0 {
        Resume::Restart("the host lost an epoch of which it had acknowledged data")
    } else {
        // An epoch that the host has not heard of yet.
        Resume::After(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(acknowledged: u64, last: u64, host: (u64, u64)) -> Option<u64> {
        let welcome = Welcome { epoch: host.0, sequence: host.1, heartbeat_seconds: 30, credit: 8 };
        match decide(Position { epoch: 100, acknowledged, last }, &welcome) {
            Resume::After(sequence) => Some(sequence),
            Resume::Restart(_) => None,
        }
    }

    #[test]
    fn the_agent_goes_on_where_the_host_stands_when_its_spool_reaches_there() {
        assert_eq!(resume(5, 9, (100, 5)), Some(5), "nothing was lost");
        assert_eq!(resume(5, 9, (100, 7)), Some(7), "an acknowledgement was lost");
        assert_eq!(resume(5, 9, (100, 9)), Some(9));
        assert_eq!(resume(0, 9, (99, 70)), Some(0), "a new epoch");
        assert_eq!(resume(0, 0, (0, 0)), Some(0), "a new agent");
    }

    #[test]
    fn the_agent_begins_a_new_epoch_when_either_side_lost_data() {
        assert_eq!(resume(5, 9, (100, 4)), None, "the host lost acknowledged batches");
        assert_eq!(resume(5, 9, (100, 10)), None, "the spool is older than the host");
        assert_eq!(resume(5, 9, (99, 70)), None, "the host lost the epoch");
        assert_eq!(resume(5, 9, (0, 0)), None, "the host lost everything");
        assert_eq!(resume(0, 9, (101, 1)), None, "the host is ahead");
    }
}
