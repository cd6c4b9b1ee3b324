"""The reduced model against the full one, and the site's rules."""

import numpy as np
import pytest
import roof


def test_reduced_model_is_the_full_model(walkway, reduced) -> None:
    generator = np.random.default_rng(11)
    sets = reduced.random_sets(5, generator)
    values = reduced.evaluate(sets)
    for chosen, value in zip(sets, values, strict=True):
        assert walkway.check(chosen).compliance == pytest.approx(value, rel=1e-8)


def test_value_does_not_depend_on_the_order_of_columns(reduced) -> None:
    chosen = reduced.random_sets(1, np.random.default_rng(12))
    assert reduced.evaluate(chosen[:, ::-1].copy()) == pytest.approx(reduced.evaluate(chosen), rel=1e-9)


def test_single_exchanges_are_exact(reduced) -> None:
    generator = np.random.default_rng(13)
    chosen = reduced.random_sets(1, generator)[0]
    at = reduced.exchanges(chosen)
    assert at.value == pytest.approx(reduced.evaluate(chosen[None])[0], rel=1e-9)
    changes = at.single(reduced.softness)
    for _ in range(40):
        place, candidate = generator.integers(len(chosen)), generator.integers(len(reduced.site.candidates))
        if candidate in chosen:
            continue
        other = chosen.copy()
        other[place] = candidate
        assert changes[place, candidate] == pytest.approx(reduced.evaluate(other[None])[0] - at.value, rel=1e-6, abs=1e-6 * at.value)


def test_repair_keeps_the_rules_and_leaves_what_holds(reduced) -> None:
    generator = np.random.default_rng(14)
    wanted = generator.integers(len(reduced.site.candidates), size=(200, reduced.site.columns))
    assert not reduced.holds(wanted).all()
    repaired = reduced.repaired(wanted)
    assert reduced.holds(repaired).all()
    assert (reduced.repaired(repaired) == repaired).all()


def test_holds_is_the_distance(reduced) -> None:
    for chosen in np.random.default_rng(15).integers(len(reduced.site.candidates), size=(100, 3)):
        positions = reduced.site.positions[chosen]
        apart = [np.linalg.norm(positions[a] - positions[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        assert reduced.holds(chosen[None])[0] == (min(apart) >= reduced.site.distance_min_m - 1e-9)


def test_no_candidate_stands_in_a_forbidden_zone(reduced) -> None:
    positions = reduced.site.positions
    path = roof.path_line(4000)
    assert min(np.linalg.norm(path - point, axis=1).min() for point in positions) > roof.PATH_CLEARANCE_M - 0.02
    for x, y, radius in roof.OBSTACLES_M:
        assert np.hypot(positions[:, 0] - x, positions[:, 1] - y).min() >= radius


def test_nearest_is_nearest(reduced) -> None:
    generator = np.random.default_rng(16)
    wishes = generator.uniform((0, 0), (60, 16), size=(200, 2))
    found = np.linalg.norm(reduced.site.positions[reduced.nearest(wishes)] - wishes, axis=1)
    best = np.linalg.norm(reduced.site.positions[None] - wishes[:, None], axis=-1).min(axis=1)
    assert (found <= best + 0.15).all()


def test_a_thicker_roof_is_stiffer_and_lightest_keeps_the_limits(walkway, reduced) -> None:
    chosen = np.arange(0, len(reduced.site.candidates), 6)
    mass = walkway.lightest_kg(chosen)
    answer = walkway.check(chosen, mass / walkway.mass_kg)
    thinner = walkway.check(chosen, 0.98 * mass / walkway.mass_kg)
    assert answer.deflection_mm_max <= roof.DEFLECTION_MM_MAX and answer.stress_mpa_max <= roof.STRESS_MPA_MAX
    assert thinner.deflection_mm_max > roof.DEFLECTION_MM_MAX or thinner.stress_mpa_max > roof.STRESS_MPA_MAX
