-- Which key a machine came with that waits: SHA-256 of its public key. Names and machine ids can be copied, and some systems have
-- no machine id. Rows of before have none and let nobody in, as nobody can tell whose they are.
ALTER TABLE unverified_agents ADD COLUMN key_hash BYTEA;
ALTER TABLE unverified_agents DROP CONSTRAINT unverified_agents_token_uid_machine_id_key;
ALTER TABLE unverified_agents ADD UNIQUE (token_uid, key_hash);
UPDATE unverified_agents SET status = 'Pending', status_message = 'it must come again, as its key is not known'
    WHERE status <> 'Rejected';
