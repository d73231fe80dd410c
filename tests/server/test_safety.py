"""Who gets in, and what is refused before anything looks at it."""

import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pgnet.server.safety import COOKIE, Guard
from pgnet.server.settings import Settings, is_loopback


class Client:
    """Talks to an application that is no server."""

    def __init__(self, app, base):
        self.app, self.base, self.cookies = app, base, httpx.Cookies()

    def request(self, method, path, **more):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=self.base, cookies=self.cookies) as http:
                response = await http.request(method, path, **more)
                self.cookies = http.cookies
                return response

        return asyncio.run(send())

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)


def client(tmp_path, base="http://127.0.0.1:8000", **settings):
    async def answer(request):
        return PlainTextResponse("inside")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])])
    return Client(Guard(app, Settings(tmp_path, **settings)), base)


@pytest.mark.parametrize(
    ("base", "allowed"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("http://192.168.1.7:8000", True),
        ("http://video.example", True),
        ("http://attacker.example", False),
        ("http://localhost.attacker.example", False),
    ],
)
def test_the_server_only_answers_to_its_names(tmp_path, base, allowed):
    response = client(tmp_path, base, hosts=("video.example",)).get("/api/projects")
    assert response.status_code == (200 if allowed else 400)
    if not allowed:
        assert "not called" in response.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "http://127.0.0.1:9000"}, False),
        ({"Origin": "https://attacker.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_other_sites_change_nothing(tmp_path, headers, allowed):
    http = client(tmp_path)
    assert http.get("/api/projects", headers=headers).status_code == 200
    for method in ("POST", "DELETE"):
        response = http.request(method, "/api/projects/1", headers=headers)
        assert response.status_code == (200 if allowed else 403)


def test_a_token_is_asked_for(tmp_path):
    http = client(tmp_path, token="correct horse")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"{COOKIE}=wrong"}, {"Cookie": ";;=\x01"}):
        refused = http.get("/api/projects", headers=headers)
        assert refused.status_code == 401
        assert "token" in refused.json()["detail"]
    assert http.get("/api/projects", headers={"Authorization": "Bearer correct horse"}).text == "inside"
    assert http.get("/static/main.js").status_code == 401
    page = http.get("/")
    assert page.status_code == 401
    assert "<form" in page.text
    assert http.get("/?token=wrong").status_code == 401
    opened = http.get("/", params={"token": "correct horse"})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    assert all(word in opened.headers["set-cookie"].lower() for word in ("httponly", "samesite=strict"))
    assert http.get("/api/projects").text == "inside", "the cookie is enough"


async def chunks():
    yield b"x"


def test_requests_have_a_size(tmp_path):
    http = client(tmp_path)
    assert http.post("/api/projects", content=b"x" * (2 << 20)).status_code == 413
    assert http.post("/api/projects", content=chunks()).status_code == 411
    assert http.post("/api/projects/1/videos", content=b"x" * (2 << 20)).status_code == 200


def test_every_answer_has_the_headers(tmp_path):
    for response in (client(tmp_path).get("/api/projects"), client(tmp_path, "http://attacker.example").get("/")):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("box", False)]
)
def test_loopback(host, alone):
    assert is_loopback(host) == alone
