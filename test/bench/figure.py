"""One measured figure beside its named baseline, and whether it keeps its promise."""
import dataclasses


@dataclasses.dataclass
class Figure:
    name: str
    value: float
    unit: str
    baseline: str = ""                 # its name; measured in the same run unless it says "documented"
    baseline_value: float = None       # same unit as value
    promise: str = ""                  # as it is printed
    kept: bool = None                  # None: no promise, only reported
    more_is_better: bool = True
    detail: dict = dataclasses.field(default_factory=dict)

    @property
    def ratio(self):
        """How many times better than the baseline; below 1 is worse."""
        if not self.baseline_value or not self.value:
            return None
        return self.value / self.baseline_value if self.more_is_better else self.baseline_value / self.value

    def verdict(self):
        return "" if self.kept is None else "ok" if self.kept else "MISSED"

    def as_json(self):
        return {**dataclasses.asdict(self), "ratio": self.ratio, "verdict": self.verdict()}


def short(number):
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}" if abs(number) < 10 else f"{number:.1f}"


def print_table(figures):
    head = ("figure", "measured", "unit", "baseline", "its value", "ratio", "must", "")
    lines = [head] + [(f.name, short(f.value), f.unit, f.baseline, short(f.baseline_value), f"{short(f.ratio)}x" if f.ratio else "",
                       f.promise, f.verdict()) for f in figures]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    right = (1, 4, 5)
    for number, line in enumerate(lines):
        print("  ".join(cell.rjust(width) if i in right else cell.ljust(width) for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
