-- When the rules must look at a workload again, and how often it has changed. Apart from the workloads, whose rows are wide and have
-- a dozen indexes: each look notes the next one, and would write all of it anew.
CREATE TABLE workload_marks (
    uid      UUID NOT NULL PRIMARY KEY REFERENCES workloads (uid) ON DELETE CASCADE,
    due_at   BIGINT,
    revision BIGINT NOT NULL
);
INSERT INTO workload_marks (uid, due_at, revision) SELECT uid, due_at, revision FROM workloads;
CREATE INDEX workload_marks_due ON workload_marks (due_at) WHERE due_at IS NOT NULL;
DROP INDEX workloads_due;
ALTER TABLE workloads DROP COLUMN due_at;
ALTER TABLE workloads DROP COLUMN revision;
