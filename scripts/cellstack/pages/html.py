"""HTML pages of one file each: style, frame with the version in the footer, embedded pictures.

A page refers to no file that it needs, so it opens from a disk, from an e-mail and without a
network.
"""

from html import escape

from cellstack import __version__

__all__ = ["STYLE", "build_page", "embed_png", "escape"]

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem 1.5rem 4rem; max-width: 112rem;
  font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.7rem; margin: .4rem 0; }
h2 { font-size: 1.3rem; margin: 2.4rem 0 .3rem; padding-top: .6rem; border-top: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p { max-width: 80ch; margin: .3rem 0 .8rem; }
a { color: #0b5394; }
img, svg { max-width: 100%; height: auto; }
.alert { color: #b34700; font-weight: bold; }
footer { margin-top: 3rem; color: #555; font-size: .9rem; }
"""


def build_page(title: str, body: str, style: str = "") -> str:
    """Return a page.

    Parameters
    ----------
    title : str
        Title in the browser, as plain text.
    body : str
        HTML of the body.
    style : str
        CSS after :data:`STYLE`.

    Returns
    -------
    str
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
<footer>cellstack {__version__}; commit, libraries and images are listed in
<code>results/provenance.json</code></footer>
</body>
</html>
"""


def embed_png(png: str, alt: str) -> str:
    """Return an image element that contains its picture.

    Parameters
    ----------
    png : str
        PNG file in base64.
    alt : str
        Description for readers who cannot see the picture, as plain text.

    Returns
    -------
    str

    Examples
    --------
    >>> embed_png("iVBORw0KGgo=", "a < b")
    '<img alt="a &lt; b" src="data:image/png;base64,iVBORw0KGgo=">'
    """
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{png}">'
