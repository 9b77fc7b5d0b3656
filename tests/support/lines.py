"""The form of a text output's line, at any hour: around midnight in UTC the newest rate may be of another day than the slot."""

import re

OF_ANOTHER_DAY = r"( \(of \d\d/\d\d/\d{4}\))?"
TEXT_LINE = re.compile(rf"\d\d/\d\d/\d{{4}} - ([A-Z]{{3}}/[A-Z]{{3}} )?\d+(\.\d+)?{OF_ANOTHER_DAY}")
