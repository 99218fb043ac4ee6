"""How the libraries are loaded, and where nothing of ours may start."""
import re
import subprocess

import psycopg2
import pytest
from support.cluster import ROOT, wait_for

def test_loading_without_preload_is_an_error_with_a_hint(server):
    server.stop()
    server.cluster.configure({"shared_preload_libraries": "''"})
    server.start()
    try:
        with pytest.raises(psycopg2.Error) as caught:
            server.cluster.rows("load 'pg_tradesync'")
        assert "shared_preload_libraries" in caught.value.diag.message_hint
    finally:
        server.stop()
        server.cluster.configure({"shared_preload_libraries": "'pg_tradesync'"})


def test_nothing_starts_in_single_user_mode(server):
    server.stop()
    result = server.single_user("select 40 + 2 as answer")
    assert '"42"' in result.stdout, result.stdout + result.stderr
    assert "pg_tradesync" not in result.stderr, result.stderr


def test_nothing_starts_in_binary_upgrade_mode(server):
    server.stop()
    server.start("-b")
    try:
        assert server.processes() == 0
        assert server.cluster.value("select pg_catalog.current_setting('tradesync.price_interval', true)") is None
    finally:
        server.stop()


def _exported(library):
    lines = subprocess.check_output(["nm", "-D", "--defined-only", library], text=True).split("\n")
    return {line.split()[2] for line in lines if line}


def _named(map_file):
    text = re.sub(r"/\*.*?\*/", "", map_file.read_text(), flags=re.S)
    return [re.escape(name).replace(r"\*", ".*") for name in re.findall(r"^\s*([\w*]+);", text.split("local:")[0], re.M)]


def _check_library(library, map_file):
    names = _named(map_file)
    exported = _exported(library)
    assert exported and all(any(re.fullmatch(name, symbol) for name in names) for symbol in exported), exported
    assert all(any(re.fullmatch(name, symbol) for symbol in exported) for name in names), names
    symbols = subprocess.check_output(["nm", library], text=True)
    assert "_GLOBAL__sub_I_" not in symbols, "runs code at load time"


def test_exports_equal_the_maps_and_nothing_runs_at_load_time(server):
    folder = server.cluster.value("select setting from pg_config where name = 'PKGLIBDIR'")
    _check_library(f"{folder}/pg_tradesync.so", ROOT / "extension/exports.map")
    _check_library(f"{server.cluster.home}/double/pg_tradesync_worker.so", ROOT / "worker/exports.map")


def test_a_worker_library_of_another_release_asks_once_for_a_restart(server):
    pid = server.worker_pid()
    before = server.cluster.log_text().count("server restart needed")
    server.use_library("salted")
    server.terminate(pid)
    wait_for(lambda: server.status("restart_needed") == "on", "the other release is noticed", 10)
    server.wait_scans(2)
    assert server.cluster.log_text().count("server restart needed") == before + 1
    assert server.worker_pid() is None
    server.use_library("double")
    server.wait_live()


def test_a_missing_worker_library_harms_nobody(server):
    pid, crashes = server.worker_pid(), server.crashes()
    server.use_library(None)  # reloads: no back-off left from earlier tests
    server.terminate(pid)
    server.wait_error("did not start")
    server.use_library("double")
    server.wait_live()
    assert server.crashes() == crashes
