"""Words that may not occur in some rooms: inexact numbers, hash order, table names in C++, the function name that crashes."""
import pathlib
import re
import sys

RULES = [
    (("worker/core", "worker/exchanges"), r"\b(double|float)\b", "money is Decimal; no floating point here"),
    (("worker/core", "worker/exchanges"), r"\bunordered_(map|set)\b", "iteration order must not depend on hashing"),
    (("worker",), r"(?i)\b(insert\s+into|delete\s+from|from\s+monitoring\.(?!\w+\s*\()|join\s+monitoring\.|update\s+monitoring\.)",
     "C++ calls SQL functions, it does not know tables"),
    (("worker/core", "worker/exchanges", "worker/app"), r"^\s*default\s*:", "a switch over our enums has no default"),
    (("worker", "extension"), r"\bjson_object\s*\(", "resolves to PostgreSQL's own function and crashes the server"),
    (("worker/core", "worker/exchanges", "worker/app", "worker/net"), r"(?<![.\w:])(std::)?(abort|terminate|assert)\s*\(\s*\)|(?<![.\w:_])assert\s*\(", "a crash of ours is a crash of the database"),
    (("worker", "extension", "test", "tools", "sql"), r"\b(TODO|FIXME|XXX|HACK)\b", "finish it or take it out"),
]
ALLOWED = {"tools/check_words.py"}
SUFFIXES = {".c", ".h", ".cpp", ".hpp", ".sql", ".py", ".sh"}

bad = []
for rooms, pattern, why in RULES:
    for room in rooms:
        for path in sorted(p for p in pathlib.Path(room).rglob("*") if p.suffix in SUFFIXES):
            if str(path) in ALLOWED or "node_modules" in path.parts:
                continue
            if path.name.endswith(("_test.cpp", "_test.hpp", "_fake.cpp", "_fake.hpp")) and "TODO" not in pattern:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                code = line if "TODO" in pattern else line.split("//")[0]
                if re.search(pattern, code):
                    bad.append(f"{path}:{number}: {why}")
print("\n".join(bad) if bad else "words: ok")
sys.exit(bool(bad))
