-- What the fleet's controllers remember between terms.

-- The revision of the mapping that the node was told with that generation.
alter table assignments add column revision bigint not null default 0;

-- Nodes that were told to give up event pollers of a mapping and have not confirmed it: they may still call.
-- A row goes away when the node has applied the generation and holds nothing of the mapping, or can't hold it any more.
create table assignment_removals (
  mapping_id uuid not null references mappings (id) on delete cascade,
  node_id uuid not null references nodes (id) on delete cascade,
  generation bigint not null,
  removed_at timestamptz not null default now(),
  primary key (mapping_id, node_id)
);
create index assignment_removals_node on assignment_removals (node_id);

-- What an invoker reported of its share, and the larger share that it may still use until its lease has lapsed.
alter table concurrency_shares
  add column in_flight integer not null default 0 check (in_flight >= 0),
  add column waiting integer not null default 0 check (waiting >= 0),
  add column lapsing_calls_max integer not null default 0 check (lapsing_calls_max >= 0),
  add column lapsing_until timestamptz not null default now();
create index concurrency_shares_node on concurrency_shares (node_id);
