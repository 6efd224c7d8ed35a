#!/usr/bin/env python3
"""What the explorer does with requests and uploads that are wrong: two hundred of them and more, each answered with a 4xx
in JSON or a closed connection, none with a crash. With the program of the preset asan, leaks are found, too.

    tests/explore/malformed.py build/release/bin/pellucid [--seed 0]
"""
import argparse
import json
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import zlib


def request(method="GET", path="/", body=b"", host="localhost", more=(), length=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *more, "Connection: close",
             f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def post(path, body, **more):
    return request("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), **more)


def png(width, height, data=b"", depth=8, colour=2):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def whole_png(side=8):
    return png(side, side, (b"\0" + bytes(range(3 * side))) * side)


def wrong_http():
    yield from (b"\r\n\r\n", b"\0" * 100, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"G\xffT / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
                b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40000 + b"\r\n\r\n",
                b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
                b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
                b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80"):
        yield request(host=host)
    yield b"GET /api/about HTTP/1.1\r\nConnection: close\r\n\r\n"
    for method in ("PUT", "PATCH", "TRACE", "OPTIONS", "CONNECT", "BREW"):
        yield request(method, "/api/about")
    yield post("/api/jobs", {"kind": "predict", "model": 0, "image": "f1"}, more=["Origin: http://evil.example"])
    yield post("/api/images", whole_png(), more=["Origin: null"])


def wrong_paths():
    for path in ("/../../etc/passwd", "/page/../../../etc/passwd", "/page/%2e%2e/%2e%2e/etc/passwd", "/page/..%2f..%2fetc%2fpasswd",
                 "/%00", "/page/%", "/page/%zz", "/api", "/api/", "/api/none", "/api/about/more", "/page/none.js", "//", "/page//",
                 "http://elsewhere/api/about", "*", "/api/models", "/api/models/0", "/api/models/9/graph", "/api/models/-1/graph",
                 "/api/models/0x0/graph", "/api/models/0/none", "/api/models/99999999999999999999/graph",
                 "/api/models/0/patches", "/api/models/0/patches?layer=none", "/api/models/0/patches?layer=",
                 "/api/models/0/patch?layer=features.0&image=f0&y=-1&x=0", "/api/models/0/patch?layer=features.0&image=../f0&y=0&x=0",
                 "/api/images?from=-1", "/api/images?from=a", "/api/images?count=99999999", "/api/images/f", "/api/images/f-1",
                 "/api/images/f99999999", "/api/images/f0/thumbnail", "/api/images/f0/none", "/api/images/..%2f..%2fetc%2fpasswd/picture?model=0",
                 "/api/images/f0/picture", "/api/images/f0/picture?model=7", "/api/images/f01/thumbnail", "/api/images/a1",
                 "/api/jobs/x", "/api/jobs/1e3", "/api/jobs/99999999999999999999999", "/api/jobs/5/events", "/api/jobs/5/none",
                 "/api/results/none", "/api/results/none/map.png", "/api/results/../about"):
        yield request(path=path)
    yield request("DELETE", "/api/images/f0")
    yield request("DELETE", "/api/jobs/77")
    yield request("DELETE", "/")
    yield request("POST", "/api/about")


def wrong_jobs():
    for body in (b"", b"{", b"[]", b"null", b"7", b'"text"', b"{}", b"\xff\xfe", b'{"kind": "predict"', b'{"kind": 1}', b'{"kind": "none"}',
                 b"[" * 100000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"a" * 2_000_000):
        yield post("/api/jobs", body)
    good = {"kind": "explain", "model": 0, "image": "f1", "method": "smoothgrad", "options": {}, "target": None}
    for key, values in {
        "kind": [None, 1, "", "explains", ["explain"]],
        "model": [None, -1, 3, 1.5, "0", 1e300, [0], {}],
        "image": [None, 0, "", "x", "f", "f-0", "../f1", "f1\0", "f" + "9" * 400, ["f1"]],
        "method": [None, "", "none", 3, "gradient ", "x" * 5000],
        "options": [[], 1, "x", {"samples": -1}, {"samples": 0}, {"samples": 1e9}, {"samples": "5"}, {"samples": 2.5},
                    {"noise": -1}, {"noise": "a"}, {"noise": 1e308}, {"none": 1}, {"steps": 5}, {"samples": {"a": 1}}],
        "target": ["heart", -1, 99999, 1.5, [1], True],
        "layer": [1, "none", "features.999", {}],
        "channel": [-1, "1", 1.5],
        "place": [[1], [1, 2, 3], "1,2", [-1, 0], [1e300, 0], {"y": 1}],
    }.items():
        for value in values:
            yield post("/api/jobs", good | {key: value})
    for body in ({"kind": "attack", "model": 0, "image": "f1", "method": "none", "epsilon": 4},
                 {"kind": "attack", "model": 0, "image": "f1", "method": "fgsm", "epsilon": -1},
                 {"kind": "attack", "model": 0, "image": "f1", "method": "fgsm", "epsilon": 1e9},
                 {"kind": "attack", "model": 0, "image": "f1", "method": "pgd", "epsilon": 4, "options": {"steps": 10 ** 9}},
                 {"kind": "smallest", "model": 0, "image": "f1", "most": -5},
                 {"kind": "activations", "model": 0, "image": "f1"},
                 {"kind": "activations", "model": 0, "image": "f1", "layer": "none"},
                 {"kind": "neuron", "model": 0, "image": "f1", "layer": "features.0"},
                 {"kind": "neuron", "model": 0, "image": "f1", "layer": "features.0", "channel": 1, "place": [10 ** 6]},
                 {"kind": "index", "model": 0}, {"kind": "index", "model": 0, "layers": []},
                 {"kind": "index", "model": 0, "layers": "features.0"}, {"kind": "index", "model": 0, "layers": ["none"]},
                 {"kind": "index", "model": 0, "layers": ["features.0"] * 1000},
                 {"kind": "dream", "model": 0, "preset": "none", "target": 0}, {"kind": "dream", "model": 0, "preset": "natural"},
                 {"kind": "dream", "model": 0, "preset": "natural", "target": 0, "steps": 10 ** 9},
                 {"kind": "dream", "model": 0, "preset": "natural", "target": 0, "octaves": 1000},
                 {"kind": "invert", "model": 0, "image": "f1", "layer": "none"},
                 {"kind": "invert", "model": 0, "image": "f1", "layer": "features.0", "faster": 0}):
        yield post("/api/jobs", body)


def wrong_images(chance):
    yield post("/api/images", b"")
    yield post("/api/images", b"text, and no image")
    yield post("/api/images", b"\x89PNG\r\n\x1a\n")
    yield post("/api/images", b"\xff\xd8\xff\xe0" + b"\0" * 50)
    yield post("/api/images", b"GIF89a" + b"\0" * 50)
    yield post("/api/images", png(60000, 60000))             # a bomb: little data, many pixels
    yield post("/api/images", png(2 ** 31 - 1, 2 ** 31 - 1))
    yield post("/api/images", png(0, 0))
    yield post("/api/images", png(7000, 7000, b"\0" * 7000))  # over the limit of pixels
    yield post("/api/images", b"x", length=10 ** 12)
    yield request("POST", "/api/images", whole_png(), length=10 ** 7)  # less than was promised
    good = whole_png(16)
    for _ in range(40):
        broken = bytearray(good[:chance.randrange(9, len(good))])
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(8, len(broken))] = chance.randrange(256)
        yield post("/api/images", bytes(broken))


def answer_to(address, data):
    """All that comes back; nothing where the connection was closed."""
    parts = []
    with socket.create_connection(address, timeout=60) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # refused before all of it was sent
            pass
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionError:
            pass
    return b"".join(parts)


def complaint(answer):
    """What is wrong with an answer to a wrong request; nothing where it is as it should be."""
    if not answer:
        return None
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d\d\d)", head)
    if not found or not 400 <= int(found[1]) < 500:
        return "is not refused"
    try:
        if isinstance(json.loads(body)["error"], str):
            return None
    except (ValueError, KeyError, TypeError):
        pass
    return "is refused without JSON that says why"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        images = pathlib.Path(folder, "images")
        images.mkdir()
        (images / "broken.png").write_bytes(whole_png()[:40])  # f0
        (images / "whole.png").write_bytes(whole_png(64))      # f1
        command = [options.program, "explore", "--port", "0", "--images", str(images)]
        process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                                   env=os.environ | {"XDG_CACHE_HOME": folder})
        host, port = re.search(r"http://(\S+):(\d+)/", process.stdout.readline()).groups()
        address = (host, int(port))
        count = refused = 0
        for asked in [*wrong_http(), *wrong_paths(), *wrong_jobs(), *wrong_images(chance)]:
            answer = answer_to(address, asked)
            count += 1
            refused += bool(answer)
            if said := complaint(answer):
                wrong.append(f"{asked[:200]!r} {said}: {answer[:300]!r}")
            if process.poll() is not None:
                raise SystemExit(f"the program ended with {process.returncode} at {asked[:300]!r}")
        if b" 200 " not in answer_to(address, request(path="/api/about"))[:20]:
            wrong.append("the explorer does not answer any more")
        if b" 201 " not in answer_to(address, post("/api/images", whole_png(64)))[:20]:
            wrong.append("a whole image is not taken")
        process.terminate()
        code = process.wait(timeout=60)
    print(f"{count} wrong requests, {refused} refused, {count - refused} cut off; the program ended with {code}")
    if code != 0:
        wrong.append(f"the program ended with {code}")
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
