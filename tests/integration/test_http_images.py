"""The image library over HTTP."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from support.http_servers import HttpServer, http_server

LIMIT = 200_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root"), max_upload_bytes=LIMIT) as running:
        yield running


@pytest.fixture
def server(whole: HttpServer) -> Iterator[HttpServer]:
    yield whole
    names = whole.client.get("/api/v1/images/names").json()["image_names"]
    whole.client.post("/api/v1/images/delete", json={"image_names": names}).raise_for_status()


def picture(form: str = "PNG", size: tuple[int, int] = (300, 200)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(data, form)
    return data.getvalue()


def upload(
    server: HttpServer, data: bytes | None = None, *, metadata: str | None = None, **query: Any
) -> dict[str, Any]:
    answer = server.client.post(
        "/api/v1/images/upload",
        params={"image_category": "user", "is_intermediate": False, **query},
        files={"file": ("../../etc/passwd", data or picture(), "application/octet-stream")},
        data={} if metadata is None else {"metadata": metadata},
    )
    assert answer.status_code == 201, answer.text
    image: dict[str, Any] = answer.json()
    return image


def test_an_upload_is_stored_as_it_is_under_a_name_of_ours(server: HttpServer) -> None:
    image = upload(server)

    assert (image["width"], image["height"], image["image_category"]) == (300, 200, "user")
    assert "passwd" not in image["image_name"]
    for key in ("session_id", "node_id", "board_id", "deleted_at"):
        assert image[key] is None
    full = server.client.get("/" + image["image_url"])
    assert full.content == picture()
    assert full.headers["content-type"] == "image/png"
    assert "immutable" in full.headers["cache-control"]
    assert full.headers["x-content-type-options"] == "nosniff"
    assert server.client.get(f"/api/v1/images/i/{image['image_name']}").json() == image


@pytest.mark.parametrize(("form", "media_type"), [("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_other_formats_are_served_as_what_they_are(server: HttpServer, form: str, media_type: str) -> None:
    image = upload(server, picture(form))

    assert server.client.get("/" + image["image_url"]).headers["content-type"] == media_type


def test_head_tells_the_size_without_the_file(server: HttpServer) -> None:
    head = server.client.head("/" + upload(server)["image_url"])

    assert head.status_code == 200
    assert int(head.headers["content-length"]) == len(picture())
    assert head.content == b""


@pytest.mark.parametrize("what", ["image_url", "thumbnail_url"])
def test_a_file_that_a_client_has_is_not_sent_again(server: HttpServer, what: str) -> None:
    address = "/" + upload(server)[what]
    etag = server.client.get(address).headers["etag"]

    again = server.client.get(address, headers={"if-none-match": etag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert server.client.get(address, headers={"if-none-match": '"another"'}).status_code == 200


def test_the_thumbnail_is_small_and_webp(server: HttpServer) -> None:
    answer = server.client.get("/" + upload(server)["thumbnail_url"])

    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as thumbnail:
        assert max(thumbnail.size) == 256


def test_the_urls_are_those_of_the_image(server: HttpServer) -> None:
    image = upload(server)

    urls = server.client.get(f"/api/v1/images/i/{image['image_name']}/urls").json()
    assert urls == {key: image[key] for key in ("image_name", "image_url", "thumbnail_url")}


def test_metadata_comes_back_as_it_was_sent(server: HttpServer) -> None:
    facts = {"positive_prompt": "ein Bär", "seed": 2**64 - 1}
    image = upload(server, metadata=json.dumps(facts))
    bare = upload(server)

    assert server.client.get(f"/api/v1/images/i/{image['image_name']}/metadata").json() == facts
    assert server.client.get(f"/api/v1/images/i/{bare['image_name']}/metadata").json() is None


@pytest.mark.parametrize(
    "metadata", ["[1]", "{", "[" * 100_000, '{"a": %s}' % ("[" * 300 + "]" * 300), '{"a": NaN}', '{"a": "\\ud800"}']
)
def test_metadata_that_is_no_object_is_refused(server: HttpServer, metadata: str) -> None:
    answer = server.client.post(
        "/api/v1/images/upload", files={"file": ("x.png", picture(), "image/png")}, data={"metadata": metadata}
    )

    assert server.problem(answer, 422)["errors"][0]["field"] == "metadata"


@pytest.mark.parametrize("text", ['{"a": %s}' % ("[" * 300 + "]" * 300), '{"a": NaN}', '{"a": "\\ud800"}'])
def test_facts_in_a_file_that_cannot_be_sent_on_are_none(server: HttpServer, text: str) -> None:
    data, texts = io.BytesIO(), PngInfo()
    for keyword in ("invokeai_metadata", "invokeai_workflow", "invokeai_graph"):
        texts.add_text(keyword, text)
    Image.new("RGB", (8, 8)).save(data, "PNG", pnginfo=texts)
    image = upload(server, data.getvalue())

    address = f"/api/v1/images/i/{image['image_name']}"
    assert server.client.get(f"{address}/metadata").raise_for_status().json() is None
    assert server.client.get(f"{address}/workflow").raise_for_status().json() == {"workflow": None, "graph": None}


def test_a_gallery_is_paged_by_cursor_and_new_images_shift_nothing(server: HttpServer) -> None:
    names = [upload(server)["image_name"] for _ in range(5)]
    first = server.client.get("/api/v1/images/", params={"limit": 2}).json()
    upload(server)

    second = server.client.get("/api/v1/images/", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    third = server.client.get("/api/v1/images/", params={"limit": 2, "cursor": second["next_cursor"]}).json()

    assert (first["total"], second["total"]) == (5, None)
    seen = [image["image_name"] for page in (first, second, third) for image in page["items"]]
    assert seen == names[::-1]
    assert third["next_cursor"] is None


def test_images_are_found_by_category_and_counted_without_being_sent(server: HttpServer) -> None:
    upload(server, image_category="mask")
    control = upload(server, image_category="control")["image_name"]
    upload(server, is_intermediate=True)

    query = {"categories": ["control", "general"], "is_intermediate": "false"}
    assert server.client.get("/api/v1/images/names", params=query).json() == {
        "image_names": [control],
        "starred_count": 0,
        "total_count": 1,
    }
    counted = server.client.get("/api/v1/images/", params={"limit": 0}).json()
    assert (counted["items"], counted["total"]) == ([], 3)


def test_stars_are_put_on_and_taken_off_and_come_first(server: HttpServer) -> None:
    old, new = (upload(server)["image_name"] for _ in range(2))

    starred = server.client.post("/api/v1/images/star", json={"image_names": [old, "nope.png"]}).json()
    assert starred == {"affected_boards": ["none"], "starred_images": [old]}
    assert server.client.get("/api/v1/images/names").json()["image_names"] == [old, new]
    newest = server.client.get("/api/v1/images/names", params={"starred_first": "false"}).json()["image_names"]
    assert newest == [new, old]
    server.client.post("/api/v1/images/unstar", json={"image_names": [old]}).raise_for_status()
    assert server.client.get("/api/v1/images/names").json()["starred_count"] == 0


def test_an_image_is_changed_only_where_it_is_asked_for(server: HttpServer) -> None:
    image = upload(server)

    changed = server.client.patch(f"/api/v1/images/i/{image['image_name']}", json={"starred": True}).json()

    assert changed == {**image, "starred": True, "updated_at": changed["updated_at"]}
    answer = server.client.patch(f"/api/v1/images/i/{image['image_name']}", json={"width": 3})
    assert server.problem(answer, 422)["errors"][0]["field"] == "width"


def test_deleted_images_are_gone_with_their_files(server: HttpServer) -> None:
    one, two = (upload(server) for _ in range(2))
    path = server.app.images.path(one["image_name"])

    deleted = server.client.delete(f"/api/v1/images/i/{one['image_name']}").json()

    assert deleted == {"affected_boards": ["none"], "deleted_images": [one["image_name"]]}
    assert not path.exists()
    for what in ("", "/full", "/thumbnail", "/urls", "/metadata", "/workflow"):
        server.problem(server.client.get(f"/api/v1/images/i/{one['image_name']}{what}"), 404)
    server.problem(server.client.delete(f"/api/v1/images/i/{one['image_name']}"), 404)
    names = {"image_names": [one["image_name"], two["image_name"]]}
    assert server.client.post("/api/v1/images/delete", json=names).json()["deleted_images"] == [two["image_name"]]


def test_an_image_whose_file_is_gone_is_not_found(server: HttpServer) -> None:
    image = upload(server)
    server.app.images.path(image["image_name"]).unlink()

    assert "its file is gone" in server.problem(server.client.get("/" + image["image_url"]), 404)["detail"]


def test_an_upload_that_is_too_large_is_refused_and_stores_nothing(server: HttpServer) -> None:
    for size in (LIMIT + 1, 3 * LIMIT):
        answer = server.client.post(
            "/api/v1/images/upload", files={"file": ("x.png", b"\x89PNG" + b"\0" * size, "image/png")}
        )
        server.problem(answer, 413)
    assert server.client.get("/api/v1/images/names").json()["total_count"] == 0


@pytest.mark.parametrize("path", ["..%2F..%2Fimpasto.db", "%00", "a" * 1025, "%F0%9F%8E%A8.png"])
@pytest.mark.parametrize("what", ["", "/full", "/thumbnail"])
def test_a_name_that_is_none_of_ours_reaches_no_file(server: HttpServer, path: str, what: str) -> None:
    answer = server.client.get(f"/api/v1/images/i/{path}{what}")

    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "1." + "9" * 30}, "cursor"),
        ({"limit": -1}, "limit"),
        ({"limit": 10**9}, "limit"),
        ({"offset": 2**70}, "offset"),
        ({"categories": "nonsense"}, "categories.0"),
        ({"order_dir": "up"}, "order_dir"),
    ],
)
def test_a_query_that_does_not_fit_names_its_parameter(server: HttpServer, query: dict[str, Any], field: str) -> None:
    answer = server.client.get("/api/v1/images/", params=query)

    assert server.problem(answer, 422)["errors"][0]["field"] == field


@pytest.mark.parametrize("term", ['"', "'; DROP TABLE images", "* OR NEAR(", "\0", "ünïcode", ":", "  "])
def test_any_words_may_be_searched_for(server: HttpServer, term: str) -> None:
    assert server.client.get("/api/v1/images/", params={"search_term": term}).status_code == 200
