-- Servers, or workstations, by the age of their newest restore point: the page that is looked at most, and its count, along one
-- index instead of every computer's row.
CREATE INDEX workloads_computer_by_mode ON workloads (operation_mode, newest_restore_point, uid)
    WHERE kind = 'computer' AND gone_at IS NULL;
