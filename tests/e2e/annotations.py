"""Holds reports to what GitLab takes as `artifacts:reports:annotations`: at most 81,920 bytes and 1,000 links."""

import json
import pathlib
import sys

LARGEST, MOST = 81_920, 1_000

for path in map(pathlib.Path, sys.argv[1:]):
    text = path.read_bytes()
    links = [link for links in json.loads(text).values() for link in links]
    assert len(text) <= LARGEST and len(links) <= MOST, path
    for link in links:
        assert list(link) == ["external_link"] and set(link["external_link"]) == {"label", "url"}, (path, link)
        assert link["external_link"]["url"].startswith(("http://", "https://")), (path, link)
print(f"{len(sys.argv) - 1} annotations reports hold")
