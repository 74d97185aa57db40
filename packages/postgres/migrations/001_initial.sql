-- Functions, mappings, positions, gaps, events, the fleet and its leader.
-- Times are database time (now()); offsets are bigint; ids are uuid.

create table functions (
  name text primary key check (name ~ '^[a-zA-Z0-9_.-]{1,64}$'),
  revision bigint not null check (revision >= 1),
  target_kind text not null check (target_kind in ('http', 'grpc')),
  target jsonb not null,
  headers_sealed bytea,
  timeout_ms integer not null check (timeout_ms between 1 and 840000),
  max_concurrency integer check (max_concurrency between 1 and 100000),
  payload_bytes_max bigint not null check (payload_bytes_max between 1024 and 67108864),
  updated_at timestamptz not null default now()
);

-- The last change of every function that ever was, deletions included, so that a process can ask "what changed since", and a
-- function that comes back goes on counting its revisions. Writers take an exclusive lock, so that changes commit in their order.
create sequence function_change;
create table function_changes (
  name text primary key,
  change bigint not null unique default nextval('function_change'),
  revision bigint not null,
  is_deleted boolean not null
);

create table mappings (
  id uuid primary key,
  sequence bigint generated always as identity unique,
  revision bigint not null default 1 check (revision >= 1),
  function_arn text not null,
  function_name text not null,
  function_qualifier text not null default '',
  bootstrap_servers text[] not null check (cardinality(bootstrap_servers) between 1 and 10),
  topic text not null check (length(topic) between 1 and 249),
  consumer_group_id text not null unique check (length(consumer_group_id) between 1 and 200),
  batch_size integer not null check (batch_size between 1 and 10000),
  batching_window_ms integer check (batching_window_ms between 0 and 300000),
  starting_position text not null check (starting_position in ('TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP')),
  starting_position_timestamp timestamptz,
  filter_patterns text[],
  minimum_pollers integer check (minimum_pollers between 1 and 200),
  is_enabled boolean not null,
  state text not null check (
    state in ('Creating', 'Enabling', 'Enabled', 'Disabling', 'Disabled', 'Updating', 'Deleting')
  ),
  state_reason text not null default 'USER_INITIATED',
  state_since timestamptz not null default now(),
  last_processing_result text not null default 'No records processed',
  -- When the holders of a stopping mapping can no longer call, in the worst case: set when it starts to stop.
  partition_count integer check (partition_count >= 1),
  topic_id uuid,
  are_starts_pinned boolean not null default false,
  created_at timestamptz not null default now(),
  modified_at timestamptz not null default now(),
  check ((starting_position = 'AT_TIMESTAMP') = (starting_position_timestamp is not null))
);
create index mappings_function on mappings (function_name, sequence);

-- The duplicate rule of AWS, which can't race: one row for each (function, bootstrap server, topic).
create table mapping_sources (
  function_arn text not null,
  bootstrap_server text not null,
  topic text not null,
  mapping_id uuid not null references mappings (id) on delete cascade,
  primary key (function_arn, bootstrap_server, topic)
);
create index mapping_sources_mapping on mapping_sources (mapping_id);

-- Start positions as numbers that a broker answered, by topic id.
create table pinned_starts (
  mapping_id uuid not null references mappings (id) on delete cascade,
  topic_id uuid not null,
  partition integer not null check (partition >= 0),
  start_offset bigint not null check (start_offset >= 0),
  primary key (mapping_id, topic_id, partition)
);

-- Where each partition is: the archive that outlives Kafka's retention of group offsets.
create table partition_progress (
  mapping_id uuid not null references mappings (id) on delete cascade,
  topic_id uuid not null,
  partition integer not null check (partition >= 0),
  assignment_epoch integer not null,
  node_id uuid not null,
  position bigint not null,
  committed_offset bigint not null,
  log_end_offset bigint not null,
  updated_at timestamptz not null default now(),
  primary key (mapping_id, topic_id, partition)
);

create table gaps (
  id uuid primary key,
  mapping_id uuid not null references mappings (id) on delete cascade,
  topic_id uuid not null,
  topic text not null,
  partition integer not null,
  first_offset bigint not null,
  last_offset bigint not null check (last_offset >= first_offset),
  reason text not null,
  message text not null,
  found_at timestamptz not null default now()
);
create index gaps_mapping on gaps (mapping_id, found_at desc);

create table mapping_events (
  id bigint generated always as identity primary key,
  mapping_id uuid not null,
  at timestamptz not null default now(),
  kind text not null,
  message text not null
);
create index mapping_events_mapping on mapping_events (mapping_id, id desc);

-- Who leads: every write of a controller is conditional on its term.
create table leadership (
  only_row boolean primary key default true check (only_row),
  term bigint not null default 0,
  leader_id uuid,
  lease_until timestamptz not null default now()
);
insert into leadership default values;

create table nodes (
  id uuid primary key,
  kind text not null check (kind in ('poller', 'invoker')),
  address text not null,
  version text not null,
  replica_id uuid not null,
  is_draining boolean not null default false,
  applied_generation bigint not null default 0,
  joined_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

-- What each node is to run: written by the leader.
create table assignments (
  mapping_id uuid not null references mappings (id) on delete cascade,
  poller_index integer not null check (poller_index >= 0),
  node_id uuid not null references nodes (id) on delete cascade,
  generation bigint not null,
  primary key (mapping_id, poller_index)
);
create index assignments_node on assignments (node_id);
create sequence assignment_generation;

-- The generation at which a node's assignments last changed, removals included.
create table node_generations (
  node_id uuid primary key references nodes (id) on delete cascade,
  generation bigint not null
);

-- What each node says that it holds: a member of a consumer group that may still call.
create table holdings (
  node_id uuid not null references nodes (id) on delete cascade,
  mapping_id uuid not null,
  poller_index integer not null,
  member_id text not null,
  revision bigint not null,
  has_joined boolean not null,
  primary key (node_id, mapping_id, poller_index)
);
create index holdings_mapping on holdings (mapping_id);

create table poller_problems (
  mapping_id uuid not null references mappings (id) on delete cascade,
  poller_index integer not null,
  code text not null,
  message text not null,
  since timestamptz not null default now(),
  primary key (mapping_id, poller_index)
);

-- Concurrency of functions, leased to invokers; an old share lapses before it is granted again.
create table concurrency_shares (
  function_name text not null,
  node_id uuid not null,
  calls_max integer not null check (calls_max >= 0),
  lease_until timestamptz not null,
  primary key (function_name, node_id)
);
