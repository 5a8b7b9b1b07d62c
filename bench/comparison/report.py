"""The table, for a terminal and for the document, and the JSON."""

import os
import platform

from .figures import evaluate

SCHEMA = "wyndrvr-bench/1"
_HEADINGS = ("case", "what", "figure", "ours", "against", "reference", "result", "spread",
             "best quarter", "limit", "")

_UNITS = (("_bps", lambda value: f"{value / 1e9:.2f} Gbit/s"),
          ("_ns", lambda value: f"{value / 1e3:.1f} us"),
          ("session_s", lambda value: f"{value * 1e3:.0f} ms"),
          ("_core", lambda value: f"{value * 100:.1f} %"),
          ("cpu_s_per_gb", lambda value: f"{value:.3f}"))


def show_figure(metric, value):
    """A number with its unit."""
    if value is None:
        return "-"
    for ending, show in _UNITS:
        if metric.endswith(ending):
            return show(value)
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _show_result(row):
    if row["kind"] == "ratio":
        return f"{row['value']:.2f}"
    return show_figure(row["metric"], row["value"])


def _show_spread(row):
    low, high = row["spread"]
    if row["kind"] == "ratio":
        return f"{low:.2f}-{high:.2f}"
    return f"{show_figure(row['metric'], low)} - {show_figure(row['metric'], high)}"


def _show_quarter(row):
    quarter = row.get("best_quarter")
    return "-" if quarter is None else f"{quarter:.2f}"


def pooled(documents, cases):
    """One document of all samples of several, by the rows that the cases have today. What they have
    of a case that there is no more is left out."""
    samples = {}
    for document in documents:
        for case in document["cases"]:
            ours, reference = samples.setdefault(case["name"], ([], []))
            ours += case["samples"]["ours"]
            reference += case["samples"]["reference"]
    shown = []
    for case in cases:
        if case.name not in samples:
            continue
        ours, reference = samples[case.name]
        rows = [row for row in (evaluate(row, ours, reference) for row in case.rows) if row]
        shown.append(_shown(case, rows, {"ours": ours, "reference": reference}))
    return {"schema": SCHEMA, "cases": shown}


def _shown(case, rows, samples):
    return {"name": case.name, "place": case.place, "title": case.title,
            "reference": case.reference_name, "rows": rows, "samples": samples}


def table_lines(document):
    """Cells of each row, headings first."""
    lines = [_HEADINGS]
    for case in document["cases"]:
        for row in case["rows"]:
            lines.append((case["name"], case["title"], row["label"],
                          show_figure(row["metric"], row["ours"]), case["reference"] or "-",
                          show_figure(row["metric"], row["reference"]), _show_result(row),
                          _show_spread(row), _show_quarter(row), row["limit"] or "-",
                          row["verdict"] or ""))
    return lines


def text_table(document):
    """Aligned columns."""
    lines = table_lines(document)
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def markdown_table(document):
    """The table of docs/PERFORMANCE.md."""
    lines = table_lines(document)
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([rows[0], "| " + " | ".join(["---"] * len(_HEADINGS)) + " |", *rows[1:]])


def machine():
    """What the figures were measured on."""
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            model = next((line.split(":", 1)[1].strip() for line in file
                          if line.startswith("model name")), "")
    except OSError:
        pass
    return {"kernel": platform.release(), "cpu": model, "cpu_count": len(os.sched_getaffinity(0)),
            "load_average": os.getloadavg()[0]}


def make_document(options, results, skipped):
    """The document of --json. results: list of (case, evaluated rows, samples)."""
    return {
        "schema": SCHEMA,
        "machine": machine(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "cases": [_shown(case, rows, samples) for case, rows, samples in results],
        "skipped": [{"name": name, "reason": reason} for name, reason in skipped],
    }
