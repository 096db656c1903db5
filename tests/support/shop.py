"""A CDK app of somebody else, which the tests deploy: 28 resources that stop in the middle until they are told.

``python -m tests.support.shop STACK GATE``: a custom resource, made when 14 others are there, asks the address
``GATE`` how it goes on: nothing said is well, anything else is why it fails.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEFORE, TOTAL = 15, 29
"""As the CDK counts: what is done while it waits, and all, the stack itself among them."""
SECONDS = 300
"""The longest that it may be left waiting."""
ASK = """
import json, urllib.request

def handler(event, context):
    gate = event["ResourceProperties"]["Gate"]
    said = urllib.request.urlopen(gate, timeout=290).read().decode() if event["RequestType"] == "Create" else ""
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer = {**same, "PhysicalResourceId": "stock", "Status": "FAILED" if said else "SUCCESS", "Reason": said}
    to = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(to)
"""


class Gate:
    """Where the deploy waits. :meth:`open` lets it go on, well or with why it fails."""

    def __init__(self) -> None:
        self.url = ""
        self.reached = threading.Event()
        self._opened = threading.Event()
        self._said = ""

    def open(self, why: str = "") -> None:
        """Let those who wait go on."""
        self._said = why
        self._opened.set()

    def wait(self) -> str:
        """What is said, once it is."""
        self.reached.set()
        self._opened.wait(SECONDS)
        return self._said


@contextmanager
def gate() -> Iterator[Gate]:
    """A closed gate; it opens with the end of the block at the latest."""
    made = Gate()

    class Ask(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = made.wait().encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ask)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield made
    finally:
        made.open()
        server.shutdown()
        server.server_close()
        thread.join()


def main(name: str, gate: str) -> None:
    """Synthesise: 14 queues and a function, then the one that asks, then 12 queues more."""
    from aws_cdk import App, CfnResource, Stack
    from aws_cdk.aws_lambda import CfnFunction
    from aws_cdk.aws_sqs import CfnQueue

    app = App(analytics_reporting=False)
    stack = Stack(app, name)
    role = f"arn:aws:iam::{stack.account}:role/shop"
    code = CfnFunction.CodeProperty(zip_file=ASK)
    function = CfnFunction(
        stack, "Ask", code=code, role=role, handler="index.handler", runtime="python3.13", timeout=SECONDS
    )
    first = [function, *(CfnQueue(stack, f"Queue{number}") for number in range(1, BEFORE))]
    asking = {"ServiceToken": function.attr_arn, "Gate": gate}
    stock = CfnResource(stack, "Stock", type="Custom::Stock", properties=asking)
    for one in first:
        stock.add_resource_dependency(one)
    for number in range(BEFORE, TOTAL - 2):
        CfnQueue(stack, f"Queue{number}").add_resource_dependency(stock)
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])
