#!/usr/bin/env python3
"""The explorer's pages in headless Chromium, on the networks that are shipped: what a person does there, and sees.

    build/tools/bin/python tests/explore/browser.py build/release/bin/pellucid [--pictures docs/pictures] [NAME ...]

NAME runs some of the tests alone. --pictures writes the screenshots of docs/explore.md. Needs Playwright, of PyPI, and
Debian's chromium (cmake/setup.sh tests). Exits 1 where a test fails, and tells which.
"""
import argparse
import array
import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT = 1280, 900
PATIENCE = int(os.environ.get("PATIENCE", 60)) * 1000  # milliseconds; the machine may be busy


class Explorer:
    """The program, on a port of its own, and with a cache of its own."""

    def __init__(self, program, folder, *arguments):
        environment = os.environ | {"XDG_CACHE_HOME": str(folder)}
        command = [program, "explore", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+/", line)
        if not found:
            raise SystemExit(f"the explorer did not start: {line!r}")
        self.address = found[0]

    def ask(self, path, **json_body):
        data = json.dumps(json_body).encode() if json_body else None
        request = urllib.request.Request(self.address.rstrip("/") + path, data=data)
        if data:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        if self.process.wait(timeout=20) != 0:
            raise SystemExit(f"the explorer ended with {self.process.returncode}")


TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


class Session:
    """A page of the browser, the program behind it, and where screenshots go."""

    def __init__(self, page, explorer, program, pictures):
        self.page, self.explorer, self.program, self.pictures = page, explorer, program, pictures
        self.expected = None  # the status of an answer that is to be a refusal

    def open(self, address=""):
        self.page.goto("about:blank")
        self.page.goto(self.explorer.address + address)
        expect(self.page.locator("h1")).to_be_visible()

    def screenshot(self, name, height=HEIGHT):
        if self.pictures:
            self.page.mouse.move(0, 0)
            self.page.set_viewport_size({"width": WIDTH, "height": height})
            self.page.wait_for_function("[...document.images].every(one => one.complete)")
            self.page.screenshot(path=self.pictures / f"explore-{name}.png")


READ = """async image => {
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  return Array.from(new Uint32Array(pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer));
}"""


def pixels(image):
    """The values of an <img>, once it has come."""
    expect(image).to_be_visible()
    return image.evaluate(READ)


def shows_something(image):
    return len(set(pixels(image))) > 8


def first_percent(locator):
    return float(re.search(r"([\d.]+) %", locator.inner_text())[1])


@test
def a_click_on_a_layer_shows_its_channels_patches_and_picture(session):
    page = session.page
    session.open("#/architecture?model=1&image=f200")
    page.get_by_role("button", name="Show the whole network").click()
    page.get_by_role("button", name=re.compile(r"^features\.7, ")).click()
    expect(page.get_by_role("heading", name="features.7", exact=True)).to_be_visible()
    expect(page.locator(".tile")).to_have_count(32)
    assert "layer=features.7" in page.url
    assert shows_something(page.locator(".channel-view .framed img"))  # the gradient of the strongest place

    page.locator(".tile").nth(2).click()
    channel = re.search(r"channel=(\d+)", page.url)[1]
    expect(page.get_by_role("heading", name=re.compile(f"^Channel {channel}, "))).to_be_visible()
    page.locator(".channel-map").click(position={"x": 100, "y": 60})
    page.wait_for_url(re.compile(r"place=\d+,\d+"))
    expect(page.get_by_text("The frame is all that this place can see")).to_be_visible()

    page.get_by_role("button", name="Make the index").click()
    expect(page.locator(".patch")).to_have_count(9)
    assert shows_something(page.locator(".patch img").first)

    page.get_by_role("button", name="Make a picture that it looks for").click()
    expect(page.locator(".dream .saves")).to_be_visible()
    assert shows_something(page.locator(".dream img"))
    session.open("#/architecture?model=1&image=f200&layer=features.7")
    expect(page.locator(".patch")).to_have_count(9)
    expect(page.get_by_text("The frame is all that this place can see")).to_be_visible()
    session.screenshot("architecture", height=1330)


@test
def the_diagram_is_searched_folded_and_walked_by_keys(session):
    page = session.page
    session.open("#/architecture?model=0&image=f3")
    # The residual connection joins at the block's output.
    expect(page.get_by_role("button", name=re.compile(r"^features\.1\.0 output, joined"))).to_be_attached()
    page.get_by_label("Find a layer").fill("LayerNorm")
    expect(page.get_by_text(re.compile(r"matches$"))).to_be_visible()
    page.get_by_label("Find a layer").press("Enter")
    page.wait_for_url(re.compile(r"layer=features\.0\.1"))
    expect(page.get_by_text(re.compile(r"^1 of \d+ matches$"))).to_be_visible()
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(page.locator(".diagram .node.folded")).not_to_have_count(0)
    expect(page.locator(".diagram .node.open")).to_have_count(0)
    page.locator(".diagram .node[tabindex='0']").focus()
    page.keyboard.press(" ")
    expect(page.locator(".diagram .node.open")).to_have_count(1)
    page.get_by_role("button", name="Unfold all").click()
    page.locator(".diagram .node[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".tile").first).to_be_visible()


@test
def patches_of_a_range_of_channels_and_the_place_in_the_image(session):
    page, address = session.page, session.explorer.address
    session.open("#/patches?model=1&layer=features.13")
    expect(page.get_by_text("No index of features.13 is there yet")).to_be_visible()
    page.get_by_role("button", name="Make the index").click()
    expect(page.locator(".channel-row")).to_have_count(8)
    page.get_by_label("Channels from").fill("3")
    page.get_by_label("to", exact=True).fill("5")
    expect(page.locator(".channel-row")).to_have_count(3)
    page.get_by_label("Patches of each").fill("20")
    expect(page.locator(".channel-row").first.locator(".patch")).to_have_count(20)
    assert "channels=3-5" in page.url and "top=20" in page.url
    tile = page.locator(".patch").first
    tile.hover()
    card = page.locator(".card")
    expect(card).to_be_visible()
    assert re.search(r"\w+/\d+\.png", card.inner_text())
    tile.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert shows_something(page.locator("dialog .framed img"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # What is in the index is answered while one clicks.
    path = f"{address}api/models/1/patches?layer=features.13&from=8&to=8&top=9"
    begin = time.monotonic()
    urllib.request.urlopen(path, timeout=10).read()
    assert time.monotonic() - begin < 0.1
    session.open("#/patches?model=1&layer=features.13&top=9")
    expect(page.locator(".channel-row")).to_have_count(8)
    session.screenshot("patches")


@test
def smoothgrad_of_two_models_is_two_maps(session):
    page = session.page
    session.open("#/attribution?model=1&image=f100,f200&cells=1:smoothgrad")
    expect(page.locator(".attribution-cell .saves")).to_have_count(2)
    tools = page.locator(".toolbar").filter(has=page.get_by_role("button", name="Add a column"))
    tools.get_by_label("Model").select_option(label="shapes-convnext")
    page.get_by_role("button", name="Add a column").click()
    expect(page.locator(".attribution-cell .saves")).to_have_count(4)
    maps = page.locator(".attribution-cell .over")
    first, second = pixels(maps.nth(0)), pixels(maps.nth(1))
    assert len(set(first)) > 8 and len(set(second)) > 8 and first != second
    session.screenshot("attribution")

    # More samples: the error falls.
    error = page.locator(".attribution-cell .exact").first
    before = first_percent(error)
    page.get_by_role("button", name="50 more samples").first.click()
    expect(error).to_contain_text("100 samples")
    assert first_percent(error) < before
    assert "smoothgrad.samples=100" in page.url

    # Another class is asked about; what the page shows is what its address says.
    page.get_by_role("button", name=re.compile("^star")).first.click()
    expect(page.get_by_text("what counts for star").first).to_be_visible()
    page.get_by_label("Map over image").fill("30")
    page.wait_for_url(re.compile("target=.*opacity=0.3|opacity=0.3.*target="))
    page.reload()
    expect(page.locator(".attribution-cell .saves")).to_have_count(4)
    expect(page.get_by_text("what counts for star").first).to_be_visible()
    assert pixels(maps.nth(0)) != first


@test
def the_first_picture_of_a_smoothgrad_comes_at_once(session):
    explorer = session.explorer
    begin = time.monotonic()
    asked = explorer.ask("/api/jobs", kind="explain", model=1, image="f321", method="smoothgrad", options={"samples": 5000}, target=None)
    with urllib.request.urlopen(f"{explorer.address}api/jobs/{asked['job']}/events", timeout=60) as events:
        for line in events:
            if line.startswith(b"event: frame"):
                break
    took = time.monotonic() - begin
    assert took < 0.5, took


@test
def the_smallest_epsilon_changes_the_prediction_and_the_map(session):
    page = session.page
    session.open("#/attack?model=1&image=f40&epsilon=1")
    page.get_by_role("button", name="Find the smallest ε").click()
    expect(page.get_by_text("The smallest change of FGSM that turns")).to_be_visible()
    figures = page.locator(".equation figure")
    before, after = figures.nth(0).locator(".prediction").first, figures.nth(2).locator(".prediction").first
    assert before.inner_text().split(" (")[0] != after.inner_text().split(" (")[0]
    maps = page.locator(".attack-explanation .over")
    expect(page.locator(".attack-explanation .saves")).to_have_count(2)
    assert pixels(maps.nth(0)) != pixels(maps.nth(1))
    answer = re.search(r"The model says (\w+)", page.locator(".attack-explanation .attribution-cell").nth(1).inner_text())[1]
    assert after.inner_text().startswith(answer), (answer, after.inner_text())  # it is the attacked image that is explained
    session.screenshot("attack")

    # With the slider, the prediction follows.
    slider = page.get_by_label("Largest change of a pixel")
    slider.fill("16")
    expect(page.get_by_text("No pixel changes by more than 16/255").first).to_be_visible()
    assert "epsilon=16" in page.url and "find" not in page.url
    page.reload()
    expect(page.get_by_text("No pixel changes by more than 16/255").first).to_be_visible()


@test
def a_dream_grows_and_is_cancelled(session):
    page = session.page
    session.open("#/synthesis?model=1&target=2")
    page.get_by_role("button", name="Make the picture").click()
    expect(page.locator(".dream img")).to_be_visible()
    expect(page.locator(".dream .saves")).to_be_visible()
    assert shows_something(page.locator(".dream img"))
    assert float(re.search(r"([\d.]+) % sure", page.locator(".dream").inner_text())[1]) > 50
    session.screenshot("synthesis")

    page.get_by_label("Steps").fill("4000")
    page.get_by_label("Seed").fill("5")
    page.get_by_label("Seed").press("Enter")
    page.get_by_role("button", name="Make the picture").click()
    expect(page.get_by_text(re.compile("Step [1-9]"))).to_be_visible()
    expect(page.locator("#jobs-line")).not_to_have_text("Nothing runs")
    page.get_by_role("button", name="Cancel the picture").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    begin = time.monotonic()
    while session.explorer.ask("/api/jobs")["running"]:
        assert time.monotonic() - begin < 1
    expect(page.locator("#jobs-line")).to_have_text("Nothing runs")


@test
def layers_are_inverted(session):
    page = session.page
    session.open("#/synthesis?model=1&image=f200&make=invert&layers=features.2,features.13")
    page.get_by_role("button", name="Make the pictures").click()
    expect(page.locator(".inversions .saves")).to_have_count(2)
    errors = [first_percent(page.locator(".inversions figure").nth(n).get_by_text("differ by")) for n in (1, 2)]
    assert errors[0] < 25, errors  # an early layer keeps nearly all
    for n in (1, 2):
        assert shows_something(page.locator(".inversions figure img").nth(n))


@test
def images_are_filtered_uploaded_and_chosen(session):
    page = session.page
    session.open("#/images")
    expect(page.locator(".image-tile")).to_have_count(60)
    page.get_by_label("Label").select_option("star")
    expect(page.locator(".image-tile")).to_have_count(session.explorer.ask("/api/images?label=star")["total"])
    page.get_by_label("Part of the name").fill("nothing is called so")
    expect(page.get_by_text("No image has such a name")).to_be_visible()
    picture = urllib.request.urlopen(f"{session.explorer.address}api/images/f200/picture?model=1", timeout=10).read()
    upload = page.get_by_label("Upload PNG or JPEG")
    upload.set_input_files({"name": "mine <b>&.png", "mimeType": "image/png", "buffer": picture})
    expect(page.locator("#current-name")).to_have_text("mine <b>&.png")
    page.get_by_role("link", name="Attribution").click()
    expect(page.locator(".attribution-cell .saves")).to_have_count(3)

    # What is no image is refused, in words.
    page.get_by_role("link", name="Images").click()
    session.expected = "400"
    upload.set_input_files({"name": "text.png", "mimeType": "image/png", "buffer": b"no image"})
    expect(page.get_by_role("alert").filter(has_text="cannot read text.png")).to_be_visible()


@test
def results_are_saved_and_made_again_in_a_shell(session):
    page = session.page
    session.open("#/attribution?model=1&image=f60&cells=1:smoothgrad")
    cell = page.locator(".attribution-cell")
    with page.expect_download() as download:
        cell.get_by_role("link", name="attribution.npy").click()
    saved = download.value.path().read_bytes()
    assert saved.startswith(b"\x93NUMPY") and len(saved) > 3 * 64 * 64 * 4
    cell.get_by_text("Command line").click()
    command = cell.locator("code").inner_text()
    with tempfile.TemporaryDirectory() as folder:
        words = shlex.split(command)
        assert words[0] == "pellucid"
        subprocess.run([session.program, *words[1:]], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        made = (pathlib.Path(folder) / "map.npy").read_bytes()
    header = saved.index(b"\n") + 1
    assert made[:header] == saved[:header]
    one, other = (array.array("f", data[header:]) for data in (saved, made))
    largest = max(map(abs, other))
    assert max(abs(a - b) for a, b in zip(one, other)) < 1e-4 * largest  # summed in another order


@test
def it_is_used_by_keys_and_read_aloud(session):
    page = session.page
    session.open()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for name in ("Architecture", "Patches", "Attribution", "Attack", "Synthesis", "Images"):
        page.get_by_role("link", name=name, exact=True).press("Enter")
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
        unnamed = page.evaluate("""() => [...document.querySelectorAll('button, input, select, img, a')]
          .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.hasAttribute('aria-hidden'))
          .filter(one => one.tagName === 'IMG' ? !one.hasAttribute('alt')
                       : !(one.innerText.trim() || one.getAttribute('aria-label') || one.title || one.labels?.length))
          .map(one => one.outerHTML.slice(0, 120))""")
        assert not unnamed, unnamed
        # Nothing is cut off at the smallest width that the pages are made for.
        page.set_viewport_size({"width": 1024, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth") <= 1024, name
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.get_by_role("button", name="Dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 19, 26)"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--pictures", type=pathlib.Path)
    options = parser.parse_intermixed_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    failed = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        explorer = Explorer(options.program, folder)
        stack.callback(explorer.stop)
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE)
        for name in options.names or TESTS:
            context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            wrong = []
            session = Session(page, explorer, str(pathlib.Path(options.program).resolve()), options.pictures)
            page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
            page.on("console", lambda said: wrong.append(f"console: {said.text}")
                    if said.type == "error" and not (session.expected and session.expected in said.text) else None)
            page.on("request", lambda asked: wrong.append(f"asked elsewhere: {asked.url}")
                    if not asked.url.startswith((explorer.address, "about:", "data:", "blob:")) else None)
            begin = time.monotonic()
            try:
                TESTS[name](session)
                assert not wrong, wrong
                print(f"ok      {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed.append(name)
                print(f"FAILED  {name}\n{traceback.format_exc()}\n{wrong}", flush=True)
            context.close()
        browser.close()
    sys.exit(f"{len(failed)} of {len(options.names or TESTS)} failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
