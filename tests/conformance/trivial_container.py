"""A container that speaks both SageMaker contracts and does as it is told. Standard library only, so it starts at once.

It runs as a process under `sagemaker-local` and, built with the Dockerfile beside it, as an image on AWS: what SageMaker does
not set there (port, directory, identity) has AWS's fixed values as defaults.

Single model: `/invocations` echoes, unless the body is JSON with one of
    {"status": 400, "body": "...", "content_type": "..."}    answer so
    {"sleep": 3}                                             answer later
    {"touch": "/a/path"}                                     make that file: the request is here
    {"gate": "/a/path"}                                      answer when that file exists
    {"die": true}                                            end the process in the middle of the request
    {"die_unless": "/some/path"}                             the same, unless that file exists; makes it first
    {"chunked": true}                                        answer without Content-Length
    {"tell": "environment" | "model" | "headers" | "turn"}   answer with that; the turn is {"number": of this request,
                                                             "concurrent": how many were being served when it had slept}
    {"big": 7000000}                                         answer with so many bytes
With `RUNS_FILE` (environment), the inference id of every request is appended to that file.

Multi-model: at most `SLOTS` (environment) models; `POST /models` reads <url>/model.txt; invoking answers with its text, the
model count, the container's id, the name under which it knows the model, and how many loads it answered with 409; it obeys the
same commands, and {"hide": true} (list the model no longer, though it stays). `LOAD_SECONDS` (environment) delays every load,
`START_SECONDS` the start; with `START_GATE` it starts when that file exists, and with `LOAD_GATE` a load makes the file of that
name and `.reached`, and goes on when that file exists. `/loads` counts loads.
"""

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

START_SECONDS = float(os.environ.get("START_SECONDS", "0"))
START_GATE = os.environ.get("START_GATE", "")
RUNS_FILE = os.environ.get("RUNS_FILE", "")
SLOTS = int(os.environ.get("SLOTS", "2"))
LOAD_SECONDS = float(os.environ.get("LOAD_SECONDS", "0"))
LOAD_GATE = os.environ.get("LOAD_GATE", "")
NEVER_HEALTHY = os.environ.get("NEVER_HEALTHY") == "1"

models: dict[str, dict[str, str]] = {}
loads: dict[str, int] = {}
hidden: set[str] = set()
conflicts = 0
lock = threading.Lock()
turns = 0
concurrent = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece: Nagle's algorithm holds back the second of two until the first is acknowledged, 40 ms.
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path == "/ping":
            return self.answer(503 if NEVER_HEALTHY else 200)
        if self.path == "/models":
            listed = [
                {"modelName": name, "modelUrl": model["url"]}
                for name, model in models.items()
                if name not in hidden
            ]
            return self.answer(200, json.dumps({"models": listed}).encode(), "application/json")
        return self.answer(404)

    def do_DELETE(self) -> None:
        name = self.path.removeprefix("/models/")
        with lock:
            found = models.pop(name, None)
        self.answer(200 if found else 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if RUNS_FILE:
            with Path(RUNS_FILE).open("a") as runs:
                runs.write(f"{self.headers.get('X-Amzn-SageMaker-Inference-Id')}\n")
        if self.path == "/invocations":
            return self.obey(body, body)
        if self.path == "/models":
            return self.load(json.loads(body))
        name = self.path.removeprefix("/models/").removesuffix("/invoke")
        with lock:
            model = models.get(name)
        if model is None:
            return self.answer(404, b"no such model")
        told = {
            "text": model["text"],
            "loaded": len(models),
            "instance": os.environ.get("SAGEMAKER_LOCAL_INSTANCE_ID") or socket.gethostname(),
            "loads": loads,
            "name": name,
            "conflicts": conflicts,
        }
        return self.obey(body, json.dumps(told).encode(), name)

    def load(self, request: dict[str, str]) -> None:
        time.sleep(LOAD_SECONDS)
        if LOAD_GATE:
            Path(f"{LOAD_GATE}.reached").touch()
        while LOAD_GATE and not Path(LOAD_GATE).exists():
            time.sleep(0.02)
        name, url = request["model_name"], request["url"]
        text = Path(url, "model.txt").read_text()
        if text.startswith("broken"):
            return self.answer(400, b"this model is broken")
        with lock:
            if name in models:
                global conflicts
                conflicts += 1
                return self.answer(409)
            if len(models) >= SLOTS:
                return self.answer(507)
            models[name] = {"url": url, "text": text}
            loads[text] = loads.get(text, 0) + 1
        return self.answer(200)

    def obey(self, body: bytes, otherwise: bytes, model: str = "") -> None:
        try:
            command = json.loads(body)
        except ValueError:
            command = {}
        if not isinstance(command, dict):
            command = {}
        if command.get("die"):
            os._exit(1)
        if "die_unless" in command and not Path(command["die_unless"]).exists():
            Path(command["die_unless"]).touch()
            os._exit(1)
        if "touch" in command:
            Path(command["touch"]).touch()
        while "gate" in command and not Path(command["gate"]).exists():
            time.sleep(0.02)
        turn = self.take_turn(command.get("sleep", 0))
        print("served", self.path, flush=True)
        if command.get("hide"):
            hidden.add(model)
        if command.get("forget"):
            with lock:
                models.pop(model, None)
        if command.get("tell") == "environment":
            return self.answer(200, json.dumps(dict(os.environ)).encode(), "application/json")
        if command.get("tell") == "turn":
            return self.answer(200, json.dumps(turn).encode(), "application/json")
        if command.get("tell") == "headers":
            return self.answer(200, json.dumps(dict(self.headers.items())).encode(), "application/json")
        if command.get("tell") == "model":
            directory = Path(os.environ.get("SAGEMAKER_LOCAL_MODEL_DIR", "/opt/ml/model"))
            files = {
                str(path.relative_to(directory)): path.read_text()
                for path in directory.rglob("*")
                if path.is_file()
            }
            return self.answer(200, json.dumps(files).encode(), "application/json")
        if command.get("chunked"):
            return self.answer_in_chunks()
        if "big" in command:
            return self.answer(200, b"x" * command["big"])
        if "status" in command:
            return self.answer(
                command["status"], command.get("body", "").encode(), command.get("content_type", "text/plain")
            )
        return self.answer(200, otherwise, self.headers.get("Content-Type") or "application/octet-stream")

    def take_turn(self, seconds: float) -> dict[str, int]:
        global turns, concurrent
        with lock:
            turns, concurrent = turns + 1, concurrent + 1
            number = turns
        time.sleep(seconds)
        with lock:
            seen, concurrent = concurrent, concurrent - 1
        return {"number": number, "concurrent": seen}

    def answer(self, status: int, body: bytes = b"", content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        attributes = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        if attributes:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", f"seen:{attributes}")
        self.end_headers()
        self.wfile.write(body)

    def answer_in_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")

    def log_message(self, *arguments: object) -> None:
        pass


if __name__ == "__main__":
    if os.environ.get("FAIL_AT_START") == "1":
        print("refusing to start", flush=True)
        sys.exit(3)
    time.sleep(START_SECONDS)
    while START_GATE and not Path(START_GATE).exists():
        time.sleep(0.02)
    local = "SAGEMAKER_LOCAL_INSTANCE_ID" in os.environ
    # A container is reached from outside, so it must listen on every address; a process on a developer's machine must not.
    bind_host = "127.0.0.1" if local else "0.0.0.0"  # noqa: S104
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    http.server.ThreadingHTTPServer((bind_host, port), Handler).serve_forever()
