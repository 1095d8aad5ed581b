"""Pages of the site that lie beside the code: the theory note, the log of runs, how to work on it."""

import tree


def made() -> dict[str, str]:
    """The pages as they are; their links are led home as those of any page."""
    return {page: (tree.ROOT / path).read_text(encoding="utf-8") for page, path in tree.HOMES.items()}
