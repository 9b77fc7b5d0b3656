"""The rules of Windows for a task, as far as ratectl writes tasks: what it breaks, in words.

From [MS-TSCH] 2.3 and 2.5, the Task Scheduler reference and reported refusals of the service.
Stricter than Windows: an element that ratectl does not write is a broken rule, too.
"""

from __future__ import annotations

import codecs
import datetime as dt
import re
import xml.etree.ElementTree as ET

NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
TRUTH = "true|false"
DURATION = re.compile(r"P(?!$)(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
BOUNDARY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?")
SETTINGS = {
    "MultipleInstancesPolicy": "Parallel|Queue|IgnoreNew|StopExisting",
    "DisallowStartIfOnBatteries": TRUTH,
    "StopIfGoingOnBatteries": TRUTH,
    "StartWhenAvailable": TRUTH,
    "RunOnlyIfNetworkAvailable": TRUTH,
    "Enabled": TRUTH,
    "WakeToRun": TRUTH,
    "Hidden": TRUTH,
    "RunOnlyIfIdle": TRUTH,
    "AllowHardTerminate": TRUTH,
    "ExecutionTimeLimit": DURATION.pattern,
    "Priority": r"\d|10",
}
IN_A_TRIGGER = (
    *("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit"),
    *("RandomDelay", "Schedule"),
)
"""The one place in a task where order counts."""


def broken(data):
    """Return the rules that the task file *data* breaks, none for one that Windows takes."""
    if not data.startswith(codecs.BOM_UTF16_LE):
        return ["the file is not UTF-16LE with its mark"]
    try:
        task = ET.fromstring(data.decode("utf-16"))
    except (ET.ParseError, UnicodeDecodeError) as error:
        return [f"no XML: {error}"]
    return list(_task(task))


def _task(task):
    if task.tag != f"{NAMESPACE}Task":
        yield f"the root is {task.tag}"
        return
    if task.get("version") != "1.2":
        yield f"version {task.get('version')}"
    parts = {}
    for part in task:
        if _tag(part) in parts:
            yield f"two {_tag(part)}"
        parts[_tag(part)] = part
    if unknown := parts.keys() - RULES.keys():
        yield f"unknown: {sorted(unknown)}"
    for name, rule in RULES.items():
        if name in parts:
            yield from rule(parts[name])
        elif name in {"Actions", "Triggers", "Principals"}:
            yield f"no {name}"
    if "Principals" in parts and "Actions" in parts:
        ids = {principal.get("id") for principal in parts["Principals"]}
        if parts["Actions"].get("Context") not in ids:
            yield "the actions' context is no principal"


def _registration(node):
    yield from _fields(node, {"Source": ".*", "Description": "(?s).*", "URI": r"\\ratectl\\.+"})
    for field in node:
        if (field.text or "").startswith("$(@"):
            yield f"{_tag(field)} is a reference to a resource"


def _principals(node):
    if len(node) != 1:
        yield f"{len(node)} principals"
    for principal in node:
        if not principal.get("id"):
            yield "a principal without an id"
        known = {
            "UserId": r"\S.*",
            "LogonType": "InteractiveToken|S4U",
            "RunLevel": "LeastPrivilege|HighestAvailable",
        }
        yield from _fields(principal, known)
        if principal.find(f"{NAMESPACE}UserId") is None:
            yield "nobody runs it"


def _settings(node):
    yield from _fields(node, SETTINGS)


def _actions(node):
    if not 1 <= len(node) <= 32:
        yield f"{len(node)} actions"
    for action in node:
        if _tag(action) != "Exec":
            yield f"an action {_tag(action)}"
            continue
        path = r'[^"]{1,260}'
        yield from _fields(
            action, {"Command": path, "Arguments": "(?s).*", "WorkingDirectory": path}
        )
        if action.find(f"{NAMESPACE}Command") is None:
            yield "an action without a command"


def _triggers(node):
    if not 1 <= len(node) <= 48:
        yield f"{len(node)} triggers"
    for trigger in node:
        yield from _trigger(trigger)


def _trigger(node):
    if _tag(node) == "EventTrigger":
        yield from _event(node)
        return
    tags = ["Schedule" if _tag(c).startswith("ScheduleBy") else _tag(c) for c in node]
    if unknown := set(tags) - set(IN_A_TRIGGER):
        yield f"in a trigger: {sorted(unknown)}"
        return
    if tags != sorted(set(tags), key=IN_A_TRIGGER.index):
        yield f"the order in a trigger: {tags}"
    if "StartBoundary" not in tags:
        yield "a trigger without StartBoundary"
    if ("Schedule" in tags) != (_tag(node) == "CalendarTrigger"):
        yield f"{_tag(node)} with {tags}"
    if _tag(node) not in {"CalendarTrigger", "TimeTrigger"}:
        yield f"a trigger {_tag(node)}"
    for child in node:
        yield from TRIGGER_RULES.get(_tag(child), _schedule)(child)


def _event(node):
    if [_tag(child) for child in node] != ["Enabled", "Subscription"]:
        yield f"an event trigger of {[_tag(child) for child in node]}"
        return
    yield from _truth(node[0])
    try:
        query = ET.fromstring(node[1].text or "")
    except ET.ParseError as error:
        yield f"a subscription that is no query: {error}"
        return
    if not query.findtext("Query/Select", "").startswith("*[System["):
        yield "a subscription that selects nothing"


def _truth(node):
    if node.text not in {"true", "false"}:
        yield f"{_tag(node)} is {node.text!r}"


def _boundary(node):
    if not BOUNDARY.fullmatch(node.text or ""):
        yield f"{_tag(node)} is {node.text!r}"
        return
    try:
        dt.datetime.fromisoformat(node.text)
    except ValueError as error:
        yield f"{_tag(node)}: {error}"


def _duration(node):
    if not DURATION.fullmatch(node.text or ""):
        yield f"{_tag(node)} is {node.text!r}"


def _repetition(node):
    yield from _fields(
        node, {"Interval": ".*", "Duration": DURATION.pattern, "StopAtDurationEnd": TRUTH}
    )
    interval = node.findtext(f"{NAMESPACE}Interval") or ""
    match = DURATION.fullmatch(interval)
    if not match:
        yield f"Interval is {interval!r}"
        return
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    length = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not 60 <= length <= 31 * 86_400:
        yield f"Interval {interval} is not from a minute to 31 days"


def _schedule(node):
    shape = SCHEDULES.get(_tag(node))
    if shape is None:
        yield f"a schedule {_tag(node)}"
        return
    there = {_tag(child): child for child in node}
    if there.keys() != shape.keys() or len(there) != len(node):
        yield f"{_tag(node)} holds {[_tag(child) for child in node]}"
        return
    for name, rule in shape.items():
        yield from rule(there[name])


def _count(most):
    def rule(node):
        if not (node.text or "").isdecimal() or not 1 <= int(node.text) <= most:
            yield f"{_tag(node)} is {node.text!r}, not from 1 to {most}"

    return rule


def _names(known):
    def rule(node):
        tags = [_tag(child) for child in node]
        if not tags or set(tags) - set(known) or len(set(tags)) != len(tags):
            yield f"{_tag(node)} holds {tags}"

    return rule


def _numbers(tag, most):
    def rule(node):
        for child in node:
            text = child.text or ""
            number = text == "Last" or (text.isdecimal() and 1 <= int(text) <= most)
            if _tag(child) != tag or not number:
                yield f"{_tag(child)} is {text!r}"
        if not len(node):
            yield f"{_tag(node)} is empty"

    return rule


RULES = {
    "RegistrationInfo": _registration,
    "Triggers": _triggers,
    "Principals": _principals,
    "Settings": _settings,
    "Actions": _actions,
}
TRIGGER_RULES = {
    "Enabled": _truth,
    "StartBoundary": _boundary,
    "EndBoundary": _boundary,
    "Repetition": _repetition,
    "ExecutionTimeLimit": _duration,
    "RandomDelay": _duration,
}
SCHEDULES = {
    "ScheduleByDay": {"DaysInterval": _count(365)},
    "ScheduleByWeek": {"WeeksInterval": _count(52), "DaysOfWeek": _names(DAYS)},
    "ScheduleByMonth": {"DaysOfMonth": _numbers("Day", 31), "Months": _names(MONTHS)},
    "ScheduleByMonthDayOfWeek": {
        "Weeks": _numbers("Week", 4),
        "DaysOfWeek": _names(DAYS),
        "Months": _names(MONTHS),
    },
}


def _fields(node, known):
    """Yield what is wrong with the children of *node*: each at most once, of a *known* name and form."""
    seen = set()
    for child in node:
        tag = _tag(child)
        if tag in seen:
            yield f"two {tag} in {_tag(node)}"
        seen.add(tag)
        if tag not in known:
            yield f"{tag} in {_tag(node)}"
        elif not re.fullmatch(known[tag], child.text or ""):
            yield f"{tag} is {child.text!r}"


def _tag(node):
    return node.tag.rpartition("}")[2]
