"""A function over HTTP, with the standard library alone.

It receives batches of Kafka records as the JSON event that AWS Lambda defines
(https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html) and answers 200 when it is done with
them. With any other answer the same records come again.

    PORT=7492 python3 http_function.py
"""

import base64
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from batch_summary import BatchSummary

BODY_BYTES_MAX = 8 * 1024 * 1024


def work(record):
    """What the function is there for. This one only reads the value."""
    base64.b64decode(record.get("value", "")).decode("utf-8", "replace")


class Function(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413)
        try:
            event = json.loads(self.rfile.read(length))
            summary = BatchSummary(self.headers.get("penstock-mapping-id"))
            for records in event["records"].values():
                for record in records:
                    summary.handle(
                        record["topic"], record["partition"], record["offset"], lambda: work(record)
                    )
            print(summary, flush=True)
            self.answer(200)
        except Exception as error:
            print(error, file=sys.stderr, flush=True)
            self.answer(500)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass  # one line for each batch is enough


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "7492")))
server = ThreadingHTTPServer(address, Function)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"listening on http://{address[0]}:{address[1]}", flush=True)
server.serve_forever()
