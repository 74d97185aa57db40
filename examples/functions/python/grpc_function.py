"""A function over gRPC: implements penstock.function.v1.KafkaFunctionService.

OK means that the batch is done; with any other status the same records come again.

    PORT=7493 python3 grpc_function.py
"""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import grpc

from batch_summary import BatchSummary
from penstock.function.v1 import function_pb2, function_pb2_grpc


def work(record):
    """What the function is there for. This one only reads the value."""
    record.value.decode("utf-8", "replace")


class Function(function_pb2_grpc.KafkaFunctionServiceServicer):
    def Handle(self, request, context):
        summary = BatchSummary(dict(context.invocation_metadata()).get("penstock-mapping-id"))
        for group in request.partitions:
            for record in group.records:
                summary.handle(group.topic, group.partition, record.offset, lambda: work(record))
        print(summary, flush=True)
        # An exception instead of this answer becomes the status UNKNOWN: the batch comes again.
        return function_pb2.HandleResponse()


address = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '7493')}"
server = grpc.server(ThreadPoolExecutor(max_workers=8))
function_pb2_grpc.add_KafkaFunctionServiceServicer_to_server(Function(), server)
server.add_insecure_port(address)
server.start()
print(f"listening on {address}", flush=True)
signal.signal(signal.SIGTERM, lambda *_: server.stop(grace=5))
server.wait_for_termination()
