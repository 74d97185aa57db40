-- All settings of AWS's event source mapping, tags, idempotent requests, who changed what, and what keeps a mapping from running.

alter table mappings
  add column is_provisioned boolean not null default false,
  add column maximum_pollers integer check (maximum_pollers between 1 and 2000),
  add column poller_group_name text check (poller_group_name ~ '^[a-zA-Z0-9_-]{1,128}$'),
  -- References and literal values, [{"type", "uri"}]; never the content of a secret.
  add column source_access jsonb not null default '[]' check (jsonb_typeof(source_access) = 'array'),
  add column kms_key_arn text check (length(kms_key_arn) between 1 and 10000),
  -- The filter patterns under the key of kms_key_arn; filter_patterns is null then.
  add column filter_sealed bytea,
  add column on_failure_destination text check (length(on_failure_destination) between 1 and 350),
  add column maximum_retry_attempts integer check (maximum_retry_attempts between -1 and 10000),
  add column maximum_record_age_seconds integer
    check (maximum_record_age_seconds = -1 or maximum_record_age_seconds between 60 and 604800),
  add column bisect_batch_on_function_error boolean,
  add column metrics text[] not null default '{}'
    check (metrics <@ array['EventCount', 'ErrorCount', 'KafkaMetrics']),
  add column system_log_level text check (system_log_level in ('DEBUG', 'INFO', 'WARN')),
  -- What keeps it from running: a code of the error table, and words.
  add column problem_code text,
  add column problem_message text,
  add column problem_since timestamptz,
  -- Deletes the consumer group from Kafka at the end of Deleting.
  add column deletes_consumer_group boolean not null default false;
update mappings set is_provisioned = true where minimum_pollers is not null;
alter table mappings
  add check (is_provisioned or (minimum_pollers is null and maximum_pollers is null and poller_group_name is null)),
  add check (maximum_pollers is null or minimum_pollers is null or maximum_pollers >= minimum_pollers),
  add check (filter_sealed is null or (kms_key_arn is not null and filter_patterns is null)),
  add check ((problem_code is null) = (problem_message is null) and (problem_code is null) = (problem_since is null));

create table mapping_tags (
  mapping_id uuid not null references mappings (id) on delete cascade,
  key text not null check (length(key) between 1 and 128),
  value text not null check (length(value) <= 256),
  primary key (mapping_id, key)
);

-- Answers of calls that carried a request id, written in the transaction of their effect.
create table api_requests (
  caller text not null,
  method text not null,
  request_id text not null check (length(request_id) between 1 and 128),
  -- SHA-256 of the request without its id.
  body_digest bytea not null check (length(body_digest) = 32),
  response bytea not null,
  made_at timestamptz not null default now(),
  primary key (caller, method, request_id)
);
create index api_requests_made_at on api_requests (made_at);

alter table mapping_events
  -- The caller's subject, or penstock for a controller.
  add column actor text not null default 'penstock',
  add column state_before text,
  add column state_after text;

-- Who called what that changes or reveals something, with what was before and after, without secrets.
create table audit_events (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  actor text not null,
  method text not null,
  resource text not null,
  -- A code of the error table, or ok.
  outcome text not null,
  before jsonb,
  after jsonb
);
create index audit_events_at on audit_events (at);

-- Subject of the credential that a node has joined with; null while nobody has to authenticate.
alter table nodes add column credential text check (length(credential) between 1 and 300);
