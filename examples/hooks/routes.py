"""An address of one's own: POST /v1/plugins/example/count answers a question."""

import latentfu


def count(request):
    words = request.body.get("words")
    if not isinstance(words, list):
        raise latentfu.BadInputError("Send the words as a list.")
    request.progress(1.0)
    return {"words": len(words)}


@latentfu.hookimpl
def latentfu_routes():
    return [
        latentfu.Route(
            plugin="example", name="count", title="Count words", handle=count, method="POST"
        )
    ]
