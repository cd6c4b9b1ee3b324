"""The reference of `golden/asert.json`: the difficulty rule in big integers, written apart from the Rust code.
`python3 asert.py > asert.json`."""

import json
from math import isqrt

HARDEST, EASIEST = None, 2**256 - 1


def from_tries(tries):
    return min(2**256 // tries, EASIEST)


HARDEST = from_tries(2**96)


def roots():
    precision, out = 512, []
    x = 2 << precision
    for _ in range(32):
        x = isqrt(x << precision)
        out.append(((x >> (precision - 64)) + 1) >> 1)
    return out


ROOTS = roots()


def next_target(target, solve_s, spacing_s, half_life_blocks):
    half_life_s = max(spacing_s * half_life_blocks, 1)
    exponent = ((solve_s - spacing_s) << 32) // half_life_s
    whole, fraction = exponent >> 32, exponent & 0xFFFFFFFF
    factor = 1 << 63
    for i, root in enumerate(ROOTS):
        if fraction >> (31 - i) & 1:
            factor = factor * root >> 63
    # Far outside of any target's width both ways: do not build the number.
    if whole >= 256:
        return EASIEST
    if whole < -320:
        return HARDEST
    shift = whole - 63
    scaled = target * factor << shift if shift >= 0 else target * factor >> -shift
    return max(HARDEST, min(EASIEST, scaled))


def main():
    vectors, random = [], 12345

    def draw(below):
        nonlocal random
        random = (random * 6364136223846793005 + 1442695040888963407) % 2**64
        return (random >> 20) % below

    cases = [(from_tries(t), s) for t in (1, 2, 3, 60, 2**32, 10**12, 2**80, 2**96) for s in (120, 0, -120, 119, 121, 7320, -7080, 86400, -86400, 2**40, -(2**40))]
    cases += [(from_tries(draw(2**40) + 1), draw(20000) - 4000) for _ in range(200)]
    for target, solve_s in cases:
        for spacing_s, half_life_blocks in ((120, 60), (5, 60)):
            after = next_target(target, solve_s, spacing_s, half_life_blocks)
            vectors.append({
                "spacing_s": spacing_s, "half_life_blocks": half_life_blocks, "solve_s": solve_s,
                "target": f"{target:064x}", "next": f"{after:064x}",
            })
    print("[\n" + ",\n".join(json.dumps(vector) for vector in vectors) + "\n]")


main()
