"""A process that answers one event and says what CPU time that took: ``python cold_process.py FOLDER HANDLER < event``.

Run it with ``-I``: no package is found but those in the folder, of which neither the environment nor ours adds any.
"""

import importlib
import json
import sys
import time

sys.path[:] = [sys.argv[1], *(path for path in sys.path if not path.endswith("site-packages"))]
module, _, name = sys.argv[2].rpartition(".")
answer = getattr(importlib.import_module(module), name)(json.load(sys.stdin), None)
print(json.dumps({"answer": json.loads(answer["body"]), "seconds": time.process_time()}))
