"""The aligner faces, on a photograph: landmarks, several faces, turned ones, at the border."""

from __future__ import annotations

from pathlib import Path

import cv2
import latentfu
import latentfu_builtin.faces.plugin
import numpy as np
import pytest
from latentfu import BadInputError, Layer, Placement
from latentfu.pipeline.align import Cropper, face_quad, pick_quad
from latentfu.pipeline.crop import cut_crop
from latentfu_builtin.faces.detect import detect_faces, find_face_squares, run_detector
from PIL import Image

REFERENCE = Path(__file__).parent / "reference"
PHOTO = np.asarray(Image.open(REFERENCE / "astronaut.png").convert("RGB"))
(ALIGNER,) = latentfu_builtin.faces.plugin.latentfu_aligners()
EYES, MOUTH = ((203.85, 104.1), (248.0, 105.0)), (223.9, 143.9)


def corners(quad: object) -> np.ndarray:
    return np.asarray(quad.corners)  # type: ignore[attr-defined]


def shrunk(photo: np.ndarray, factor: float) -> np.ndarray:
    size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def two_faces() -> Layer:
    """A large face on the left, the same at 0.6 on the right."""
    canvas = np.full((512, 820, 3), 120, np.uint8)
    canvas[:, :512] = PHOTO
    small = shrunk(PHOTO, 0.6)
    canvas[-small.shape[0] :, 512 : 512 + small.shape[1]] = small
    return Layer(canvas)


def test_the_landmarks_are_those_that_are_expected() -> None:
    expected = np.load(REFERENCE / "yunet-expected.npz")
    key = next(name for name in expected.files if "yunet_n_640" in name and "512x512" in name)
    assert np.abs(run_detector(PHOTO) - expected[key]).max() <= 0.05


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_the_square_is_the_same_at_every_size_of_the_picture(factor: float) -> None:
    square = corners(find_face_squares(PHOTO)[0])
    other = cv2.resize(PHOTO, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    (found,) = find_face_squares(other)
    assert np.abs(corners(found) / factor - square).max() < 0.1 * find_face_squares(PHOTO)[0].side


@pytest.mark.parametrize("angle", [-30, 12, 45])
def test_a_turned_face_turns_the_square(angle: float) -> None:
    upright = corners(find_face_squares(PHOTO)[0])
    matrix = cv2.getRotationMatrix2D((225, 125), angle, 1.0)
    turned = cv2.warpAffine(PHOTO, matrix, (512, 512))
    expected = np.c_[upright, np.ones(4)] @ matrix.T
    (found,) = find_face_squares(np.asarray(turned))
    assert np.abs(corners(found) - expected).max() < 0.08 * found.side


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_lying_face_is_found(quarters: int) -> None:
    upright = corners(find_face_squares(PHOTO)[0])
    (found,) = find_face_squares(np.ascontiguousarray(np.rot90(PHOTO, quarters)))
    expected = upright
    for _ in range(quarters):  # a quarter to the left
        expected = np.stack([expected[:, 1], 512 - expected[:, 0]], axis=1)
    assert np.abs(corners(found) - expected).max() < 0.08 * found.side


@pytest.mark.parametrize("rows", [106, 108, 110, 112])
def test_a_face_cut_by_the_border_is_not_taken_as_lying(rows: int) -> None:
    large = Image.fromarray(PHOTO).resize((1024, 1024), Image.Resampling.LANCZOS)
    twice = np.asarray(large)
    for quad in find_face_squares(np.ascontiguousarray(twice[: 2 * rows])):
        across = np.subtract(quad.corners[1], quad.corners[0])
        assert abs(np.degrees(np.arctan2(across[1], across[0]))) < 30


@pytest.mark.parametrize("width", [30, 60, 600, 3000])
def test_a_face_of_any_size_fills_its_square(width: int) -> None:
    face = PHOTO[20:220, 120:330]  # the face itself is about 90 px wide
    factor = width / 90
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    large = cv2.resize(face, None, fx=factor, fy=factor, interpolation=how)
    (found,) = find_face_squares(np.ascontiguousarray(large))
    expected = (corners(find_face_squares(PHOTO)[0]) - (120, 20)) * factor
    assert np.abs(corners(found) - expected).max() < 0.12 * found.side


def test_a_face_too_small_in_a_large_picture_is_refused_in_a_sentence() -> None:
    tiny = np.full((4000, 4000, 3), 120, np.uint8)
    tiny[:60, :60] = shrunk(PHOTO, 60 / 512)  # a face of 10 px
    with pytest.raises(BadInputError, match="shows it larger"):
        Cropper().crop(Layer(tiny), ALIGNER, 32, Placement())


@pytest.mark.parametrize(
    "placing",
    [
        Placement(corners=((9000, 9000), (9100, 9000), (9100, 9100), (9000, 9100))),
        Placement(corners=((-100, -100), (1, -100), (1, 1), (-100, 1))),
        Placement(eyes=((-200.0, 100.0), (-160.0, 100.0)), mouth=(-180.0, 140.0)),
    ],
)
def test_a_place_by_hand_outside_the_picture_is_refused(placing: Placement) -> None:
    with pytest.raises(BadInputError, match="nothing of the picture"):
        Cropper().crop(Layer(PHOTO), ALIGNER, 32, placing)


def test_a_square_much_larger_than_the_picture_is_taken() -> None:
    around = ((-9000.0, -9000.0), (9000.0, -9000.0), (9000.0, 9000.0), (-9000.0, 9000.0))
    crop = Cropper().crop(Layer(PHOTO), ALIGNER, 32, Placement(corners=around))
    assert crop.quad.corners == around


def test_a_face_at_the_border_is_cropped_with_a_soft_padding() -> None:
    photo = np.ascontiguousarray(PHOTO[30:200, 150:300])
    crop = Cropper().crop(Layer(photo), ALIGNER, 64, Placement())
    assert (corners(crop.quad) < 0).any(), "the square should reach beyond the picture"
    assert np.isfinite(crop.image).all()
    hard = cut_crop(Layer(photo), crop.quad, 64, "faces", "mirror").image
    rough = np.abs(np.diff(hard[:, :3], axis=2)).mean()
    assert np.abs(np.diff(crop.image[:, :3], axis=2)).mean() < 0.85 * rough
    assert np.array_equal(crop.image[:, 16:48, 16:48], hard[:, 16:48, 16:48])


def test_several_faces_the_largest_by_number_or_under_the_selection() -> None:
    layer = two_faces()
    first, second = find_face_squares(layer.rgb())
    assert first.side > 1.3 * second.side
    cropper = Cropper()

    def side(placing: Placement, mask: np.ndarray | None = None) -> float:
        return cropper.crop(layer, ALIGNER, 32, placing, mask).quad.side

    mask = np.zeros((512, 820), np.uint8)
    x, y = (round(value) for value in second.center)
    mask[y - 20 : y + 20, x - 20 : x + 20] = 255
    assert side(Placement()) == side(Placement(face=1)) == first.side
    assert side(Placement(face=2)) == side(Placement(), mask) == second.side
    with pytest.raises(BadInputError, match="no face 3"):
        side(Placement(face=3))


def test_points_given_by_hand_make_the_same_square_as_the_detector() -> None:
    by_hand = Cropper().crop(Layer(PHOTO), ALIGNER, 64, Placement(eyes=EYES, mouth=MOUTH))
    assert by_hand.aligner == "manual"
    assert np.abs(corners(by_hand.quad) - corners(find_face_squares(PHOTO)[0])).max() < 8


def test_corners_given_by_hand_are_taken_where_nothing_is_detected() -> None:
    flat = Layer(np.full((100, 100, 3), 90, np.uint8))
    square = ((20.0, 10.0), (80.0, 20.0), (70.0, 80.0), (10.0, 70.0))
    crop = Cropper().crop(flat, ALIGNER, 32, Placement(corners=square))
    assert crop.quad.corners == square
    with pytest.raises(BadInputError, match="by hand"):
        Cropper().crop(flat, ALIGNER, 32, Placement())


@pytest.mark.parametrize(
    ("placing", "word"),
    [
        (Placement(eyes=(EYES[1], EYES[0]), mouth=MOUTH), "left of"),
        (Placement(corners=((0, 0), (0, 9), (9, 9), (9, 0))), "wrong way"),
    ],
)
def test_places_that_are_none_are_one_sentence(placing: Placement, word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        Cropper().crop(Layer(PHOTO), ALIGNER, 32, placing)


@pytest.mark.parametrize(
    ("placing", "word"),
    [
        (Placement(eyes=EYES), "both"),
        (Placement(face=1, eyes=EYES, mouth=MOUTH), "only one"),
        (Placement(face=0), "between 1 and 1000"),
    ],
)
def test_places_that_contradict_themselves_are_refused(placing: Placement, word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        latentfu.invert(PHOTO, placing=placing)


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (64, 64)])
def test_pictures_without_a_face_give_nothing(shape: tuple[int, int]) -> None:
    assert find_face_squares(np.full((*shape, 3), 128, np.uint8)) == []


def test_the_ffhq_square_of_an_upright_face() -> None:
    quad = face_quad(((40.0, 50.0), (60.0, 50.0)), (50.0, 75.0))
    # half side: max(2 * 20, 1.8 * 25) = 45, center a tenth of the way to the mouth
    assert corners(quad) == pytest.approx(
        np.array([(5, 7.5), (95, 7.5), (95, 97.5), (5, 97.5)]), abs=1e-9
    )


def test_the_largest_face_comes_first_and_scores_are_kept() -> None:
    found = detect_faces(two_faces().rgb())
    assert [face.size for face in found] == sorted((face.size for face in found), reverse=True)
    assert all(0.6 < face.score <= 1 for face in found)
    assert pick_quad(find_face_squares(PHOTO), Placement(), None, ALIGNER).score == pytest.approx(
        0.9356, abs=1e-3
    )
