"""Fixtures: a kithd for each test that asks for one."""

import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import kith as kith_module  # noqa: E402  pylint: disable=wrong-import-position
import sanitizers  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(scope="session")
def all_reports():
    """Those of sanitizers; None if kithd is built without."""
    reports = sanitizers.Reports() if sanitizers.SANITIZED else None
    yield reports
    if reports is not None:
        late = reports.new()
        reports.close()
        assert not late, late


@pytest.fixture(autouse=True)
def sanitizers_report_nothing(all_reports):
    """The first of all, so that what others stop has ended."""
    yield
    if all_reports is not None:
        text = all_reports.new()
        assert not text, text


@pytest.fixture(autouse=True)
def stores_go_with_their_test(tmp_path):
    """Each has a reserve and logs, a hundred megabytes; the rest stays."""
    yield
    for store in list(tmp_path.rglob("store")):
        shutil.rmtree(store, ignore_errors=True)


@pytest.fixture
def sink():
    server = kith_module.Sink()
    yield server
    server.close()


def _run(instance):
    instance.start()
    yield instance
    if instance.process is not None:
        instance.stop()


@pytest.fixture
def kith(tmp_path):
    """kithd with its outgoing mail in a Maildir."""
    yield from _run(kith_module.Kith(tmp_path / "kith"))


@pytest.fixture
def kith_smtp(tmp_path, sink):
    """kithd whose smarthost is the sink."""
    yield from _run(kith_module.Kith(tmp_path / "kith", smarthost=sink.port))
