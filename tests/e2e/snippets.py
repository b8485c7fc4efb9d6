"""Writes each YAML block of a Markdown file whose first line is a comment that names its file, for GitHub or GitLab.

usage: snippets.py FILE FOLDER
"""

import re
import sys
from pathlib import Path

blocks = re.findall(r"```yaml\n(# \S*(github|gitlab)\S*\n.*?)```", Path(sys.argv[1]).read_text(), re.DOTALL)
for number, (text, system) in enumerate(blocks):
    Path(sys.argv[2], f"{system}-{number}.yml").write_text(text)
systems = {system for _, system in blocks}
sys.exit(None if systems == {"github", "gitlab"} else f"blocks were found for {systems or 'nobody'} only")
