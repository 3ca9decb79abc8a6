import pytest
import torch
import torch.nn.functional as F
from latentfu_builtin.portraits.renderer import (
    FACTOR_NAMES,
    FACTORS,
    PortraitPlacement,
    crop_quad,
    earrings,
    from_normal,
    landmarks,
    render,
    sample,
)


def plain(**values: float) -> torch.Tensor:
    """One portrait with all factors at zero, nothing worn, but those given."""
    row = torch.zeros(1, len(FACTORS))
    for column, factor in enumerate(FACTORS):
        row[0, column] = -0.5 if factor.kind == "presence" else 0.0
    for name, value in values.items():
        row[0, FACTOR_NAMES.index(name)] = value
    return row


def test_samples_and_pictures_stay_in_range():
    factors = sample(6, seed=1)
    assert factors.shape == (6, len(FACTORS))
    assert factors.abs().max() <= 1
    picture = render(factors, (48, 64))
    assert picture.shape == (6, 3, 48, 64)
    assert picture.dtype == torch.float32
    assert torch.isfinite(picture).all()
    assert picture.abs().max() <= 1


def test_extreme_factors_give_finite_pictures():
    corners = torch.sign(torch.randn(8, len(FACTORS), generator=torch.manual_seed(0)))
    assert torch.isfinite(render(corners, 48)).all()


def test_same_seed_gives_same_portraits():
    assert torch.equal(sample(3, seed=7), sample(3, seed=7))
    assert not torch.equal(sample(3, seed=7), sample(3, seed=8))
    factors = sample(2, seed=7)
    assert torch.equal(render(factors, 32), render(factors, 32))


def test_a_batch_equals_its_portraits_one_by_one():
    factors = sample(5, seed=3)
    single = torch.cat([render(row[None], 48) for row in factors])
    assert torch.allclose(render(factors, 48), single, atol=2e-3)


def test_larger_pictures_shrink_to_the_smaller_ones():
    factors = sample(6, seed=5)
    large = F.interpolate(render(factors, 192), size=64, mode="area")
    assert (large - render(factors, 64)).abs().mean() < 0.03


def test_a_placed_portrait_holds_the_standard_crop():
    factors = sample(2, seed=6)
    place = PortraitPlacement(center_x=0.25, center_y=0.5, scale=0.5)
    size = (128, 192)
    x0, y0, x1, y1 = (round(edge) for edge in crop_quad(size, place))
    assert (x0, y0, x1, y1) == (16, 32, 80, 96)
    scene = render(factors, size, placement=place)
    assert (scene[:, :, y0:y1, x0:x1] - render(factors, 64)).abs().mean() < 0.01
    assert torch.isfinite(scene).all()
    moved = landmarks(factors, size, placement=place)
    assert torch.allclose(moved, landmarks(factors, 64) + torch.tensor([x0, y0]), atol=1e-3)


def test_turned_and_lit_from_the_other_side_is_the_mirror_picture():
    sides = {"yaw": 0.6, "roll": -0.3, "light_x": 0.5, "gaze_x": 0.4}
    right = plain(**sides, glasses=0.5, hair_length=0.4)
    left = plain(**{name: -v for name, v in sides.items()}, glasses=0.5, hair_length=0.4)
    assert (render(right, 64).flip(-1) - render(left, 64)).abs().mean() < 0.02


def test_landmarks_follow_the_turn_of_the_head():
    ahead, turned = landmarks(plain(), 64)[0], landmarks(plain(yaw=0.7), 64)[0]
    assert turned[2, 0] > ahead[2, 0] + 4  # the nose sticks out furthest
    assert (ahead[0, 0] + ahead[1, 0]) / 2 == pytest.approx(32, abs=0.1)
    assert 0.45 < ahead[0, 1] / 64 < 0.48


def test_presence_factors_have_their_share():
    factors = sample(20000, seed=2)
    for column, factor in enumerate(FACTORS):
        if factor.kind == "presence":
            share = (factors[:, column] > factor.threshold).float().mean()
            assert share == pytest.approx(factor.share, abs=0.015)


@pytest.mark.parametrize("name", ["beard", "glasses", "hat", "earrings"])
def test_presence_factors_show_only_above_their_threshold(name):
    absent, also_absent = render(plain(**{name: -0.9}), 64), render(plain(**{name: -0.01}), 64)
    # The hue of the hat follows other factors, so nothing may differ while it is off.
    assert torch.equal(absent, also_absent)
    assert (render(plain(**{name: 0.6}), 64) - absent).abs().max() > 0.2


def test_each_factor_changes_the_picture():
    shown = {"glasses": 0.5, "hair_length": 0.3, "age": 0.1}
    for name in FACTOR_NAMES:
        low, high = (render(plain(**(shown | {name: v})), 64) for v in (-0.9, 0.9))
        assert (low - high).abs().max() > 0.05, name


def test_asked_correlation_is_drawn():
    pair = ("beard", "gender")
    factors = sample(8000, seed=4, correlate={pair: 0.8})
    i, j = (FACTOR_NAMES.index(name) for name in pair)
    k = FACTOR_NAMES.index("glasses")
    drawn = torch.corrcoef(factors.T)
    assert drawn[i, j] > 0.6
    assert drawn[i, k].abs() < 0.05


def test_the_map_from_normals_rises_and_has_a_gradient():
    steps = torch.linspace(-2.5, 2.5, 21)[:, None].expand(-1, len(FACTORS)).clone()
    steps.requires_grad_()
    factors = from_normal(steps)
    assert (factors.diff(dim=0) > 0).all()
    factors.sum().backward()
    assert (steps.grad > 0).all()


def test_wrong_shapes_and_impossible_correlations_are_refused():
    with pytest.raises(ValueError, match="factors of shape"):
        render(torch.zeros(1, 3), 32)
    with pytest.raises(ValueError, match="normals of shape"):
        from_normal(torch.zeros(1, 3))
    pairs = {("yaw", "roll"): 0.9, ("yaw", "pitch"): 0.9, ("pitch", "roll"): -0.9}
    with pytest.raises(ValueError, match="contradict"):
        sample(2, seed=1, correlate=pairs)


def test_earrings_are_where_they_are_said_to_be():
    size = 96
    bare, worn = plain(hair_length=-1.0, yaw=0.2), plain(hair_length=-1.0, yaw=0.2, earrings=0.6)
    changed = (render(worn, size) - render(bare, size)).abs().amax(dim=1)[0] > 0.2
    ys, xs = changed.nonzero().unbind(1)
    assert len(ys) > 20
    places = earrings(worn, size)[0]  # [2, 2]
    points = torch.stack([xs, ys], 1) + 0.5
    assert float(torch.cdist(points, places).amin(dim=1).max()) < 4
    assert bool((earrings(bare, size) < 0).all())
