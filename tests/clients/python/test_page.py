"""The operator's page in a real browser, in front of a gateway of its own."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from playwright.sync_api import expect, sync_playwright

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from harness import servers  # noqa: E402

SLUICE = os.environ["SLUICE_BINARY"]
WORK = pathlib.Path(os.environ["WORK"])  # screenshots go there, for whoever wants to see them
CHROMIUM = "/usr/bin/chromium"
WAIT = 15_000  # ms
HOSTILE = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"

CONFIG = """\
server: {{listen: "127.0.0.1:0", admin: "127.0.0.1:{port}", workers: 2, drain_grace: 0s, drain_timeout: 0s}}
routing: {{retries: 0}}
providers:
  up: {{base_url: "{upstream}/v1", api_keys: ["${{UP_KEY}}"]}}
  broken: {{base_url: "{upstream}/v1", api_keys: ["${{UP_KEY}}"], breaker: {{consecutive_failures: 1}}}}
models:
  ok: {{target: up/ok, cache: {{policy: all}}}}
  error-500: broken/error-500
  "*": up/*
prices: {{rows: [{{model: "*", input: 1 USD, output: 2 USD}}]}}
state: {{path: "{work}/page.db"}}
keys: [{row}]
"""

# Every text that is shown, with the colours it is seen in; those that are hard to read.
FAINT = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "NOSCRIPT"].includes(element.tagName) || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(element.closest("svg") ? style.fill : style.color)), light(behind(element))].sort((x, y) => y - x);
    ++seen;
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${walker.currentNode.data.trim()}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return [seen, found];
}"""


def new_key(name, group):
    """The key, and its row for the configuration."""
    made = subprocess.run([SLUICE, "key", "new", "--name", name, "--group", group, "--json"], capture_output=True, text=True,
                          check=True).stdout
    return re.search(r"sk-sluice-\S+", made).group(), re.search(r"^\{.*\}$", made, re.MULTILINE).group()


class OwnGateway:
    """A gateway that a test may fill, stop and start again at the same addresses."""

    def __init__(self, work):
        self.pair = servers.Pair(work)
        self.key, self.row = new_key("search-web", "acme/search")
        self.port = 0
        self.stack = contextlib.ExitStack()
        self.start()

    def start(self):
        config = self.pair.work / "page.yaml"
        config.write_text(CONFIG.format(port=self.port, upstream=os.environ["UPSTREAM_URL"], work=self.pair.work, row=self.row))
        process = self.stack.enter_context(servers.started(
            "gateway", [SLUICE, "serve", "--config", config], self.pair, stdin=subprocess.DEVNULL,
            env=os.environ | {"UP_KEY": servers.UPSTREAM_KEY}))
        self.pair.gateway_url, self.pair.admin_url = servers.gateway_urls(process, self.pair)
        self.port = int(self.pair.admin_url.rsplit(":", 1)[1])

    def stop(self):
        """The exit code, and what a sanitizer has said."""
        self.stack.close()
        return self.pair.exit_codes["gateway"], servers.REPORTS.search(self.pair.log("gateway"))

    def send(self, model, stream=False, key=None):
        body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": servers.PROMPT}]}
        request = urllib.request.Request(f"{self.pair.gateway_url}/v1/chat/completions", json.dumps(body).encode(),
                                         {"content-type": "application/json", "authorization": f"Bearer {key or self.key}"})
        return urllib.request.urlopen(request, timeout=10)

    def ask(self, *model, **options):
        with contextlib.suppress(urllib.error.HTTPError), self.send(*model, **options) as answer:
            answer.read()

    def wait_until_over(self, requests):
        """Until so many are on the record: an answer comes a moment before."""
        limit = time.monotonic() + WAIT / 1000
        while time.monotonic() < limit:
            with urllib.request.urlopen(f"{self.pair.admin_url}/admin/live", timeout=10) as answer:
                if sum(json.load(answer)["requests"].values()) >= requests:
                    return
            time.sleep(0.01)
        raise AssertionError("not all requests are on the record")

    def make_traffic(self):
        """Seven requests that are over, and a stream that is not: its answer is returned."""
        running = self.send("stall", stream=True)
        self.ask("ok")
        self.ask("ok")  # from the cache
        self.ask("stream-20", stream=True)
        self.ask("error-500")
        self.ask(HOSTILE)
        self.ask("ok", key="sk-sluice-wrong")
        self.ask("stream-3", stream=True)
        self.wait_until_over(7)
        return running


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.playwright = cls.enterClassContext(sync_playwright())
        cls.browser = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.gateway = OwnGateway(pathlib.Path(folder.name))
        self.addCleanup(self.expect_good_end)
        self.asked, self.said = [], []

    def expect_good_end(self):
        self.assertEqual(self.gateway.stop(), (0, None), self.gateway.pair.log("gateway"))

    def open(self, scheme="light", width=1360, height=1000):
        context = self.browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.add_init_script("addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))")
        page.goto(self.gateway.pair.admin_url)
        return page

    def filled(self, **options):
        stream = self.gateway.make_traffic()
        self.addCleanup(stream.close)
        page = self.open(**options)
        expect(page.locator("#recent tr.row")).to_have_count(7, timeout=WAIT)
        expect(page.locator("#spend li")).to_have_count(1, timeout=WAIT)
        return page

    def assert_shows_everything(self, page):
        for tile, text in {"requests": "7 since start", "running": "1 stream", "failures": "2 of 7",
                           "ttft": "ms", "tokens": " in, ", "cost": "per hour"}.items():
            expect(page.locator(f"#tile-{tile}")).to_contain_text(text)
        running = page.locator("#running tbody tr")
        expect(running).to_have_count(1)
        for text in ("stall", "search-web", "up", "stream", "3 events"):
            expect(running).to_contain_text(text)
        targets = page.locator("#targets tbody tr")
        expect(targets.filter(has_text="broken")).to_contain_text("open")
        expect(targets.filter(has_text="broken")).to_contain_text("consecutive faults")
        expect(targets.filter(has_text="any model")).to_contain_text("closed")
        expect(page.locator("#ttft-chart rect[height='0']")).not_to_have_count(17)
        expect(page.locator("#errors")).to_contain_text("invalid api key")
        expect(page.locator("#errors")).to_contain_text("provider")
        spend = page.locator("#spend li")
        expect(spend).to_contain_text("acme")
        expect(spend.locator("b")).to_have_text(re.compile(r"^\$0\.000\d+$"))
        rows = page.locator("#recent tr.row")
        expect(rows.filter(has_text="cache hit")).to_have_count(1)
        expect(rows.filter(has_text="502")).to_have_count(1)
        self.assertTrue(all(count > 0 for count in rows.evaluate_all(
            "rows => rows.map((row) => row.querySelectorAll('.ledger i').length)")))

    def assert_ledger_opens(self, page):
        row = page.locator("#recent tr.row").filter(has_text="stream-20")
        row.locator(".expand").press("Enter")
        sheet = page.locator("td.details")
        for text in ("request id", "generation", "first token", "settle", "µs", "acme/search", "gateway, provider"):
            expect(sheet).to_contain_text(text)
        expect(row.locator(".expand")).to_have_attribute("aria-expanded", "true")
        expect(row.locator(".expand")).to_be_focused()

    def assert_alone(self):
        """It has asked nobody else, and has had nothing to complain of."""
        asked = {url for url in self.asked if not url.startswith("data:")}
        self.assertTrue(asked)
        self.assertEqual({url for url in asked if not url.startswith(self.gateway.pair.admin_url + "/")}, set())
        self.assertEqual(self.said, [])

    def check_scheme(self, scheme):
        page = self.filled(scheme=scheme)
        self.assert_shows_everything(page)
        self.assert_ledger_opens(page)
        page.screenshot(path=WORK / f"page-{scheme}.png", full_page=True)
        seen, faint = page.evaluate(FAINT)
        self.assertGreater(seen, 150)
        self.assertEqual(faint, [])
        self.assert_alone()
        return page.evaluate("Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g))")

    def test_in_light(self):
        self.assertGreater(self.check_scheme("light"), 230)

    def test_in_dark(self):
        self.assertLess(self.check_scheme("dark"), 40)

    def test_on_a_narrow_screen(self):
        page = self.filled(width=360, height=800)
        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 360)
        for part in ("#tile-requests", "#running tbody tr", "#targets tbody tr >> nth=0", "#recent tr.row >> nth=0"):
            expect(page.locator(part)).to_be_visible()
        page.screenshot(path=WORK / "page-narrow.png", full_page=True)
        self.assert_alone()

    def test_names_are_only_text(self):
        page = self.filled()
        row = page.locator("#recent tr.row").filter(has_text=HOSTILE)
        expect(row).to_have_count(1)
        row.locator(".expand").click()
        expect(page.locator("td.details")).to_contain_text(HOSTILE)
        self.assertEqual(page.evaluate("[window.hit, document.scripts.length, document.images.length]"), [None, 1, 0])
        self.assert_alone()

    def test_no_other_script_runs(self):
        page = self.open()
        with page.expect_console_message(lambda message: "script-src" in message.text):
            page.evaluate("""() => { const script = document.createElement("script"); script.text = "window.hit = 1";
                                     document.body.append(script); }""")
        self.assertIsNone(page.evaluate("window.hit"))

    def test_what_is_shown_can_be_chosen(self):
        page = self.filled()
        rows = page.locator("#recent tr.row")
        page.get_by_label("Filter").fill("STREAM-")
        expect(rows).to_have_count(2)
        page.get_by_label("Filter").fill("nobody asked for this")
        expect(rows).to_have_count(0)
        expect(page.locator("#recent-none")).to_have_text("None of the last requests is like that.")
        page.get_by_label("Filter").fill("")
        page.get_by_label("failed only").check()
        expect(rows).to_have_count(2)
        page.get_by_role("button", name="30 d").click()
        expect(page.get_by_role("button", name="30 d")).to_have_attribute("aria-pressed", "true")
        page.wait_for_function("() => performance.getEntriesByType('resource').some((one) => one.name.includes('since=30d'))")
        self.assert_alone()

    def test_it_is_lively_and_can_be_paused(self):
        page = self.filled()
        self.gateway.ask("stream-5", stream=True)
        expect(page.locator("#recent tr.row")).to_have_count(8)
        page.locator("#recent tr.row .expand").nth(3).focus()
        self.gateway.ask("stream-6", stream=True)
        expect(page.locator("#recent tr.row")).to_have_count(9)
        expect(page.locator("#recent tr.row .expand").nth(4)).to_be_focused()
        page.locator("#pause").focus()
        page.keyboard.press("Space")
        expect(page.locator("#pause")).to_have_text("Go on")
        self.gateway.ask("stream-7", stream=True)
        page.locator("#pause").press("Enter")
        expect(page.locator("#recent tr.row")).to_have_count(10)
        self.assert_alone()

    def test_it_tells_when_the_gateway_is_gone(self):
        page = self.filled()
        self.assert_alone()
        self.expect_good_end()
        expect(page.locator("#gone")).to_contain_text("The gateway cannot be reached.", timeout=WAIT)
        expect(page.locator("#status")).to_have_text("not reached")
        expect(page.locator("#recent tr.row")).to_have_count(7)
        self.gateway.start()
        expect(page.locator("#gone")).to_be_hidden(timeout=WAIT)
        expect(page.locator("#status")).to_have_text("ok")
        expect(page.locator("#recent-none")).to_have_text("No requests yet. Try:")

    def test_the_first_request_is_suggested(self):
        page = self.open()
        expect(page.locator("#recent-none")).to_have_text("No requests yet. Try:", timeout=WAIT)
        expect(page.locator("#running-empty")).to_be_visible()
        expect(page.locator("#spend-empty")).to_be_visible()
        done = subprocess.run(["sh", "-c", page.locator("#example").inner_text()], capture_output=True, text=True, timeout=30,
                              check=True, env=os.environ | {"SLUICE_KEY": self.gateway.key})
        self.assertEqual(json.loads(done.stdout)["object"], "chat.completion", done.stdout)
        expect(page.locator("#recent tr.row")).to_have_count(1)
        self.assert_alone()


if __name__ == "__main__":
    unittest.main()
