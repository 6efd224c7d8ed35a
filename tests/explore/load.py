#!/usr/bin/env python3
"""What the explorer does under load: many clients on loopback, who open pages, ask for work, listen to it, cancel it and
vanish.

    tests/explore/load.py build/release/bin/pellucid [--clients 50] [--seconds 60]

Prints the answers by status, how long cancelled work went on, and the program's memory. Exits 1 on any answer but
success and 429 (the queue is full), where a cancelled job went on for over a second, or where memory grew by more than a
tenth between the second quarter of the time and its end.
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

PAGES = ["/", "/page/app.js", "/page/app.css", "/api/about", "/api/images?from=0&count=60", "/api/models/0/graph", "/api/jobs",
         "/api/images/f3/thumbnail", "/api/images/f7/picture?model=0", "/api/images/f9/picture?model=1"]


class Tally:
    def __init__(self):
        self.answers = collections.Counter()
        self.wrong = []
        self.stopped = []  # seconds from a cancellation to its event
        self.waits = collections.defaultdict(list)  # seconds for an answer, by kind

    def count(self, what, status, body=b""):
        self.answers[f"{what} {status}"] += 1
        if status >= 400 and status != 429:
            self.wrong.append(f"{what}: {status} {body[:200]!r}")


async def ask(address, method, path, body=None):
    """One request of one connection; the status and the body."""
    reader, writer = await asyncio.open_connection(*address)
    data = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(data)}\r\n"
    if body is not None:
        head += "Content-Type: application/json\r\n"
    writer.write(head.encode() + b"\r\n" + data)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


async def listen(address, job, seen):
    """The events of a job until the last one; seen(event) may end it by answering True."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET /api/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    last = None
    while status == 200:
        line = await reader.readline()
        if not line:
            break
        if line.startswith(b"event: "):
            last = line[7:].strip().decode()
            if seen(last):
                break
    writer.close()
    return status, last


def work(random_number):
    image = f"f{random_number.randrange(300)}"
    model = random_number.randrange(2)
    target = random_number.randrange(6)
    return random_number.choice([
        {"kind": "predict", "model": model, "image": image},
        {"kind": "explain", "model": model, "image": image, "method": "smoothgrad", "options": {"samples": 20}, "target": target},
        {"kind": "explain", "model": model, "image": image, "method": "grad-cam", "options": {}, "target": target},
        {"kind": "attack", "model": model, "image": image, "method": "fgsm", "epsilon": 4, "options": {}, "target": None},
        {"kind": "dream", "model": model, "preset": "natural", "target": target, "steps": 200, "seed": random_number.randrange(1000)},
    ])


async def client(address, number, until, tally):
    chance = random.Random(number)
    while time.monotonic() < until:
        begin = time.monotonic()
        if chance.random() < 0.6:
            status, body = await ask(address, "GET", chance.choice(PAGES))
            tally.count("page", status, body)
            tally.waits["page"].append(time.monotonic() - begin)
        else:
            await ask_for_work(address, chance, tally)
        await asyncio.sleep(chance.random() * 0.2)


async def ask_for_work(address, chance, tally):
    begin = time.monotonic()
    wish = work(chance)
    status, body = await ask(address, "POST", "/api/jobs", wish)
    tally.count("job", status, body)
    tally.waits["job taken"].append(time.monotonic() - begin)
    if status != 202:
        return
    job = json.loads(body)["job"]
    what = chance.choice(["listen", "cancel", "vanish"])
    if what == "listen":
        status, last = await listen(address, job, lambda event: False)
        # What another client asked for, too, may be over before the listener comes.
        tally.count(f"events to {last}", 200 if status == 404 else status)
        if last == "failed":
            tally.wrong.append(f"{wish} failed")
    elif what == "vanish":
        await listen(address, job, lambda event: True)
    else:
        await cancel(address, job, chance.random(), tally)


async def cancel(address, job, after, tally):
    begun = asyncio.Event()
    asked = None

    def seen(event):
        if event in ("progress", "frame"):
            begun.set()
        return False

    listening = asyncio.create_task(listen(address, job, seen))
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait([listening, waiting], timeout=after, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    asked = time.monotonic()
    status, body = await ask(address, "DELETE", f"/api/jobs/{job}")
    tally.count("cancel", 204 if status == 404 else status, body)  # it may have ended by itself
    status, last = await listening
    if last == "cancelled":
        tally.stopped.append(time.monotonic() - asked)


def memory(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


async def watch(process, until, found):
    while time.monotonic() < until:
        found.append(memory(process))
        await asyncio.sleep(0.5)


async def load(process, address, options):
    tally, rss = Tally(), []
    until = time.monotonic() + options.seconds
    await asyncio.gather(watch(process, until, rss), *(client(address, n, until, tally) for n in range(options.clients)))
    return tally, rss


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([options.program, "explore", "--port", "0"], text=True, stdout=subprocess.PIPE,
                                   env=os.environ | {"XDG_CACHE_HOME": folder})
        host, port = re.search(r"http://(\S+):(\d+)/", process.stdout.readline()).groups()
        tally, rss = asyncio.run(load(process, (host, int(port)), options))
        process.terminate()
        code = process.wait(timeout=30)
    quarter = statistics.median(rss[len(rss) // 4:len(rss) // 2])
    end = statistics.median(rss[-max(1, len(rss) // 10):])
    for what, times in sorted(tally.answers.items()):
        print(f"{times:6} {what}")
    for what, waits in tally.waits.items():
        waits.sort()
        print(f"{what}: median {1000 * statistics.median(waits):.0f} ms, 99 % within {1000 * waits[int(0.99 * len(waits))]:.0f} ms")
    slowest = max(tally.stopped, default=0)
    print(f"{len(tally.stopped)} cancelled, the slowest within {slowest:.2f} s")
    print(f"memory: {rss[0]:.0f} MB at first, {quarter:.0f} MB in the second quarter, {end:.0f} MB at the end; most {max(rss):.0f} MB")
    print(f"ended with {code}")
    wrong = tally.wrong[:10]
    if slowest > 1:
        wrong.append(f"a cancelled job went on for {slowest:.2f} s")
    if end > 1.1 * quarter:
        wrong.append(f"memory grew from {quarter:.0f} to {end:.0f} MB")
    if code != 0:
        wrong.append(f"the program ended with {code}")
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
