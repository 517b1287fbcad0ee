"""A small hand as a URDF, made here: a box for the palm, cylinders, spheres and capsules for the fingers."""

from __future__ import annotations

from xml.etree import ElementTree

FINGERS = (("index", 0.03), ("middle", 0.01), ("ring", -0.01), ("little", -0.03))
"""Name, and how far the knuckle lies to the side of the hand's axis [m]."""


def link(name: str, shape: str, origin: str = "0 0 0", rpy: str = "0 0 0") -> str:
    return (
        f'<link name="{name}"><visual><origin xyz="{origin}" rpy="{rpy}"/><geometry>{shape}</geometry></visual></link>'
    )


def joint(name: str, parent: str, child: str, origin: str, *, axis: str = "0 1 0", more: str = "") -> str:
    return (
        f'<joint name="{name}" type="revolute"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{origin}"/><axis xyz="{axis}"/><limit lower="0" upper="1.5" effort="1" velocity="1"/>'
        f"{more}</joint>"
    )


def own_hand(mesh: bool = False, base: str = "base") -> str:
    """A right hand, fingers along x, palm down: 4 fingers of 2 joints and a coupled third, a thumb of 2, a wrist.

    Args:
        mesh: the palm is one, which cannot be read.
        base: what the fingers' first joints are called after their finger.
    """
    palm = '<mesh filename="palm.stl"/>' if mesh else '<box size="0.10 0.085 0.03"/>'
    parts = [link("forearm", '<cylinder radius="0.025" length="0.2"/>', "-0.1 0 0", "0 1.5708 0")]
    parts += [link("palm", palm, "0.05 0 0")]
    wrist = joint("wrist", "forearm", "palm", "0 0 0", axis="0 0 1").replace(
        'lower="0" upper="1.5"', 'lower="-0.5" upper="0.5"'
    )
    parts += [wrist]
    for name, side in FINGERS:
        bone = '<cylinder radius="0.009" length="0.045"/>'
        parts += [link(f"{name}_1", bone, "0.0225 0 0", "0 1.5708 0")]
        parts += [link(f"{name}_2", '<capsule radius="0.009" length="0.028"/>', "0.014 0 0", "0 1.5708 0")]
        parts += [link(f"{name}_3", '<sphere radius="0.009"/>', "0.012 0 0")]
        parts += [joint(f"{name}_{base}", "palm", f"{name}_1", f"0.1 {side} 0")]
        parts += [joint(f"{name}_middle", f"{name}_1", f"{name}_2", "0.045 0 0")]
        follows = f'<mimic joint="{name}_middle" multiplier="0.67"/>'
        parts += [joint(f"{name}_tip", f"{name}_2", f"{name}_3", "0.03 0 0", more=follows)]
    parts += [link("thumb_1", '<cylinder radius="0.011" length="0.04"/>', "0.02 0 0", "0 1.5708 0")]
    parts += [link("thumb_2", '<cylinder radius="0.011" length="0.035"/>', "0.0175 0 0", "0 1.5708 0")]
    first = joint("thumb_base", "palm", "thumb_1", "0.02 0.045 0", axis="0 0 -1")
    parts += [first.replace('xyz="0.02 0.045 0"', 'xyz="0.02 0.045 0" rpy="0 0 0.9"')]
    parts += [joint("thumb_middle", "thumb_1", "thumb_2", "0.04 0 0", axis="0 0 -1")]
    return f'<robot name="own">{"".join(parts)}</robot>'


def mirrored(urdf: str) -> str:
    """The hand of the other side: y is reflected, which turns axes about x and z the other way."""
    root = ElementTree.fromstring(urdf)
    signs = {("origin", "xyz"): (1, -1, 1), ("origin", "rpy"): (-1, 1, -1), ("axis", "xyz"): (-1, 1, -1)}
    for (tag, key), factors in signs.items():
        for element in root.iter(tag):
            values = [float(word) for word in element.get(key, "0 0 0").split()]
            element.set(key, " ".join(str(f * v) for f, v in zip(factors, values, strict=True)))
    return ElementTree.tostring(root, encoding="unicode")
