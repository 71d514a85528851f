"""A proxy before the real engine that breaks one call. rogate makes one connection for each call, so the n-th connection is
the n-th call. It listens on loopback TCP, where a reset is a reset."""
import contextlib
import os
import re
import socket
import struct
import threading
import time

MODES = ("refuse", "close", "reset", "hang", "cut", "truncated", "garbage", "wrong", "404", "409", "500", "503", "frame", "drip")


def real_engine():
    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert address.startswith("unix://"), "the proxy is for an engine on a unix socket"
    engine = socket.socket(socket.AF_UNIX)
    engine.connect(address.removeprefix("unix://"))
    return engine


def hang_up(connection):
    """close() alone would not: the thread that reads the rest of the request keeps the connection."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def reset(connection):
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)  # wakes the thread that reads the rest of the request
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def with_body(client, begin):
    """The whole of a request that says how long it is."""
    head, _, body = begin.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    wanted = int(length[1]) if length else 0
    while len(body) < wanted and (more := client.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


class FaultyEngine:
    """`mode` at call `number` (the first is 1); 0: none. `calls` names the calls that came, in order. `rewrite`: what every
    request has in place of what, of the same length."""

    def __init__(self, number=0, mode="", rewrite=None, host="127.0.0.1"):
        self.host = host
        self.number, self.mode, self.rewrite = number, mode, rewrite
        self.calls = []
        self.struck = False
        self.open = set()
        self.stopped = False
        self.listener = self.listen(0)
        self.port = self.listener.getsockname()[1]
        self.address = f"tcp://{host}:{self.port}"
        if mode == "refuse" and number == 1:
            self.go_down()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def listen(self, port):
        listener = socket.create_server((self.host, port), backlog=32)
        listener.settimeout(0.2)
        return listener

    def go_down(self):
        """Refuses connections for half a second."""
        self.struck = True
        self.listener.close()
        time.sleep(0.5)
        self.listener = self.listen(self.port)

    def serve(self):
        while not self.stopped:
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            client.settimeout(None)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.add(client)
            self.calls.append("?")
            number = len(self.calls)
            if self.mode == "refuse" and number == self.number - 1:
                threading.Thread(target=self.handle, args=(client, number), daemon=True).start()
                self.go_down()
                continue
            threading.Thread(target=self.handle, args=(client, number), daemon=True).start()

    def stop(self):
        self.stopped = True
        self.thread.join()
        self.listener.close()
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def handle(self, client, number):
        with contextlib.suppress(OSError):
            request = read_head(client)
            words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
            self.calls[number - 1] = " ".join(words[:2]).split("?")[0]
            mode = self.mode if number == self.number and self.mode != "refuse" else ""
            if mode:
                self.struck = True
            if mode == "close":
                client.close()
                return
            if mode == "garbage":
                client.sendall(bytes(range(256)) * 4)
                client.close()
                return
            if mode in ("404", "409", "500", "503", "wrong"):
                body = b'{"message":"injected"}' if mode != "wrong" else b'{"unexpected": [1, 2]}'
                client.sendall(b"HTTP/1.1 %s X\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                               % (mode.encode() if mode != "wrong" else b"200", len(body)) + body)
                # What the request still sends is taken, so that the answer is not lost to a reset.
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
                client.close()
                return
            engine = real_engine()
            if self.rewrite:
                request = with_body(client, request).replace(*self.rewrite)
            engine.sendall(request)
            threading.Thread(target=self.pump, args=(client, engine), daemon=True).start()
            self.answer(client, engine, mode)

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def answer(self, client, engine, mode):
        if mode == "hang":
            while engine.recv(65536):  # the engine does it; the caller never learns
                pass
            return
        data = read_head(engine)
        head, _, body = data.partition(b"\r\n\r\n")
        upgraded = b" 101 " in head.split(b"\r\n")[0]
        if mode == "reset":
            client.sendall(data[:10])
            reset(client)
        elif mode == "frame":
            if upgraded:
                while len(body) < 4:
                    body += engine.recv(4)
                client.sendall(head + b"\r\n\r\n" + body[:4])
            else:
                client.sendall(data[:11])
            hang_up(client)
        elif mode in ("cut", "truncated"):
            while upgraded and len(body) < 64 and (piece := engine.recv(65536)):
                body += piece
            if not upgraded:
                while piece := engine.recv(65536):
                    body += piece
            if mode == "cut" or upgraded or b"chunked" in head:
                client.sendall(head + b"\r\n\r\n" + body[:len(body) // 2])
            else:
                half = body[:len(body) // 2]
                lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
                client.sendall(b"\r\n".join(lines) + b"\r\nContent-Length: %d\r\n\r\n" % len(half) + half)
            hang_up(client)
        elif mode == "drip":
            for i in range(min(len(data), 200)):
                client.sendall(data[i:i + 1])
                time.sleep(0.002)
            client.sendall(data[200:])
            self.pump(engine, client)
            hang_up(client)
        else:
            client.sendall(data)
            self.pump(engine, client)
            hang_up(client)
