"""A client of Penstock's mapping API: creates a mapping, waits until it runs, reads its history, deletes it.

    python client.py --function big-orders --topic orders --brokers 127.0.0.1:9092

A token, where Penstock wants one, is taken from PENSTOCK_TOKEN.
"""

import argparse
import os
import uuid

import grpc

from penstock.mapping.v1 import event_source_mapping_pb2 as model
from penstock.mapping.v1 import explain_pb2, mapping_pb2
from penstock.mapping.v1.mapping_service_pb2_grpc import MappingServiceStub

ENABLING_SECONDS_MAX = 60
CALL_SECONDS_MAX = 10


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:7400")
    parser.add_argument("--function", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--brokers", required=True, help="host:port, several with commas")
    return parser.parse_args()


def create(service, arguments, **call):
    """Repeating this call with the same request_id changes nothing: safe to retry after a lost answer."""
    request = mapping_pb2.CreateEventSourceMappingRequest(
        request_id=str(uuid.uuid4()),
        function_name=arguments.function,
        topics=[arguments.topic],
        self_managed_event_source=model.SelfManagedEventSource(
            endpoints=model.Endpoints(kafka_bootstrap_servers=arguments.brokers.split(","))
        ),
        batch_size=50,
        starting_position=model.STARTING_POSITION_TRIM_HORIZON,
    )
    request.maximum_batching_window.FromMilliseconds(250)
    return service.CreateEventSourceMapping(request, **call).event_source_mapping


def watch_until_enabled(service, mapping, **call):
    """Prints each state as it comes; every message is the whole mapping."""
    request = mapping_pb2.WatchEventSourceMappingRequest(uuid=mapping.uuid)
    last = None
    changes = service.WatchEventSourceMapping(request, timeout=ENABLING_SECONDS_MAX, **call)
    for change in changes:
        now = change.event_source_mapping
        if now.state != last:
            print("state", model.MappingState.Name(now.state), flush=True)
            last = now.state
        if now.state == model.MAPPING_STATE_ENABLED:
            changes.cancel()
            return


def print_events(service, mapping, **call):
    request = explain_pb2.ListEventSourceMappingEventsRequest(uuid=mapping.uuid)
    for event in service.ListEventSourceMappingEvents(request, **call).events:
        print("event", event.time.ToJsonString(), event.kind, event.actor, event.message, flush=True)


def main():
    arguments = read_arguments()
    token = os.environ.get("PENSTOCK_TOKEN")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    with grpc.insecure_channel(arguments.address) as channel:
        service = MappingServiceStub(channel)
        try:
            mapping = create(service, arguments, timeout=CALL_SECONDS_MAX, metadata=metadata)
            print("created", mapping.uuid, flush=True)
            watch_until_enabled(service, mapping, metadata=metadata)
            print_events(service, mapping, timeout=CALL_SECONDS_MAX, metadata=metadata)
            deleted = service.DeleteEventSourceMapping(
                mapping_pb2.DeleteEventSourceMappingRequest(uuid=mapping.uuid),
                timeout=CALL_SECONDS_MAX,
                metadata=metadata,
            ).event_source_mapping
            print("deleted", deleted.uuid, model.MappingState.Name(deleted.state), flush=True)
        except grpc.RpcError as error:
            # The message says what to change.
            raise SystemExit(f"{error.code().name}: {error.details()}") from None


if __name__ == "__main__":
    main()
