"""Package lists of our own, in the format of apt's: ten packages, some of them near-twins."""

TRANSLATED = """Package: abacus
Description-md5: 1
Description-en: counts beads on wires
 Abacus shows wires with beads on the screen. They are moved by the mouse, and the number that they stand for
 is written below. There are nine wires with ten beads each, and every wire has another colour.
 .
 It is meant for schools.

Package: abacus-data
Description-md5: 2
Description-en: counts beads on wires (data files)
 Abacus shows wires with beads on the screen. They are moved by the mouse, and the number that they stand for
 is written below. There are nine wires with ten beads each, and every wire has another colour.
 .
 This package has the pictures of the beads.

Package: libabacus2-dev
Description-md5: 3
Description-en: library of counting frames (headers)
 A library by which programs can draw counting frames of any size, with any number of beads on each of the wires.
 .
 This package has the header files.

Package: libabacus3-dev
Description-md5: 4
Description-en: library of counting frames, new (headers)
 A library by which programs can draw counting frames of any size, with any number of beads on each of the wires,
 and in three dimensions as well.

Package: tinytool
Description-md5: 5
Description-en: too short to be summarized
 It does one thing.

Package: kite
Description-md6: 6
Description-en: flight of kites simulated
 Kite computes how a kite of a given shape flies in wind that changes with height, from first principles, and draws
 the curve that its tail describes.

Package: zebra
Description-md5: 7
Description-en: stripes for tables
 Zebra reads a table, in any of a dozen formats, and colours every second row of it, which makes it easier to read on
 paper and on screens of low contrast.

Package: zebra-again
Description-md5: 8
Description-en: Stripes  for tables
 The same synopsis as another package, but for its case and its blanks, below a description that no other package
 of these lists has.

Package: orphan
Description-md5: 9
Description-en: a package that no Packages list names
 Its description is long enough, but nobody knows the source package that it is built from, so that a twin of it may
 stand anywhere.
"""

PACKAGES = "\n".join(
    f"Package: {name}\nVersion: 1.0\n{f'Source: {source}' + chr(10) if source else ''}Section: {section}\n"
    f"Description: {name} in short\n"
    for name, source, section in (
        ("abacus", "", "education"),
        ("abacus-data", "abacus", "education"),
        ("libabacus2-dev", "libabacus2 (2.1-3)", "libdevel"),
        ("libabacus3-dev", "libabacus3", "libdevel"),
        ("tinytool", "", "utils"),
        ("kite", "", "science"),
        ("zebra", "", "text"),
        ("zebra-again", "zebra", "text"),
    )
)

INLINE = """Package: mill
Version: 2.0
Section: math
Description: grinds numbers
 An old list, or one of a small mirror, that has the extended description where the package is, and no translation
 of it anywhere.
"""
