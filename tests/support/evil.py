"""A page of another site, and what it can try against a board whose address it knows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page

NEW = '{"task_name": "evil", "task_id": "evil"}'
"""A body that a board would make a task of."""
LINES = '{"events": [{"timestamp": 1, "message": "evil"}]}'

_HELP = """
const within = (promise) => Promise.race([promise, new Promise((done) => setTimeout(done, 3000, null))]);
const fetched = (target, how) => fetch(board + target, how).then((answer) => answer.text()).catch(() => null);
const frame = () => { const made = document.createElement('iframe'); made.name = 'f' + Math.random();
  document.body.append(made); return made; };
const element = (name, attributes) => within(new Promise((done) => {
  const made = document.createElement(name);
  made.onload = () => done(name + ' was loaded'); made.onerror = () => done(null);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  document.head.append(made); }));
const sent = (action, type, name, value, policy, sandbox) => within(new Promise((done) => {
  const into = frame();
  const form = `<meta name="referrer" content="${policy}"><form method="post"><input name="x"></form>`;
  if (sandbox !== undefined) into.setAttribute('sandbox', sandbox);
  const text = JSON.stringify({action, type, name, value}).replaceAll('<', '\\\\u003c');
  into.srcdoc = form + `<script>const given = ${text}; const form = document.forms[0]; form.action = given.action;
    form.enctype = given.type; form.elements[0].name = given.name; form.elements[0].value = given.value;
    form.submit();</` + 'script>';
  let loads = 0; into.onload = () => { if (++loads === 2) done(null); }; }));
"""
_FORM = "sent(`${board}/api/tasks`, '%s', '{\"task_name\": \"evil\", \"x\": \"', '\"}', '%s', %s).then(() => null)"
READS = {
    "a fetch": "fetched('/api/tasks')",
    "a fetch with credentials": "fetched('/api/tasks', {credentials: 'include'})",
    "a fetch that asks for nothing back": "fetched('/api/tasks', {mode: 'no-cors', credentials: 'include'})",
    "a fetch with a preflight": "fetched('/api/tasks', {headers: {Authorization: 'Bearer x'}})",
    "a fetch of the description": "fetched('/api/openapi.json')",
    "a fetch of the health": "fetched('/health')",
    "a fetch of the page": "fetched('/')",
    "a fetch by way of this site": "fetch('/to?' + board + '/api/tasks').then((got) => got.text()).catch(() => null)",
    "an event source": "within(new Promise((done) => { const events = new EventSource(board + '/api/events');"
    " for (const name of ['hello', 'task', 'open']) events.addEventListener(name, () => done(name));"
    " events.onerror = () => { events.close(); done(null); }; }))",
    "a web socket": "within(new Promise((done) => { const opened = new WebSocket(board.replace('http', 'ws')"
    " + '/api/events'); opened.onopen = () => done('open'); opened.onerror = () => done(null); }))",
    "an image": "element('img', {src: board + '/api/tasks'})",
    "a script": "element('script', {src: board + '/api/tasks'})",
    "a script of the page": "element('script', {src: board + '/api/openapi.json', type: 'module'})",
    "a script that may be read": "element('script', {src: board + '/api/tasks', crossorigin: 'anonymous'})",
    "a style sheet": "element('link', {rel: 'stylesheet', href: board + '/api/tasks'})",
    "an import": "import(board + '/api/tasks').then(() => 'imported').catch(() => null)",
    "a worker": "within(new Promise((done) => { try { const worker = new Worker(board + '/api/tasks');"
    " worker.onerror = () => done(null); } catch { done(null); } }))",
    "a frame of the page": "within(new Promise((done) => { const into = frame(); into.onload = () => {"
    " try { done(into.contentDocument && into.contentDocument.body.innerHTML); } catch { done(null); } };"
    " into.src = board + '/'; }))",
    "a window of the page": "within(new Promise((done) => { const other = window.open(board + '/', 'other');"
    " setTimeout(() => { try { done(other.document.body.innerHTML || null); } catch { done(null); } }, 1000); }))",
}
"""Name → what tells what it has read: JavaScript, in which ``board`` is the board's address. ``null``: nothing."""
WRITES = {
    "a post": f"fetched('/api/tasks', {{method: 'POST', mode: 'no-cors', body: '{NEW}'}})",
    "a post of no type": f"fetched('/api/tasks', {{method: 'POST', mode: 'no-cors', body: new Blob(['{NEW}'])}})",
    "a post of JSON": f"fetched('/api/tasks', {{method: 'POST', body: '{NEW}', headers: "
    "{'Content-Type': 'application/json'}})",
    "a post that says JSON beside": f"fetched('/api/tasks', {{method: 'POST', mode: 'no-cors', body: '{NEW}', "
    "headers: {'Content-Type': 'text/plain; application/json'}})",
    "a change": "fetched('/api/tasks/one', {method: 'PATCH', body: '{\"status\": \"cancelled\"}', headers: "
    "{'Content-Type': 'application/json'}})",
    "a method that is told otherwise": "fetched('/api/tasks/one', {method: 'POST', mode: 'no-cors', headers: "
    "{'X-HTTP-Method-Override': 'PATCH'}})",
    "a reading again": "fetched('/api/tasks/one/reread', {method: 'POST', mode: 'no-cors'})",
    "lines": f"fetched('/api/logs/miyabi/jobs/evil', {{method: 'POST', mode: 'no-cors', body: '{LINES}'}})",
    "a beacon": f"navigator.sendBeacon(board + '/api/tasks', new Blob(['{NEW}'], {{type: 'text/plain'}})) && null",
    "a post that is sent on": f"fetch('/to?' + board + '/api/tasks', {{method: 'POST', mode: 'no-cors', "
    f"body: '{NEW}'}}).then((answer) => answer.text()).catch(() => null)",
    "a form of plain text": _FORM % ("text/plain", "no-referrer", "undefined"),
    "a form": _FORM % ("application/x-www-form-urlencoded", "unsafe-url", "undefined"),
    "a form of parts": _FORM % ("multipart/form-data", "unsafe-url", "undefined"),
    "a form out of a sandbox": _FORM % ("text/plain", "unsafe-url", "'allow-scripts allow-forms'"),
    "a header with a line end": "fetched('/api/tasks', {headers: {'X-Request-Id': 'a\\r\\nX-Evil: b'}})",
}
"""Likewise, what would change something."""
ATTACKS = READS | WRITES


AT_ONCE = 6
"""Attacks in one page at the same time: each waits for what does not come, up to three seconds."""


def attacked(visit: Callable[[], Page], board: str, attacks: Iterable[str] = ATTACKS) -> dict[str, str | None]:
    """What each attack has read of the board at an address, from pages that ``visit`` opens; they are closed."""
    names = list(attacks)
    read: dict[str, str | None] = {}
    for first in range(0, len(names), AT_ONCE):
        page = visit()
        read |= page.evaluate(_script(names[first : first + AT_ONCE]), board)
        page.close()
    return read


def _script(names: Iterable[str]) -> str:
    """A function for a page: takes a board's address, gives what each has read, or ``null``."""
    begun = ", ".join(f"{json.dumps(name)}: (async () => {ATTACKS[name]})()" for name in names)
    ended = "for (const [name, told] of Object.entries(begun)) read[name] = (await told) || null;"
    return f"async (board) => {{ {_HELP} const begun = {{{begun}}}; const read = {{}}; {ended} return read; }}"


@contextmanager
def evil_site() -> Iterator[int]:
    """The port of a server that answers any path with an empty page, and ``/to?ADDRESS`` by sending there."""

    class Evil(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            _, _, there = self.path.partition("/to?")
            body = b"" if there else b"<!doctype html><title>evil</title><link rel=icon href=data:,><body>"
            self.send_response(307 if there else 200)
            for name, value in (("Location", there), ("Content-Type", "text/html"), ("Content-Length", len(body))):
                if value != "":
                    self.send_header(name, str(value))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
