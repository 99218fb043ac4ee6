"""Who may include whom. The table is the architecture; this script keeps it true."""
import pathlib
import re
import sys

# room: (own headers it may include, foreign headers beyond the C++ standard library)
ROOMS = {
    "worker/core": (["core/"], []),
    "worker/exchanges": (["core/", "exchanges/"], ["simdjson.h", "jansson.h", "openssl/", "chrono"]),
    "worker/net": (["net/"], ["libwebsockets.h", "curl/", "uv.h", "openssl/", "sys/", "netinet/", "arpa/", "netdb.h", "pthread.h",
                              "csignal", "signal.h", "unistd.h", "fcntl.h", "poll.h", "malloc.h", "resolv.h", "thread"]),
    "worker/app": (["core/", "exchanges/", "net/", "postgres/wall.h", "app/"], ["fcntl.h", "sys/stat.h", "unistd.h", "malloc.h"]),
    "worker/postgres": (["postgres/", "shared_", "settings.h", "version.h", "answer_format.h"], ["*"]),
    "extension": (["", ], ["*"]),
}
ONLY_IN = {
    "simdjson.h": "worker/exchanges/json.cpp",
    "jansson.h": "worker/exchanges/json_write.cpp",
    "curl/": "worker/net/http",
    "libwebsockets.h": "worker/net/",
}
C_ROOMS = ("worker/postgres", "extension")
FOREIGN = re.compile(r"(postgres\.h|fmgr\.h|miscadmin\.h|executor/|utils/|access/|storage/|postmaster/|pgstat\.h|libwebsockets|curl/|"
                     r"jansson|simdjson|uv\.h|openssl/|sys/|pthread|csignal|signal\.h|unistd|fcntl|netdb|netinet|arpa/|thread|chrono|random$)")

errors = []
for path in sorted(p for top in ("worker", "extension") for p in pathlib.Path(top).rglob("*") if p.suffix in (".c", ".h", ".cpp", ".hpp")):
    name = str(path)
    if name == "worker/main.c":
        room, ours, system = "worker", ["app/app.h", "postgres/"], ["*"]
    else:
        room = next((r for r in ROOMS if name.startswith(r + "/")), None)
        if room is None:
            errors.append(f"{name}: not in any room")
            continue
        ours, system = ROOMS[room]
    test = name.endswith(("_test.cpp", "_fake.cpp", "_test.hpp", "_fake.hpp"))
    if path.suffix == ".c" and room not in C_ROOMS and name != "worker/main.c":
        errors.append(f"{name}: C lives only behind the wall")
    if path.suffix in (".cpp", ".hpp") and room in C_ROOMS:
        errors.append(f"{name}: no C++ behind the wall")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if not found:
            continue
        header = found.group(2)
        where = f"{name}:{number}"
        own = found.group(1) == '"' and ((pathlib.Path("worker") / header).exists() or (path.parent / header).exists())
        if own and room in ("worker/core", "worker/exchanges", "worker/net", "worker/app") and not any(header.startswith(p) for p in ours):
            errors.append(f"{where}: {room} may not include {header}")
        venue = re.match(r"exchanges/([a-z]+)/", header)
        if room == "worker/exchanges" and venue and f"/{venue.group(1)}/" not in name:
            errors.append(f"{where}: one exchange may not know another")
        if room == "worker/app" and venue:
            errors.append(f"{where}: the app knows exchanges by their interface only")
        if not test and not own and FOREIGN.match(header) and "*" not in system and not any(header.startswith(p) for p in system):
            errors.append(f"{where}: {room} may not include <{header}>")
        for prefix, home in ONLY_IN.items():
            if not test and header.startswith(prefix) and not name.startswith(home):
                errors.append(f"{where}: {header} belongs in {home} only")
print("\n".join(errors) if errors else "rooms: ok")
sys.exit(bool(errors))
