-- Since when most of what an agent protected is gone and held all the same.
ALTER TABLE agents ADD COLUMN vanished_at BIGINT;
CREATE INDEX agents_vanished ON agents (vanished_at) WHERE vanished_at IS NOT NULL;
