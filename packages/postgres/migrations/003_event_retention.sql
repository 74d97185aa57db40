-- Events outlive their mapping and are removed by age.
create index mapping_events_at on mapping_events (at);
