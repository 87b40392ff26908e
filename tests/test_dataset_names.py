"""The dataset that a file belongs to, by its name."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.core.dataset_names import dataset_name, former_dataset_name

NAMES = {
    # The table's name is kept whole
    "orders.csv": "orders",
    "public.orders.csv": "public.orders",
    "public.customers.csv": "public.customers",
    "PUBLIC.Orders.CSV": "PUBLIC.Orders",
    "db.schema.table.parquet": "db.schema.table",
    "public.log.csv": "public.log",
    "orders final.xlsx": "orders final",
    "customer_segment.csv": "customer_segment",
    "sensor1.csv": "sensor1",
    "sensor2.csv": "sensor2",
    "covid19.csv": "covid19",
    "3d_printers.csv": "3d_printers",
    "decimal_may.csv": "decimal_may",
    "größen.csv": "größen",
    "注文.csv": "注文",
    # Endings
    "orders.csv.gz": "orders",
    "orders.tar.gz": "orders",
    "orders.csv.tar.gz": "orders",
    "public.orders.json.zst": "public.orders",
    "orders.txt": "orders",
    "orders.txt.gz": "orders",
    "orders.CSV.GZ": "orders",
    "orders.snappy.parquet": "orders",
    "orders": "orders",
    "folder/public.orders.csv": "public.orders",
    # Days
    "orders_2026-11-20.csv": "orders",
    "orders-2026-11-21.csv": "orders",
    "20261128_orders.csv.gz": "orders",
    "2026-11-28 orders.csv": "orders",
    "orders20251121.csv": "orders",
    "orders.2025-11-21.csv": "orders",
    "public.orders.2025-11-21.csv": "public.orders",
    "orders.csv.2025-11-21.gz": "orders",
    "orders_21-11-2025.csv": "orders",
    "orders_21.11.2025.csv": "orders",
    "orders_21nov2025.csv": "orders",
    "orders_2025_nov_21.csv": "orders",
    "Orders November 21, 2025.csv": "Orders",
    "orders_1732181400.csv": "orders",
    # Weeks
    "orders_2025_w47.csv": "orders",
    "orders_2025_w48.csv": "orders",
    "orders_2025W47.csv": "orders",
    "orders-2025-W47-3.csv": "orders",
    "orders_2025_week_47.csv": "orders",
    "orders_2025kw47.csv": "orders",
    "orders_w47.csv": "orders",
    "2025-W47-orders.csv": "orders",
    # Quarters, half years, months, years
    "orders_2025q3.csv": "orders",
    "orders-2025-Q3.csv": "orders",
    "orders_Q3_2025.csv": "orders",
    "orders2025q3.csv": "orders",
    "orders_q3.csv": "orders",
    "orders_2025-H1.csv": "orders",
    "2025-Q3_orders.csv": "orders",
    "orders_2025-11.csv": "orders",
    "orders_202511.csv": "orders",
    "orders_nov2025.csv": "orders",
    "orders-nov-2025.csv": "orders",
    "orders_november_2025.csv": "orders",
    "orders_2025_november.csv": "orders",
    "november_2025_orders.csv": "orders",
    "orders2025.csv": "orders",
    "orders_2025.csv": "orders",
    # Timestamps
    "orders_20251121T093000Z.csv": "orders",
    "orders-20251121T093000.csv": "orders",
    "orders_2025-11-21_09-30.csv": "orders",
    "orders_2025-11-21T09-30-00Z.csv": "orders",
    "orders_2025-11-21T09:30:00+01:00.csv": "orders",
    "orders_20251121_093000.csv": "orders",
    "orders_2025-11-21 09.30.15.csv": "orders",
    "20251121T093000Z_public.orders.csv": "public.orders",
    # Parts and running numbers
    "orders-part-00001.csv": "orders",
    "orders.part2.csv": "orders",
    "orders.csv.part2": "orders",
    "orders_1of3.csv": "orders",
    "orders_1_of_3.csv": "orders",
    "orders-00001-of-00008.parquet": "orders",
    "orders_part_1_of_3.csv": "orders",
    "orders_2025_w47_part2.csv": "orders",
    "orders-5e3d1a2b-1111-4222-8333-0123456789ab-c000.snappy.parquet": "orders",
    "orders (1).csv": "orders",
    "a-b 12.parquet": "a-b",
    # Versions
    "orders.v2.csv": "orders",
    "orders_v2.csv": "orders",
    "orders-v1.2.0.csv": "orders",
    "public.orders.v2.csv": "public.orders",
    # Nothing but a date, or nothing at all
    "2026.csv": "2026",
    "2026-11-21.csv": "2026-11-21",
    "2025-Q3.csv": "2025-Q3",
    "part-00001.csv": "part",
    ".csv": ".csv",
    "": "data",
}
ENDINGS = st.sampled_from([".csv", ".csv.gz", ".parquet", ".json", ".xlsx", ".tar.gz"])
STEMS = st.text(string.ascii_letters + "_- ", min_size=1, max_size=12).filter(lambda stem: stem.strip(" _-"))
DELIVERIES = st.sampled_from(
    ["_2025-11-21", "-20251121T093000Z", "_2025_w47", "_2025q3", "_nov2025", "_part2", "_1of3", ".v2", " (3)"]
)


@pytest.mark.parametrize(("file", "dataset"), NAMES.items())
def test_a_dataset_is_named_by_its_table_without_its_delivery(file: str, dataset: str) -> None:
    assert dataset_name(file) == dataset


@given(st.text(max_size=40))
def test_a_name_is_never_empty(file: str) -> None:
    assert dataset_name(file).strip()


@given(st.text(string.ascii_letters + string.digits + "._- ()T", max_size=30), ENDINGS)
def test_a_name_stays_the_same_with_an_ending(file: str, ending: str) -> None:
    name = dataset_name(file)
    assert dataset_name(name + ending) == name


@given(STEMS, STEMS, ENDINGS)
def test_stems_without_dates_stay_apart(one: str, other: str, ending: str) -> None:
    assert (dataset_name(one + ending) == dataset_name(other + ending)) == (one == other)


@given(STEMS, DELIVERIES, ENDINGS)
def test_each_delivery_is_of_the_same_dataset(stem: str, delivery: str, ending: str) -> None:
    assert dataset_name(stem + delivery + ending) == dataset_name(stem.rstrip(" _-") + ending)


@pytest.mark.parametrize(
    ("file", "dataset"),
    [
        ("public.orders.csv", "public"),
        ("orders_2025_w47.csv", "orders_2025_w"),
        ("orders_2026-11-20.csv", "orders"),
        ("2026.csv", "2026"),
    ],
)
def test_the_former_rule_is_kept(file: str, dataset: str) -> None:
    assert former_dataset_name(file) == dataset
