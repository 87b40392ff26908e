"""Coordinates that cannot be right, and distant places that can."""

from __future__ import annotations

import random

import pytest

from lavendertown.detectors import Coordinates

DRAWN = random.Random(2)
PLACES = [(DRAWN.uniform(47, 54), DRAWN.uniform(-14, -7)) for _ in range(100)]


def frame(*odd: tuple[float, float], lat: str = "lat", lon: str = "lon") -> dict[str, list[float]]:
    places = [*PLACES, *odd]
    return {lat: [place[0] for place in places], lon: [place[1] for place in places]}


@pytest.mark.parametrize(
    ("odd", "fault"),
    [
        ((525.1, -9.0), "out of range"), ((50.0, 190.0), "out of range"), ((0.0, 0.0), "0/0"),
        ((-9.0, 50.0), "swapped"), ((50.0, 9.0), "sign"), ((-50.0, -9.0), "sign"),
    ],
)  # fmt: skip
def test_a_wrong_place_is_found(detect, odd: tuple[float, float], fault: str) -> None:
    (finding,) = detect(frame(odd, odd), Coordinates())
    assert (finding.ghost_type, finding.column, finding.row_indices) == ("format", "lat", [100, 101])
    assert finding.metadata["faults"] == {fault: 2}
    assert finding.metadata["columns"] == ["lat", "lon"]


@pytest.mark.parametrize("odd", [(48.0, 2.3), (40.7, -74.0), (0.0, -9.0), (-33.9, 151.2)])
def test_a_distant_place_may_be_right(detect, odd: tuple[float, float]) -> None:
    assert detect(frame(odd), Coordinates()) == []


def test_places_all_over_the_world_have_no_region(detect) -> None:
    world = [(DRAWN.uniform(-60, 70), DRAWN.uniform(-170, 170)) for _ in range(100)]
    assert detect({"lat": [a for a, _ in world], "lon": [b for _, b in world]}, Coordinates()) == []


@pytest.mark.parametrize(
    ("lat", "lon"),
    [("start_lat", "start_lng"), ("Latitude", "Longitude"), ("pickup_latitude", "pickup_longitude")],
)
def test_the_longitude_has_the_same_name_otherwise(detect, lat: str, lon: str) -> None:
    assert len(detect(frame((0.0, 0.0), lat=lat, lon=lon), Coordinates())) == 1
    assert detect(frame((0.0, 0.0), lat=lat, lon=f"other_{lon}"), Coordinates()) == []
    assert detect(frame((0.0, 0.0), lat="flat", lon="flon"), Coordinates()) == []
