"""The table that divan prints."""

from hbench.throughput import parse, remarks

PRINTED = """\
# AVX2; additions through memory: 3.10 G/s
# limits
crossbar          fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ unit_bytes                   │               │               │               │         │
│  ├─ 4           10.1 ms       │ 12.2 ms       │ 11.3 ms       │ 11.4 ms       │ 10      │ 10
│  │              5.5 Gitem/s   │ 4.25 Gitem/s  │ 4.75 Gitem/s  │ 4.6 Gitem/s   │         │
│  ╰─ 20          10.1 ms       │ 12.2 ms       │ 11.3 ms       │ 11.4 ms       │ 10      │ 10
│                 950.5 Mitem/s │ 900 Mitem/s   │ 925.5 Mitem/s │ 924 Mitem/s   │         │
╰─ reference      10.1 ms       │ 12.2 ms       │ 11.3 ms       │ 11.4 ms       │ 10      │ 10
                  99.5 Kitem/s  │ 88 Kitem/s    │ 90 Kitem/s    │ 91 Kitem/s    │         │
"""


def test_functions_cases_and_rates_are_read() -> None:
    lines = parse("crossbar", PRINTED)
    assert [(x.function, x.case) for x in lines] == [("unit_bytes", "4"), ("unit_bytes", "20"), ("reference", "")]
    assert (lines[0].fastest, lines[0].slowest, lines[0].median) == (5.5e9, 4.25e9, 4.75e9)
    assert lines[1].median == 925.5e6
    assert lines[2].median == 90e3


def test_limits_are_kept() -> None:
    assert remarks(PRINTED) == ["AVX2; additions through memory: 3.10 G/s", "limits"]
