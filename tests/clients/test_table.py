"""The table of docs/clients.md says what the tests of this run saw. Runs last."""

from drivers import ALL_CLIENTS


def test_the_table_is_what_this_run_saw(request, matrix):
    if request.config.getoption("--write-table"):
        matrix.write(ALL_CLIENTS)
    differences = matrix.differences(ALL_CLIENTS)
    assert not differences, "docs/clients.md is stale (tests/clients/run --write-table)"
