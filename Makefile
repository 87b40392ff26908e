# make run    open the dashboard on plain files (PORT=8501 by default)
# make test   install the test tools and run all tests
# make test-fast  run the unit tests, and the contract tests on files and SQLite: no browser, no PostgreSQL
# make test-mariadb  install a MariaDB server if necessary, and run the tests of databases on it
# make test-rpc-clients  install Node.js if necessary, and call the RPC server with its clients
# make test-engines  install Dask and Spark (which needs Java), and check tables on them
# make test-mcp-agent  install an agent framework, and let it work on findings over MCP
# make test-soak  kill, save and call again and again for minutes: what make test leaves out
# make lint   ruff and mypy only
# make demo   fill the configured store with real tables, reports and discussions, then open it
# make bench  measure against version 0.7.1 and the raw limits
# make bench-desk  measure the inbox over a million findings
# make bench-load  measure the screen Findings under 1 to 200 sessions (ARGS: sessions, seconds, stores)
# make bench-gate  measure how long --fail-on takes to judge 10,000 findings
# make bench-import  measure the memory of importing files of 100 MB from other tools (ARGS: kinds)
# make bench-migration  measure the migration of 2,000,000 findings from files into SQLite
# make bench-accessors  measure batches of an application's own rows against single writes
# make bench-detect  measure detection against SUMMARIZE of DuckDB (ARGS: ratio growth memory)
# make bench-tools  measure detection against other tools, each in an environment of its own (ARGS: rows)
# make bench-drift  plant drift between deliveries, and changes that are none (ARGS: kinds)
# make bench-quality  plant errors of every kind in clean tables, and count what is found (ARGS: kinds)
# make bench-wide  measure a CSV of 10 rows and 5,000 columns, kind by kind (ARGS: kinds)
# make bench-worklist  measure a worklist of 5,000 rows: creating it and reading it back
# make wheel  build the wheel;  make test-wheel: install it elsewhere and open its dashboard
# make pins   write constraints.txt from what is installed

PORT ?= 8501
WORKERS ?= 2
PY := .venv/bin/python
INPUTS := pyproject.toml constraints.txt scripts/install.sh

.PHONY: run test test-fast test-mariadb test-rpc-clients test-mcp-agent test-soak lint demo bench bench-accessors bench-desk bench-drift bench-load bench-migration bench-quality wheel test-wheel pins clean bench-gate bench-import bench-wide bench-worklist test-engines bench-detect bench-tools

run: .venv/run.stamp
	@$(PY) -m streamlit run app.py --server.port $(PORT)

test: lint
	@scripts/chromium.sh
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-fast: .venv/test.stamp
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not browser and not postgres and not slow and not soak" $(ARGS)

test-engines: .venv/engines.stamp
	@scripts/java.sh
	@LAVENDERTOWN_TEST_ENGINES=1 $(PY) -m pytest tests/engines $(ARGS)

test-mariadb: .venv/mariadb.stamp
	@scripts/mariadb.sh
	@$(PY) -m tests.support.mariadb $(PY) -m pytest -n $(WORKERS) --dist worksteal -k mariadb $(ARGS)

test-rpc-clients: .venv/test.stamp
	@scripts/rpc_clients.sh test-results/rpc-clients
	@LAVENDERTOWN_TEST_RPC_CLIENTS=test-results/rpc-clients $(PY) -m pytest tests/rpc_clients $(ARGS)

test-mcp-agent: .venv/test.stamp
	@scripts/mcp_agent.sh test-results/mcp-agent
	@LAVENDERTOWN_TEST_MCP_AGENT=test-results/mcp-agent $(PY) -m pytest tests/mcp_agent $(ARGS)

test-soak: .venv/test.stamp
	@scripts/chromium.sh
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -m soak $(ARGS)

lint: .venv/test.stamp
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

demo: .venv/demo.stamp
	@.venv/bin/lavendertown demo
	@$(PY) -m streamlit run app.py --server.port $(PORT)

bench: .venv/test.stamp
	@$(PY) -m scripts.bench $(ARGS)

bench-accessors: .venv/test.stamp
	@$(PY) -m scripts.bench accessors $(ARGS)

bench-desk: .venv/test.stamp
	@$(PY) -m scripts.bench desk $(ARGS)

bench-detect: .venv/test.stamp
	@$(PY) -m benchmarks.detect $(ARGS)

bench-tools: .venv/test.stamp
	@$(PY) -m benchmarks.other_tools $(ARGS)

bench-drift: .venv/test.stamp
	@$(PY) -m benchmarks.quality.drift $(ARGS)

bench-load: .venv/test.stamp
	@$(PY) -m scripts.bench load $(ARGS)

bench-gate: .venv/test.stamp
	@$(PY) -m scripts.bench gate $(ARGS)

bench-import: .venv/test.stamp
	@$(PY) -m benchmarks.imports $(ARGS)

bench-migration: .venv/test.stamp
	@$(PY) -m benchmarks.migration $(ARGS)

bench-quality: .venv/test.stamp
	@$(PY) -m benchmarks.quality $(ARGS)

bench-wide: .venv/test.stamp
	@$(PY) -m benchmarks.wide $(ARGS)

bench-worklist: .venv/test.stamp
	@$(PY) -m scripts.bench worklist $(ARGS)

wheel: .venv/test.stamp
	@rm -rf build  # setuptools would carry removed files over from it
	@$(PY) -m build --wheel --outdir dist .

test-wheel: wheel
	@scripts/chromium.sh
	@$(PY) -m scripts.try_wheel

pins: .venv/mariadb.stamp .venv/engines.stamp
	@$(PY) scripts/pins.py > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache test-results

# A stamp newer than its inputs says that these extras are installed.
.venv/run.stamp: $(INPUTS)
	@scripts/install.sh database,demo,mcp,rpc
	@touch $@

.venv/demo.stamp: $(INPUTS)
	@scripts/install.sh all
	@touch $@ .venv/run.stamp

.venv/mariadb.stamp: $(INPUTS)
	@scripts/install.sh all,mariadb,test
	@touch $@ .venv/run.stamp .venv/demo.stamp .venv/test.stamp

.venv/engines.stamp: $(INPUTS)
	@scripts/install.sh all,engines,test
	@touch $@ .venv/run.stamp .venv/demo.stamp .venv/test.stamp

.venv/test.stamp: $(INPUTS)
	@scripts/install.sh all,test
	@touch $@ .venv/run.stamp .venv/demo.stamp
