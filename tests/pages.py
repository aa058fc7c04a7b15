"""HTML pages, read for the tests."""

import json
from html.parser import HTMLParser


class Reader(HTMLParser):
    """The elements of a page; it asserts that each is closed."""

    WITHOUT_END = ("meta", "link", "img", "br", "input")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.WITHOUT_END:
            self.open.append(tag)

    def handle_data(self, text):
        self.texts.append(text)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def attributes_of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self):
        """Values of all attributes that name another file or place."""
        return [
            value
            for _, attributes in self.elements
            for key, value in attributes.items()
            if key in ("src", "href")
        ]


SOFTWARE = {
    "cellstack": "1.2.3",
    "commit": "0123abc-dirty",
    "python": "3.99.1",
    "packages": {"numpy": "9.8.7"},
}
IMPORTED = {"format": "TIFF", "scene": None, "time": None, "channel": {"index": 0}}


def write_imported(folder, stacks, sha256="f00d"):
    """Write records of images, and return the arguments of a script whose page lists them."""
    arguments = {"raw": [], "records": [], "images": [], "software": SOFTWARE}
    for stack in stacks:
        channel = folder / stack / "channels" / "nuclei"
        channel.mkdir(parents=True)
        (channel / "import.json").write_text(json.dumps(IMPORTED))
        known = {"sha256": f"{sha256}-{stack}", "sizes": [5]}
        (channel / ".raw.tif.source.json").write_text(json.dumps(known))
        arguments["raw"].append(channel / "raw.tif")
        arguments["records"].append(channel / "import.json")
        image = {"stack": stack, "channel": "nuclei", "image": f"/private/<{stack}>.tif"}
        arguments["images"].append(image)
    return arguments
