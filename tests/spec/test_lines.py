"""Where keys stand, in TOML as people lay it out."""

from ratectl.spec.lines import key_lines

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
