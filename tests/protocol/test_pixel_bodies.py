"""Pixel bodies and PNG files, in and out."""

import io
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.core.errors import LatentFuError
from latentfu.core.layer import Layer
from latentfu.protocol.pictures import body_layer, layer_body
from latentfu.protocol.pixels import PixelHeader, decode_header, encode_header
from PIL import Image

from tests.support.serving import pixel_body

HEADERS = st.builds(
    PixelHeader, st.integers(1, 16384), st.integers(1, 7000), st.sampled_from([1, 3, 4])
)


@given(HEADERS)
def test_a_header_comes_back(header):
    assert decode_header(encode_header(header)) == header


@given(st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: b"LFPX\1" + rest))
def test_no_bytes_break_the_decoder(data):
    try:
        header = decode_header(data)
    except LatentFuError as error:
        assert str(error).endswith((".", "first."))
    else:
        assert header.channels in (1, 3, 4) and header.width * header.height <= 120_000_000


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]), st.randoms())
def test_a_layer_comes_back(height, width, channels, random):
    values = [random.randrange(256) for _ in range(height * width * channels)]
    pixels = np.array(values, np.uint8).reshape(height, width, channels)
    assert np.array_equal(body_layer(layer_body(Layer(pixels))).pixels, pixels)


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 4), ("P", 3), ("1", 1)],
)
def test_png_files_of_every_kind_are_layers(server, mode, channels):
    image = Image.new("RGB", (10, 6), (255, 255, 255)).convert(mode)
    layer = server.put_layer(_png(image))
    job = server.wait_for(server.put_job(layer))
    assert job["state"] == "done", job
    result = server.get(f"/v1/jobs/{job['id']}/result")[1]
    assert result == pixel_body(10, 6, channels, 255)


def test_png_comes_back_on_request(server):
    layer = server.put_layer(pixel_body(9, 5, 4, 77))
    job_id = server.put_job(layer)
    server.wait_for(job_id)
    accept = {"Accept": "image/png"}
    status, data = server.get(f"/v1/jobs/{job_id}/result", headers=accept)
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    assert (status, image.size, image.mode) == (200, (9, 5), "RGBA")
    assert image.getpixel((8, 4)) == (77, 77, 77, 77)
    preview = server.put(f"/v1/previews/{uuid.uuid4()}", {"layer": layer}, headers=accept)[1]
    assert Image.open(io.BytesIO(preview), formats=["PNG"]).size == (9, 5)


def test_a_mask_limits_the_edit_and_must_be_one(server):
    layer = server.put_layer(pixel_body(4, 2, 3, 10))
    half = pixel_body(4, 2, 1, 0)[:16] + bytes([255, 255, 0, 0] * 2)
    mask = server.put_layer(half)
    job_id = server.put_job(layer, mask=mask, edits={"brightness": 5})
    assert server.wait_for(job_id)["state"] == "done"
    result = server.get(f"/v1/jobs/{job_id}/result")[1]
    assert result[16:] == (bytes([15] * 6) + bytes([10] * 6)) * 2
    job = server.wait_for(server.put_job(layer, mask=layer))
    assert (job["state"], job["error"]["code"]) == ("failed", "bad_input")


def test_mixing_takes_a_second_layer(server):
    layer, source = server.put_layer(pixel_body(value=1)), server.put_layer(pixel_body(value=2))
    job_id = server.put_job(layer, kind="mix", source=source, layers=[4, 7], edits={})
    job = server.wait_for(job_id)
    assert job["report"] == {"layers": [4, 7]}
    assert server.get(f"/v1/jobs/{job_id}/result")[1] == pixel_body(value=2)


def test_a_layer_is_sent_once(server):
    body = pixel_body(value=201)
    name = server.put_layer(body)
    assert server.get(f"/v1/layers/{name}") == (200, b"")
    assert server.put(f"/v1/layers/{name}", body)[0] == 200


def _png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
