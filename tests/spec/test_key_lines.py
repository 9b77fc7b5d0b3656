"""Where keys stand, in TOML as people lay it out."""

from ratectl.spec.key_lines import key_lines, member_lines

TEXT = '''\
# [jobs.no]
[jobs.usd-inr]  # a comment
pairs = [
  "USD/INR",  # ] in a comment
  "[jobs.x]",
]
"quoted key" = 1
schedule = """
[not.a.table]
key = 3
"""
a.b.c = { d = 1 }

[[list]]
'single' = \'\'\'x\'\'\'
[ jobs . "usd-eur" ]
x=1
'''


def test_lines():
    """Tables, dotted and quoted keys are found; what stands in strings, lists and comments is not."""
    assert key_lines(TEXT) == {
        ("jobs", "usd-inr"): 2,
        ("jobs", "usd-inr", "pairs"): 3,
        ("jobs", "usd-inr", "quoted key"): 7,
        ("jobs", "usd-inr", "schedule"): 8,
        ("jobs", "usd-inr", "a"): 12,
        ("jobs", "usd-inr", "a", "b"): 12,
        ("jobs", "usd-inr", "a", "b", "c"): 12,
        ("list",): 14,
        ("list", "single"): 15,
        ("jobs", "usd-eur"): 16,
        ("jobs", "usd-eur", "x"): 17,
    }


def test_members():
    """Tables of a list are found by their number, each with its keys."""
    text = "[[a.b]]\nx = 1\n[c]\ny = 2\n[[a.b]]\n\nx = 3\n"

    assert member_lines(text) == {
        ("a", "b", "0"): 1,
        ("a", "b", "0", "x"): 2,
        ("a", "b", "1"): 5,
        ("a", "b", "1", "x"): 7,
    }
