"""Arithmetic of the comparison: medians, ratios of pairs, limits. Pure; tested in tests/bench."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Limit:
    """What a row must reach."""

    bound: float
    at_least: bool

    def verdict(self, value):
        """"pass" or "miss"."""
        kept = value >= self.bound if self.at_least else value <= self.bound
        return "pass" if kept else "miss"

    def __str__(self):
        return f"{'>=' if self.at_least else '<='} {self.bound:g}"


def at_least(bound):
    return Limit(bound, True)


def at_most(bound):
    return Limit(bound, False)


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: a metric of a pair, and how it is judged.

    kind: "ratio"  median of the ratios ours / reference of adjacent samples
          "value"  median of ours alone
          "total"  sum of ours over all rounds
    """

    metric: str
    kind: str = "ratio"
    limit: Limit | None = None
    label: str = ""


def pair_ratios(ours, reference, metric):
    """ours / reference of each round that has both; a reference of 0 has no ratio."""
    return [mine[metric] / other[metric] for mine, other in zip(ours, reference, strict=True)
            if metric in mine and other.get(metric)]


def values_of(samples, metric):
    return [sample[metric] for sample in samples if metric in sample]


def median_of(samples, metric):
    """Median, or None where nothing was measured."""
    values = values_of(samples, metric)
    return statistics.median(values) if values else None


def spread_of(values):
    """(smallest, largest), or None."""
    return (min(values), max(values)) if values else None


def best_quarter(ours, reference, metric):
    """ours / reference where each had a good moment: of the upper quartiles of rates, of the lower
    ones of costs and times. None with fewer than four rounds.

    What a neighbour takes from a shared machine it takes from some runs whole and from others not
    at all: then the ratios of pairs scatter, and this tells what both can do.
    """
    mine, others = values_of(ours, metric), values_of(reference, metric)
    if min(len(mine), len(others)) < 4:
        return None
    which = 2 if metric.endswith("_bps") else 0
    divisor = statistics.quantiles(others, method="inclusive")[which]
    return statistics.quantiles(mine, method="inclusive")[which] / divisor if divisor else None


def evaluate(row, ours, reference):
    """A row's figures as a dict, or None where no round measured it.

    ours and reference are lists of samples (metric -> number), one each per round. reference may be
    empty where the row needs none.
    """
    mine = values_of(ours, row.metric)
    if not mine:
        return None
    if row.kind == "ratio":
        judged = pair_ratios(ours, reference, row.metric)
        if not judged:
            return None
        value = statistics.median(judged)
    else:
        judged = mine
        value = sum(mine) if row.kind == "total" else statistics.median(mine)
    quarter = best_quarter(ours, reference, row.metric) if row.kind == "ratio" else None
    return {"metric": row.metric, "label": row.label, "kind": row.kind,
            "ours": statistics.median(mine), "reference": median_of(reference, row.metric),
            "value": value, "spread": spread_of(judged), "best_quarter": quarter, "rounds": len(judged),
            "limit": str(row.limit) if row.limit else None,
            "verdict": row.limit.verdict(value) if row.limit else None}
