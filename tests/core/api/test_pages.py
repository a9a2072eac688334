"""The server's own pages."""

from impasto.api.pages.docs import render_docs
from impasto.api.pages.markup import Markup, element, page, picture


def test_text_is_escaped_and_markup_is_not() -> None:
    made = element("p", "<b>", Markup("<i>ok</i>"), class_='"x"')

    assert made == '<p class="&quot;x&quot;">&lt;b&gt;<i>ok</i></p>'
    assert picture('"><script>', "<") == '<img src="&quot;&gt;&lt;script&gt;" alt="&lt;" loading="lazy">'


def test_a_page_needs_nothing_from_another_host() -> None:
    whole = page("A & B", element("p", "$body and ${style}"))

    assert "<title>A &amp; B</title>" in whole
    assert "<p>$body and ${style}</p>" in whole
    assert "http" not in whole
    assert "<script" not in whole


def test_the_docs_describe_every_route_and_link_its_shapes() -> None:
    document = {
        "info": {"title": "Impasto", "version": "1", "description": "All of it"},
        "tags": [{"name": "queue", "description": "Enqueue"}],
        "paths": {
            "/q/{id}": {
                "put": {
                    "tags": ["queue"],
                    "operationId": "put_batch",
                    "description": "Put <it> in.",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "requestBody": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}}}
                    },
                    "responses": {"201": {"description": "Done"}},
                }
            }
        },
        "components": {
            "schemas": {
                "Batch": {
                    "description": "A batch",
                    "required": ["runs"],
                    "properties": {
                        "runs": {"type": "integer"},
                        "data": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
                    },
                }
            }
        },
    }

    made = render_docs(document)

    assert "/q/{id}" in made
    assert "put_batch" in made
    assert "Put &lt;it&gt; in." in made
    assert '<a href="#Batch">Batch</a>' in made
    assert "list of string or null" in made
    assert '<details id="Batch">' in made
