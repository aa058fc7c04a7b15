"""HTML pages, read for the tests."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """The elements of a page; it asserts that each is closed."""

    WITHOUT_END = ("meta", "link", "img")

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
