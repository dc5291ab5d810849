-- When an agent last said that this database had lost what it reported, and that it cannot send it again; and what.
ALTER TABLE agents ADD COLUMN gap_seen_at INTEGER;
ALTER TABLE agents ADD COLUMN gap_reason TEXT;
