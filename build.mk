# How pg_tradesync is built, on top of PostgreSQL's PGXS. `make` alone and its targets are in Makefile.
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)

EXTENSION   = extension/pg_tradesync
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" extension/pg_tradesync.control)
MODULE_big  = pg_tradesync
OBJS        = $(patsubst %.c,build/%.o,$(wildcard extension/*.c))
DATA        = $(wildcard migrations/pg_tradesync--*--*.sql)
DATA_built  = build/pg_tradesync--$(EXTVERSION).sql
EXTRA_CLEAN = build pg_tradesync_worker.so
SHLIB_LINK  = -Wl,--version-script=extension/exports.map
override with_llvm = no
PG_CPPFLAGS = -Iworker -Iextension -MMD -MP -DTRADESYNC_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

PGXS := $(shell $(PG_CONFIG) --pgxs)
default: all
include $(PGXS)

# ---------------------------------------------------------------- C++: never sees a PostgreSQL header, the path is not there
CXX      := $(if $(shell command -v ccache),ccache )g++
CXXBASE  := -std=c++20 -O2 -g -fPIC -Wall -Wextra -Werror -fvisibility=hidden -MMD -MP
# g++ 12 warns about members of std::variant alternatives that were never active.
CXXBASE  += -Wno-maybe-uninitialized
no_test   = $(filter-out %_test.cpp %_fake.cpp,$(wildcard $(1)))
core_src      := $(call no_test,worker/core/*.cpp)
exchanges_src := $(call no_test,worker/exchanges/*.cpp worker/exchanges/*/*.cpp)
net_src       := $(call no_test,worker/net/*.cpp)
app_src       := $(call no_test,worker/app/*.cpp)
wall_src      := $(wildcard worker/postgres/*.c worker/main.c)
objects = $(patsubst %,build/%.o,$(basename $(1)))
pure_objs   := $(call objects,$(core_src) $(exchanges_src))
worker_objs := $(pure_objs) $(call objects,$(net_src) $(app_src) $(wall_src))
worker_libs := -lwebsockets -lcurl -lsimdjson -ljansson -luv -lssl -lcrypto -lpthread

build/worker/%.o: worker/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(CXXBASE) -Iworker -c $< -o $@
build/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PG_CFLAGS) $(CPPFLAGS) -c $< -o $@

pg_tradesync_worker.so: $(worker_objs) worker/exports.map
	g++ -shared -o $@ $(worker_objs) -Wl,--version-script=worker/exports.map -Wl,-z,now $(worker_libs)

all: pg_tradesync_worker.so
install: install-worker
install-worker: pg_tradesync_worker.so
	$(INSTALL_SHLIB) pg_tradesync_worker.so '$(DESTDIR)$(pkglibdir)/'

build/pg_tradesync--$(EXTVERSION).sql: $(sort $(wildcard sql/*.sql)) build/15_lifecycle.sql extension/pg_tradesync.control
	@mkdir -p build
	cat $$(for f in sql/*.sql build/15_lifecycle.sql; do echo "$${f##*/} $$f"; done | sort | cut -d' ' -f2) > $@
build/15_lifecycle.sql: tools/states_to_sql.cpp $(wildcard worker/core/*_states.def)
	@mkdir -p build
	g++ -std=c++20 -Iworker $< -o build/states_to_sql && build/states_to_sql > $@

# ---------------------------------------------------------------- tests
TESTFLAGS := $(CXXBASE) -Iworker -Itest -I.
build/test/%.o: test/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(TESTFLAGS) -c $< -o $@

unit_src  := $(wildcard worker/core/*_test.cpp worker/exchanges/*_test.cpp worker/exchanges/*/*_test.cpp worker/net/*_test.cpp worker/app/*_test.cpp)
core_test := build/unit/core
unit_bins := build/unit/core build/unit/exchanges build/unit/net build/unit/app build/unit/market
pure_a     = build/libpure.a
$(pure_a): $(pure_objs)
	rm -f $@ && ar rcs $@ $^
test_objs  = $(call objects,$(filter $(1),$(unit_src)))
build/unit/core: $(call test_objs,worker/core/%) $(pure_a)
	@mkdir -p $(@D) && g++ -o $@ $^ -lgtest -lgtest_main -lsimdjson -ljansson -lcrypto
build/unit/exchanges: $(call test_objs,worker/exchanges/%) $(pure_a)
	@mkdir -p $(@D) && g++ -o $@ $^ -lgtest -lgtest_main -lsimdjson -ljansson -lcrypto
build/unit/net: $(call test_objs,worker/net/%) $(call objects,$(wildcard worker/net/*_fake.cpp) $(net_src))
	@mkdir -p $(@D) && g++ -o $@ $^ -lgtest -lgtest_main -lwebsockets -lcurl -luv -lssl -lcrypto -lpthread -ldl
build/unit/app: $(call test_objs,worker/app/%) $(call objects,$(wildcard worker/app/*_fake.cpp)) $(filter-out build/worker/app/app.o build/worker/app/turn.o,$(call objects,$(app_src))) $(pure_a)
	@mkdir -p $(@D) && g++ -o $@ $^ -lgtest -lgtest_main -lsimdjson -ljansson -lcrypto

market_objs := $(call objects,$(call no_test,test/market/*.cpp))
build/unit/market: $(call objects,$(wildcard test/market/*_test.cpp)) $(market_objs)
	@mkdir -p $(@D) && g++ -o $@ $^ -lgtest -lgtest_main -ljansson -lssl -lcrypto
build/tradesync_simulator: $(call objects,$(call no_test,test/simulator/*.cpp)) $(market_objs)
	g++ -o $@ $^ -lwebsockets -luv -ljansson -lssl -lcrypto -lpthread

# The simulation. What moves states is compiled once more, with the recorder of moves.
sim_app  := $(addprefix worker/app/,account_machine.cpp load.cpp load_trading.cpp store.cpp tables.cpp tables_trading.cpp rows.cpp trading_access.cpp status.cpp)
sim_src  := $(core_src) $(sim_app) $(call no_test,test/sim/*.cpp)
build/sim/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(TESTFLAGS) -DTRADESYNC_RECORD_MOVES -c $< -o $@
build/tradesync_sim: $(patsubst %,build/sim/%.o,$(basename $(sim_src))) $(call objects,$(exchanges_src)) $(market_objs)
	g++ -o $@ $^ -lsimdjson -ljansson -lcrypto

# The worker of the wall tests: a double in the app's place, and the same as a library of another release.
double_objs := $(call objects,$(wall_src)) build/test/wall/app_double.o
build/wall/double/pg_tradesync_worker.so: $(double_objs) worker/exports.map
	@mkdir -p $(@D) && g++ -shared -o $@ $(double_objs) -Wl,--version-script=worker/exports.map -Wl,-z,now -lpthread
build/wall/salted/process.o: worker/postgres/process.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PG_CFLAGS) $(CPPFLAGS) -DTRADESYNC_LAYOUT_SALT=1 -c $< -o $@
salted_objs := build/wall/salted/process.o $(filter-out %/process.o,$(double_objs))
build/wall/salted/pg_tradesync_worker.so: $(salted_objs) worker/exports.map
	@mkdir -p $(@D) && g++ -shared -o $@ $(salted_objs) -Wl,--version-script=worker/exports.map -Wl,-z,now -lpthread

.PHONY: unit-tests build-tests
unit-tests: $(unit_bins)
build-tests: all unit-tests build/tradesync_simulator build/tradesync_sim build/wall/double/pg_tradesync_worker.so build/wall/salted/pg_tradesync_worker.so

-include $(shell find build -name '*.d' 2>/dev/null)
