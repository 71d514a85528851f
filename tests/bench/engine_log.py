"""A proxy before the engine that notes when each call began and ended: what of a campaign's time is the engine's, and what is
rogate's own. rogate makes one connection for each call."""
import contextlib
import os
import socket
import threading
import time


def engine_path():
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not address.startswith("unix://"):
        raise SystemExit("this measurement is for an engine on a unix socket")
    return address.removeprefix("unix://")


class EngineLog:
    """`calls`: (method and target, begin, end) of each call, times of time.monotonic(); an attached stream ends with its head,
    and `first_words` is when something came on it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "engine.sock")
        self.address = f"unix://{self.path}"
        self.calls, self.first_words = [], None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.handle, args=(client,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def handle(self, client):
        with contextlib.suppress(OSError):
            head = client.recv(65536)
            begin = time.monotonic()
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(engine_path())
            engine.sendall(head)
            threading.Thread(target=self.pump, args=(client, engine), daemon=True).start()
            words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            name = " ".join(words[:2])
            answer = engine.recv(65536)
            upgraded = b" 101 " in answer[:20]
            if upgraded:
                self.calls.append((name, begin, time.monotonic()))
            client.sendall(answer)
            if upgraded:
                words = engine.recv(65536)
                self.first_words = self.first_words or time.monotonic()
                client.sendall(words)
            self.pump(engine, client)
            if not upgraded:
                self.calls.append((name, begin, time.monotonic()))
            client.close()

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def covered(calls, begin, end):
    """Seconds between `begin` and `end` in which at least one of the calls was under way."""
    total, reached = 0.0, begin
    for _, one, other in sorted(calls, key=lambda call: call[1]):
        one, other = max(one, reached), min(other, end)
        if other > one:
            total += other - one
            reached = other
    return total
