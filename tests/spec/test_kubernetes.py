"""What the table [kubernetes] takes, beyond the files in tests/specs."""

import pytest

from ratectl.spec import kubernetes

DIGEST = "@sha256:" + "0a" * 32


@pytest.mark.parametrize(
    "name",
    [
        "ratectl:1.0.0",
        "localhost:5000/ratectl:1",
        "registry.example/books/ratectl:v1_2.3",
        f"registry.example:443/books/rate-ctl{DIGEST}",
        f"registry.example/ratectl:1{DIGEST}",
    ],
)
def test_images(name):
    """An image is named by a tag or a digest, with or without a registry."""
    assert kubernetes.image(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "ratectl",
        "localhost:5000/ratectl",
        "registry.example/ratectl:latest",
        f"registry.example/ratectl:latest{DIGEST}",
        "Ratectl:1",
        "ratectl:",
        "ratectl:1@sha256:12",
        "https://registry.example/ratectl:1",
        3,
    ],
)
def test_images_that_would_change_or_are_none(name):
    """Nothing runs that could be another program tomorrow."""
    with pytest.raises(ValueError, match=r"image|latest|text"):
        kubernetes.image(name)


@pytest.mark.parametrize(
    ("reader", "written", "read"),
    [
        (kubernetes.cpu, "1000m", "1"),
        (kubernetes.cpu, "1500m", "1500m"),
        (kubernetes.cpu, "2", "2"),
        (kubernetes.memory, "65536Ki", "64Mi"),
        (kubernetes.memory, "1024Mi", "1Gi"),
        (kubernetes.memory, "100000Ki", "100000Ki"),
    ],
)
def test_amounts(reader, written, read):
    """Amounts are spelled as the server gives them back, so that an object compares equal."""
    assert reader(written) == read
