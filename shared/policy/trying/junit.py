"""The results of scenarios as the XML that continuous integration reads (JUnit's)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from shared.policy.trying.scenarios import Run


def to_junit(done: Run) -> bytes:
    """One suite with a test case for each scenario; rows that none reached are its output."""
    seconds = sum(result.seconds for result in done.results)
    figures = {"tests": f"{len(done.results)}", "failures": f"{done.failed}", "errors": "0"}
    suites = ET.Element("testsuites", figures)
    suite = ET.SubElement(
        suites, "testsuite", {"name": done.policy_version, **figures, "time": f"{seconds:.6f}"}
    )
    for result in done.results:
        case = ET.SubElement(suite, "testcase", {
            "classname": done.policy_version.partition("@")[0], "name": result.name,
            "file": done.file, "line": f"{result.line}", "time": f"{result.seconds:.6f}",
        })  # fmt: skip
        if not result.passed:
            lines = [
                f"{one.what}: expected {one.expected}, came {one.came}"
                for one in result.differences
            ]
            failure = ET.SubElement(case, "failure", {"message": lines[0]})
            failure.text = "\n".join(lines)
    rows = [f"{table}: {row}" for table, names in done.unreached.items() for row in names]
    if rows:
        ET.SubElement(suite, "system-out").text = "\n".join(["No scenario reaches:", *rows])
    ET.indent(suites)
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True))
