"""Settings of Sphinx for the documentation site; docs/build_site.py copies this file."""

import os
from typing import Any

project = "cellstack"
author = "The cellstack authors"
version = release = os.environ["CELLSTACK_VERSION"]
extensions = ["myst_parser"]

myst_heading_anchors = 6  # with the names of GitHub
suppress_warnings = ["myst.header"]  # tables of results begin with a second heading

html_theme = "pydata_sphinx_theme"
html_title = "cellstack"
html_copy_source = False
html_show_copyright = False
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options: dict[str, Any] = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "search_bar_text": "Search",
    "footer_start": ["version"],
    "footer_end": [],
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher"],
}
if os.environ.get("CELLSTACK_VERSIONS"):  # several versions side by side, see build_site.py
    html_theme_options |= {
        "switcher": {"json_url": "../versions.json", "version_match": version},
        "check_switcher": False,
        "navbar_end": ["version-switcher", "search-button", "theme-switcher"],
    }
