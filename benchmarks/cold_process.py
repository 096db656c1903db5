"""A process that answers one event and says what CPU time that took: ``python -P cold_process.py HANDLER < event``."""

import importlib
import json
import sys
import time

module, _, name = sys.argv[1].rpartition(".")
answer = getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
print(json.dumps({"status": answer["statusCode"], "seconds": time.process_time()}))
