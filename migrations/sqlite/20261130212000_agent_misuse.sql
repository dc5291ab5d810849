-- When an agent was last seen to reach for what is another's, and how.
ALTER TABLE agents ADD COLUMN misuse_seen_at INTEGER;
ALTER TABLE agents ADD COLUMN misuse_reason TEXT;
-- When a join token that was over was tried so often that nothing is noted of it any more.
ALTER TABLE join_tokens ADD COLUMN frozen_at INTEGER;
