"""Writes src/text/clusters.bin: which letters go together in grapheme clusters, of the tables of the crate unicode-segmentation.

    python clusters.py path/to/unicode-segmentation/src/tables.rs ../../src/text/clusters.bin

Range by range, in LEB128: how many letters lie before it, and (letters - 1) * 8 + class. Hangul, flags, CR, LF and the
joiner are told by their code points in src/text/clusters.rs.
"""

import re
import sys

CLASSES = ["GC_Control", "GC_Extend", "Linker", "GC_SpacingMark", "GC_Prepend", "GC_Extended_Pictographic", "GC_InCB_Consonant"]


def letter(text):
    escaped = re.fullmatch(r"\\u\{([0-9a-fA-F]+)\}", text)
    return int(escaped.group(1), 16) if escaped else ord(text)


def ranges(source):
    """The class of every letter that has one, as (first, last, class) in order."""
    start = source.index("[", source.index("=", source.index("const grapheme_cat_table")))
    table = source[start : source.index("];", start)]
    char = r"'(\\u\{[0-9a-f]+\}|.)'"
    classes = {}
    for first, last, name in re.findall(rf"\({char},\s*{char},\s*(\w+)\)", table):
        if name in CLASSES:
            classes.update(dict.fromkeys(range(letter(first), letter(last) + 1), name))
    linkers = re.search(r"fn is_incb_linker.*?\n}", source, re.S).group(0)
    classes.update({letter(c): "Linker" for c in re.findall(r"'(\\u\{[0-9A-F]+\})'", linkers)})
    merged = []
    for code in sorted(classes):
        if merged and merged[-1][1] + 1 == code and merged[-1][2] == classes[code]:
            merged[-1][1] = code
        else:
            merged.append([code, code, classes[code]])
    return merged


def leb128(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def main(tables, to):
    out, end = b"", 0
    with open(tables, encoding="utf-8") as file:
        for first, last, name in ranges(file.read()):
            out += leb128(first - end) + leb128((last - first) * 8 + CLASSES.index(name))
            end = last + 1
    with open(to, "wb") as file:
        file.write(out)
    print(f"{len(out)} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
