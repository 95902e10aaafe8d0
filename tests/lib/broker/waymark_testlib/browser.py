"""Debian's Chromium without a screen, driven by Selenium: it can reach this machine only, and dies with the test run."""
import base64
import json
import os
import time

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from .process import _die_with_parent, free_ports

DRIVER, PROGRAM = "/usr/bin/chromedriver", "/usr/lib/chromium/chromium"
FLAGS = (
    "--headless=new", "--disable-gpu",
    "--remote-debugging-pipe",  # it ends when the driver does, however that ends
    "--no-sandbox", "--disable-dev-shm-usage",  # root in a container
    "--no-first-run", "--no-default-browser-check", "--disable-default-apps", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-domain-reliability",
    "--disable-client-side-phishing-detection", "--disable-breakpad", "--disable-crash-reporter", "--metrics-recording-only",
    "--no-pings", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # what it tries by itself all the same finds no host
)

LOADED = "if (document.readyState !== 'complete') throw new Error('it is being loaded');\n"


class Browser:
    """One page at a time. 'folder' takes the profile and the driver's log."""

    def __init__(self, folder, width=1000, height=900):
        # Where no driver is, Selenium would look for one on the internet.
        assert all(map(os.path.exists, (DRIVER, PROGRAM))), "no Chromium: run 'tools/setup --tests'"
        folder.mkdir(parents=True, exist_ok=True)
        options = Options()
        options.binary_location = PROGRAM
        options.ignore_local_proxy_environment_variables()
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"session.restore_on_startup": 4, "session.startup_urls": ["about:blank"]})
        for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}"):
            options.add_argument(flag)
        service = Service(DRIVER, port=free_ports(1)[0], log_path=str(folder / "driver.log"),
                          env={**os.environ, "HOME": str(folder), "TZ": "UTC"},
                          popen_kw={"preexec_fn": _die_with_parent, "start_new_session": True})
        self.driver = WebDriver(service=service, options=options)
        self.driver.set_page_load_timeout(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def open(self, url):
        self.driver.get(url)

    def tell(self, command, **what):
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, what)

    def ask(self, script, *arguments, patience=30):
        """What a script, which is none of the page's, returns; again when the page was loaded anew meanwhile."""
        until = time.monotonic() + patience
        while True:
            try:
                return self.driver.execute_script(LOADED + script, *arguments)
            except WebDriverException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def follow(self, words, patience=30):
        """Clicks on a link; again when the page was loaded anew between finding and clicking."""
        until = time.monotonic() + patience
        while True:
            try:
                return self.driver.find_element("link text", words).click()
            except (NoSuchElementException, StaleElementReferenceException):
                if time.monotonic() > until:
                    raise

    def text(self):
        """What a person sees of it."""
        return self.ask("return document.body ? document.body.innerText : ''")

    def look(self, width=None, dark=False, scripts=True):
        """The page as others see it: on a telephone, at night, without JavaScript."""
        if width:
            self.tell("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=2, mobile=True)
        else:
            self.tell("Emulation.clearDeviceMetricsOverride")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)

    def picture(self, path):
        """The whole page, also what is below the window."""
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def complaints(self):
        """The console's lines since the last time."""
        return [line["message"] for line in self.driver.get_log("browser")]

    def requests(self):
        """(URL, status or None) of everything that the page asked for since the last time, in this order."""
        asked = {}
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            what = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                asked[what["requestId"]] = (what["request"]["url"], None)
            elif message["method"] == "Network.responseReceived" and what["requestId"] in asked:
                asked[what["requestId"]] = (asked[what["requestId"]][0], what["response"]["status"])
        return list(asked.values())
