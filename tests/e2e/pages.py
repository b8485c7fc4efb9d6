"""Holds Markdown reports to GitHub's own renderer: no word of the server becomes a link, a picture, a mention or a reference.

usage: pages.py FILE…   with cmarkgfm
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

# What GitHub and GitLab look for in the text of a page, outside of code.
REFERENCE = re.compile(r"(?<![\w/])@\w|#\d|(?<!\w)[!$%&~]\d|(?<!\w)[~%][\w\"]|\bGH-\d|://|\bwww\.\w", re.I)
# Where the gate itself links to.
OURS = re.compile(r"https?://[\w.:-]+/[\w%.-]+/installs/|https://ci\.example|#")


class Page(HTMLParser):
    def __init__(self, name):
        super().__init__()
        self.name, self.code = name, 0

    def wrong(self, what):
        sys.exit(f"{self.name}: {what}")

    def handle_starttag(self, tag, attributes):
        self.code += tag in ("code", "pre")
        if tag not in {"a", "br", "code", "details", "em", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"}:
            self.wrong(f"a tag {tag}")
        if tag == "a" and not OURS.match(dict(attributes)["href"]):
            self.wrong(f"a link to {attributes}")

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_data(self, data):
        found = None if self.code else REFERENCE.search(data)
        if found:
            self.wrong(f"{found[0]!r} in {data!r}")


for name in sys.argv[1:]:
    text = Path(name).read_text()
    Page(name).feed(cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))
print(f"{len(sys.argv) - 1} pages are as they are meant")
