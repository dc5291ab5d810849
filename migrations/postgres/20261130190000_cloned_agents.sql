-- When two machines were last seen to use one agent's certificate, and what was seen.
ALTER TABLE agents ADD COLUMN clone_seen_at BIGINT;
ALTER TABLE agents ADD COLUMN clone_reason TEXT COLLATE "C";
