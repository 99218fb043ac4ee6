# pg_tradesync. Users need two commands: `make demo` and `make check`; both install what is missing first.
#   all install · demo · monitor · check (= lint unit sim pgtap wall e2e) · check-long · check-sdk · check-headers · bench · format · clean
PYTHON := /usr/bin/python3
BUILD  := @$(MAKE) --no-print-directory -s -f build.mk
CHECKS := @$(PYTHON) tools/run_checks.py

.PHONY: node all install clean packages demo monitor check check-long check-sdk check-headers lint unit sim pgtap wall e2e bench format
all install clean: packages
	$(BUILD) -j2 $@
packages:
	@tools/packages.sh

check check-long: packages
	$(BUILD) -j2 build-tests
	$(CHECKS) $(if $(filter check-long,$@),--long)
lint unit sim pgtap wall e2e: packages
	$(BUILD) -j2 build-tests
	$(CHECKS) --only $@ $(if $(SEEDS),--seeds $(SEEDS))
# The SDKs and the plain client of the bench run on node; an installed one, of whatever origin, will do.
node:
	@command -v npm >/dev/null || tools/packages.sh nodejs npm
bench: node
check-sdk: packages node
	$(BUILD) -j2 build/tradesync_simulator
	$(CHECKS) --only sdk
check-headers: packages
	@tools/check_headers.sh

demo bench: packages
	$(BUILD) -j2 all build/tradesync_simulator
	@sh tools/install.sh
	@PYTHONPATH=test:test/e2e $(PYTHON) test/$@/$@.py

# Of any database: DB=name or a connection string, else PGHOST, PGDATABASE … as psql takes them.
monitor:
	@tools/monitor.sh

format:
	clang-format -i $$(git ls-files '*.cpp' '*.hpp')
