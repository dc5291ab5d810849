//! What a Welcome means: go on from where the host stands, or begin a new epoch because that is impossible.

use keelson_proto::v1::Welcome;

use crate::spool::Position;

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// The host has everything of this epoch up to this sequence.
    After(u64),
    /// The host has lost what it acknowledged after this sequence, and the replay window still holds it.
    Again(u64),
    /// The host has lost what it acknowledged, and some of it cannot be sent again.
    Lost,
    /// The spool cannot bring the host to the present state; the reason goes to the log.
    Restart(&'static str),
}

/// The numbers alone decide. Whether the host says that its database was restored only changes what is told of it: a copy that
/// was put back by hand, or a disk that forgot, has lost the same.
pub(super) fn decide(position: Position, welcome: &Welcome) -> Resume {
    let host = (welcome.epoch, welcome.sequence);
    if host < (position.heard.epoch, position.heard.sequence) {
        let is_at_hand = welcome.epoch == position.epoch && welcome.sequence >= position.reaches;
        return if is_at_hand { Resume::Again(welcome.sequence) } else { Resume::Lost };
    }
    if welcome.epoch > position.epoch {
        return Resume::Restart("the host is in a later epoch; was the agent restored from a copy?");
    }
    if welcome.epoch < position.epoch {
        // An epoch that the host has not heard of yet.
        return Resume::After(0);
    }
    if welcome.sequence > position.last {
        return Resume::Restart(
            "the host has data that this spool never held; was the agent restored from a copy?",
        );
    }
    Resume::After(welcome.sequence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::Heard;

    /// Of a spool in epoch 100 that holds the batches after `reaches` up to 9.
    fn resume(heard: (u64, u64), reaches: u64, host: (u64, u64)) -> Resume {
        let welcome = Welcome { epoch: host.0, sequence: host.1, ..Welcome::default() };
        let acknowledged = if heard.0 == 100 { heard.1 } else { 0 };
        let heard = Heard { epoch: heard.0, sequence: heard.1, at: 0 };
        let position = Position { epoch: 100, acknowledged, last: 9, reaches, heard, incarnation: [0; 16] };
        decide(position, &welcome)
    }

    #[test]
    fn the_agent_goes_on_where_the_host_stands_when_its_spool_reaches_there() {
        assert_eq!(resume((100, 5), 5, (100, 5)), Resume::After(5), "nothing was lost");
        assert_eq!(resume((100, 5), 5, (100, 7)), Resume::After(7), "an acknowledgement was lost");
        assert_eq!(resume((100, 5), 5, (100, 9)), Resume::After(9));
        assert_eq!(resume((99, 70), 0, (99, 70)), Resume::After(0), "a new epoch");
        assert_eq!(resume((0, 0), 0, (0, 0)), Resume::After(0), "a new agent");
    }

    #[test]
    fn what_a_host_lost_is_sent_again_when_the_window_reaches_there() {
        assert_eq!(resume((100, 5), 2, (100, 4)), Resume::Again(4));
        assert_eq!(resume((100, 5), 2, (100, 2)), Resume::Again(2));
        assert_eq!(resume((100, 5), 0, (100, 0)), Resume::Again(0));
    }

    #[test]
    fn a_loss_beyond_the_window_is_a_gap() {
        assert_eq!(resume((100, 5), 2, (100, 1)), Resume::Lost);
        assert_eq!(resume((100, 5), 0, (99, 70)), Resume::Lost, "the end of an older epoch");
        assert_eq!(resume((100, 5), 0, (0, 0)), Resume::Lost, "everything");
        assert_eq!(resume((99, 70), 0, (99, 60)), Resume::Lost, "before the new epoch was heard of");
    }

    #[test]
    fn an_agent_that_is_behind_its_host_begins_a_new_epoch() {
        assert!(matches!(resume((100, 5), 5, (100, 10)), Resume::Restart(_)), "the spool is older");
        assert!(matches!(resume((0, 0), 0, (101, 1)), Resume::Restart(_)), "the host is ahead");
    }
}
