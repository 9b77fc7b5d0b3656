"""The page's colours, computed: contrast in both schemes, and marks that stay apart for those who see fewer colours."""

import re
from itertools import combinations

import pytest

from ratectl.runtime import templates

TEXTS = ("text", "quiet", "accent", "up", "down", "ok", "failed", "missed")
MARKS = (
    *("ok", "late", "backfilled", "closed", "open", "held", "failed", "missed", "due"),
    *("none", "accent"),
)
DEFICIENCIES = {  # Machado, Oliveira and Fernandes 2009, severity 1.0
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}  # fmt: skip
SCHEMES = ("light", "dark")


def colours(scheme):
    """Return the colours of a scheme by name, as linear red, green and blue."""
    light, dark = re.findall(r":root \{(.*?)\}", templates.source("report/report.css"), re.DOTALL)
    found = dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", dark))
    return {
        name: [linear(int(text[n : n + 2], 16) / 255) for n in (0, 2, 4)]
        for name, text in found.items()
    }


def linear(value):
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def luminance(colour):
    return sum(part * weight for part, weight in zip(colour, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2.1 defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def seen(colour, deficiency):
    rows = DEFICIENCIES[deficiency] if deficiency else ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    return [min(1, max(0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in rows]


def lab(colour):
    """Return a linear colour in CIE Lab, under D65."""
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, colour, strict=True)) for row in matrix]
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (xyz[0] / 0.9505, xyz[1], xyz[2] / 1.089)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("deficiency", ["", *DEFICIENCIES])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_contrast(scheme, deficiency):
    """Text has a contrast of 4.5 on paper and panel, and each mark one of 3, for every eye."""
    found = {name: seen(colour, deficiency) for name, colour in colours(scheme).items()}
    faint = [
        (name, ground, round(contrast(found[name], found[ground]), 2))
        for names, least in ((TEXTS, 4.5), (MARKS, 3))
        for name in names
        for ground in ("paper", "panel")
        if contrast(found[name], found[ground]) < least
    ]

    assert faint == []


@pytest.mark.parametrize("deficiency", ["", *DEFICIENCIES])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_good_and_bad_stay_apart(scheme, deficiency):
    """On time, failed, missed and held differ by CIE 15 at least for every eye, besides their shapes."""
    found = {name: lab(seen(colour, deficiency)) for name, colour in colours(scheme).items()}
    apart = {
        (one, other): sum((a - b) ** 2 for a, b in zip(found[one], found[other], strict=True))
        ** 0.5
        for one, other in combinations(("ok", "failed", "missed", "held"), 2)
        if "ok" in {one, other}
    }

    assert min(apart.values()) >= 15, apart
