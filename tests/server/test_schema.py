"""Requests made from the API's own description: every answer is as described, and none is a failure of the server."""

import os

import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")
schemathesis = pytest.importorskip("schemathesis", reason="the extra [dev] is not installed")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from .helpers import BOX

EXAMPLES = int(os.environ.get("PGNET_EXAMPLES", "6"))
"""Requests for each operation and kind of path; more of them look deeper."""
NOT_HERE = (
    checks.positive_data_acceptance,  # a request may be well formed and ask for what cannot be done now
    checks.unsupported_method,
)


@pytest.fixture(scope="module")
def known(server, clip):
    """Things that are there, by the names that paths have for their ids."""
    video = server.upload(clip)
    target = server.send("POST", f"/api/videos/{video['id']}/targets", {"frame": 0, "box": BOX})
    job = server.send("POST", f"/api/videos/{video['id']}/jobs", {})
    server.send("POST", f"/api/jobs/{job['id']}/stop")
    return {"project_id": video["project_id"], "video_id": video["id"], "target_id": target["id"], "job_id": job["id"]}


@pytest.fixture(scope="module")
def api(server):
    return schemathesis.openapi.from_url(f"{server.address}/api/openapi.json")


def operations():
    from pgnet.server.api import create_app
    from pgnet.server.settings import Settings

    paths = create_app(Settings("unused")).openapi()["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods if path != "/api/events"]


@pytest.mark.parametrize(("path", "method"), operations(), ids=lambda part: part)
def test_every_operation_answers_as_described(api, known, path, method):
    # Deleting what the other tests need is tested elsewhere.
    there = st.just(False) if method == "delete" else st.booleans()

    @given(case=api[path][method].as_strategy(), there=there)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def answer(case, there):
        if there:
            case.path_parameters = {
                **(case.path_parameters or {}),
                **{n: i for n, i in known.items() if f"{{{n}}}" in path},
            }
        case.call_and_validate(excluded_checks=NOT_HERE, timeout=120)

    answer()


def test_the_description_is_complete(server):
    described = server.get("/api/openapi.json")
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"
