-- What can't be true can't be stored.

alter table mappings
  -- A state that runs belongs to an enabled mapping, one that stands still to a disabled one.
  add check (state not in ('Enabled', 'Enabling') or is_enabled),
  add check (state not in ('Disabled', 'Disabling') or not is_enabled),
  add check (not deletes_consumer_group or state = 'Deleting'),
  add check (function_name ~ '^[a-zA-Z0-9_.-]{1,64}$'),
  add check (length(function_qualifier) <= 128),
  add check (cardinality(filter_patterns) between 1 and 10),
  add check (jsonb_array_length(source_access) <= 23),
  add check (cardinality(metrics) <= 3),
  add check (octet_length(filter_sealed) <= 1048576);

alter table partition_progress
  add check (position >= -1),
  add check (committed_offset >= -1),
  add check (log_end_offset >= -1);

alter table gaps add check (partition >= 0 and first_offset >= 0);

alter table mapping_events
  add check (length(kind) between 1 and 64),
  add check (state_before in
    ('Creating', 'Enabling', 'Enabled', 'Disabling', 'Disabled', 'Updating', 'Deleting')),
  add check (state_after in
    ('Creating', 'Enabling', 'Enabled', 'Disabling', 'Disabled', 'Updating', 'Deleting'));

alter table api_requests
  add check (length(method) between 1 and 128),
  add check (octet_length(response) <= 1048576);

alter table audit_events
  add check (length(method) between 1 and 128),
  add check (length(outcome) between 1 and 64);
