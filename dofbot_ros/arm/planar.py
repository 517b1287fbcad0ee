"""Joints 2, 3 and 4 as a three-link chain in the arm's vertical plane: solved, bounded and approached in closed form.

Angles are measured from straight up, positive forward; a link of length L at angle a ends at (L sin a, L cos a).
Plain floats and `math` on purpose: one solve is a matter of microseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

LIMIT_TOLERANCE = 1e-9
"""A joint this far past its limit is rounding, and is put back on it [rad]."""

STRETCH_TOLERANCE = 1e-10
"""A wrist this far past the stretched arm is rounding [m]."""

STRAIGHT = 1e-5
"""Below this bend the elbow counts as straight [rad]: rounding of the goal alone hides such bends, which move the wrist
by 2e-12 m at most."""

ON_AXIS = 1e-10
"""Nearer than this to joint1's axis every yaw will do [m]."""

NO_AREA = 1e-18
"""Squares of distances that differ by less are equal [m^2]: above its base, an arm whose fingers are beside its axis
has its tool at the nearest point that it can have to that of joint 1."""

SAME_DISTANCE = 1e-9
"""Distances that differ by less are equal [m]."""

_AT_THE_EDGE = 1e-7
"""The end of a pitch range is computed, and may miss the limit that makes it by this much [rad]."""

_TWO_PI = 2.0 * math.pi

PitchAngles = tuple[float, float, float]
Interval = tuple[float, float]


def fit_angle(angle: float, lower: float, upper: float, tolerance: float = LIMIT_TOLERANCE) -> float | None:
    """The same direction within [lower, upper], whole turns added; None where no turn brings it there [rad]."""
    if lower <= angle <= upper:
        return angle
    if angle < lower - tolerance:
        angle += _TWO_PI * math.ceil((lower - tolerance - angle) / _TWO_PI)
    elif angle > upper + tolerance:
        angle -= _TWO_PI * math.ceil((angle - upper - tolerance) / _TWO_PI)
    if lower - tolerance <= angle <= upper + tolerance:
        return min(max(angle, lower), upper)
    return None


def nearest_angle(angle: float, lower: float, upper: float) -> float:
    """The angle of [lower, upper] that turns least to point along `angle` [rad]."""
    if lower <= angle <= upper:
        return angle
    middle = 0.5 * (lower + upper)
    half = 0.5 * (upper - lower)
    return middle + min(max(turn(middle, angle), -half), half)


def within_half_turn(angle: float, lower: float, upper: float) -> float:
    """The same direction no more than half a turn from the middle of [lower, upper] [rad]."""
    middle = 0.5 * (lower + upper)
    return middle + turn(middle, angle)


def turn(start: float, end: float) -> float:
    """The shorter way round from `start` to `end`, in [-pi, pi] [rad]."""
    return math.remainder(end - start, _TWO_PI)


def distance_ahead(distance: float, left: float) -> float:
    """How far ahead a point is that is `distance` away and `left` to the side [m]; 0 where rounding is all there is."""
    ahead = distance * distance - left * left
    return distance if not left else math.sqrt(ahead) if ahead > NO_AREA else 0.0


def within_a_turn(lo: float, hi: float) -> Interval:
    """The same interval of directions, `lo` in [-pi, pi) where it is less than a turn beside that [rad]."""
    by = _TWO_PI if lo < -math.pi else -_TWO_PI if lo >= math.pi else 0.0
    return lo + by, hi + by


class PlanarArm(NamedTuple):
    """The chain shoulder (joint 2), elbow (joint 3), wrist (joint 4), tool point. Origin: the shoulder.

    Attributes:
        upper_arm: shoulder to elbow [m].
        forearm: elbow to wrist [m].
        tool: wrist to tool point [m].
        lower: limits of joints 2, 3, 4 [rad].
        upper: limits of joints 2, 3, 4 [rad].
    """

    upper_arm: float
    forearm: float
    tool: float
    lower: PitchAngles
    upper: PitchAngles

    def point(self, q: PitchAngles) -> tuple[float, float]:
        """Tool point (forward, up) of the joint angles [m]."""
        a, b, c = q[0], q[0] + q[1], q[0] + q[1] + q[2]
        return (
            self.upper_arm * math.sin(a) + self.forearm * math.sin(b) + self.tool * math.sin(c),
            self.upper_arm * math.cos(a) + self.forearm * math.cos(b) + self.tool * math.cos(c),
        )

    def solve(
        self, r: float, h: float, pitch: float, tolerance: float = LIMIT_TOLERANCE
    ) -> tuple[PitchAngles | None, PitchAngles | None]:
        """Joint angles with the tool point at (r, h) and the tool at `pitch`: elbow bent forward, elbow bent backward.

        None stands for a bend that the limits or the lengths forbid; a straight elbow is the first of the two.
        """
        a, b, t = self[:3]
        w, v = r - t * math.sin(pitch), h - t * math.cos(pitch)
        k = 2.0 * a * b
        c = w * w + v * v - a * a - b * b  # k cos(bend), by the law of cosines
        s2 = k * k - c * c  # (k sin(bend))^2
        direction = math.atan2(w, v)
        if s2 < k * k * (STRAIGHT * STRAIGHT) and c > 0.0:
            stretched = s2 >= -4.0 * k * (a + b) * STRETCH_TOLERANCE
            return self._straight(direction, pitch, tolerance) if stretched else None, None
        if s2 < 0.0:
            return None, None
        s = math.sqrt(s2)
        bend = math.atan2(s, c)
        offset = math.atan2(b * s, a * k + b * c)
        return (
            self._finish(direction - offset, bend, pitch, tolerance),
            self._finish(direction + offset, -bend, pitch, tolerance),
        )

    def _finish(self, q2: float, q3: float, pitch: float, tolerance: float) -> PitchAngles | None:
        lower, upper = self.lower, self.upper
        if not lower[1] - tolerance <= q3 <= upper[1] + tolerance:
            return None
        q4 = fit_angle(pitch - q2 - q3, lower[2], upper[2], tolerance)
        if q4 is None:
            return None
        fitted = fit_angle(q2, lower[0], upper[0], tolerance)
        return None if fitted is None else (fitted, min(max(q3, lower[1]), upper[1]), q4)

    def _straight(self, direction: float, pitch: float, tolerance: float) -> PitchAngles | None:
        """The smallest bend that keeps all joints within their limits, where every bend below STRAIGHT will do.

        A small bend takes `share` of itself from joint 2 and the rest from joint 4.
        """
        lower, upper = self.lower, self.upper
        share = self.forearm / (self.upper_arm + self.forearm)
        q2 = within_half_turn(direction, lower[0], upper[0])
        q4 = within_half_turn(pitch - q2, lower[2], upper[2])
        least = max((q2 - upper[0]) / share, (q4 - upper[2]) / (1.0 - share), lower[1], -STRAIGHT)
        most = min((q2 - lower[0]) / share, (q4 - lower[2]) / (1.0 - share), upper[1], STRAIGHT)
        if least > most + tolerance:
            return None
        bend = min(max(0.0, least), most)
        return self._finish(q2 - share * bend, bend, pitch, max(tolerance, LIMIT_TOLERANCE))

    def to_point_beside(self, ahead: float) -> tuple[PlanarArm, float]:
        """The chain to a point beside the tool point, and how far its tool leans forward against this one's [rad].

        Args:
            ahead: how far the point is forward of the tool point where the tool points up [m]. Seen from the wrist it
                is the tip of a tool that is longer, and leans.
        """
        if not ahead:
            return self, 0.0
        length, lean = _polar(ahead, self.tool)
        lower, upper = ((q[0], q[1], q[2] + lean) for q in (self.lower, self.upper))
        return self._replace(tool=length, lower=lower, upper=upper), lean

    def pitch_ranges(self, r: float, h: float) -> list[Interval]:
        """All pitches at which the tool point reaches (r, h): intervals (lo, hi), lo in [-pi, pi), in rising order.

        Exact: the pitches where a limit or the stretched arm begins to bind are known in closed form, and between two
        neighbours of them nothing changes. A pitch that is reached only by itself is an interval of no length.
        """
        edges = sorted({math.remainder(e, _TWO_PI) for e in self._pitch_edges(r, h)})
        if not edges:
            return [(-math.pi, math.pi)] if self._reaches(r, h, 0.0) else []
        ranges: list[Interval] = []
        for i, lo in enumerate(edges):
            hi = edges[i + 1] if i + 1 < len(edges) else edges[0] + _TWO_PI
            if hi - lo > LIMIT_TOLERANCE and self._reaches(r, h, 0.5 * (lo + hi)):
                joined = ranges and ranges[-1][1] >= lo - LIMIT_TOLERANCE
                ranges.append((ranges.pop()[0], hi) if joined else (lo, hi))
            elif not (ranges and ranges[-1][1] >= lo - LIMIT_TOLERANCE) and self._reaches(r, h, lo):
                ranges.append((lo, lo))
        return _join_ends(ranges)

    def _reaches(self, r: float, h: float, pitch: float) -> bool:
        return any(self.solve(r, h, pitch))

    def _pitch_edges(self, r: float, h: float) -> Iterator[float]:
        """Pitches at which some joint is at a limit, or the elbow straight, with the tool point at (r, h)."""
        a, b, t, lower, upper = self
        bent = [math.sqrt(a * a + b * b + 2.0 * a * b * math.cos(q)) for q in (lower[1], upper[1])]
        for wrist_distance in (*bent, a + b, abs(a - b)):
            yield from _directions(r, h, t, wrist_distance)
        for q2 in (lower[0], upper[0]):
            yield from _directions(r - a * math.sin(q2), h - a * math.cos(q2), t, b)
        for q4 in (lower[2], upper[2]):
            length, angle = self._beyond_elbow(q4)
            for direction in _directions(r, h, length, a):
                yield direction - angle + q4

    def nearest(self, r: float, h: float, pitch: float) -> list[PitchAngles]:
        """Joint angles that bring the tool point as near to (r, h) as the limits let it, the nearest pitch among them.

        Out of reach the distance is stationary in every joint that is not at a limit, so the tool point, that joint and
        (r, h) lie on one line: finitely many candidates, all tried, and those of the least distance returned.
        """
        within = [nearest_angle(pitch, *interval) for interval in self.pitch_ranges(r, h)]
        reached = [q for at in within for q in self.solve(r, h, at, tolerance=_AT_THE_EDGE) if q is not None]
        if reached:
            return reached
        rated = []
        for q in self._stationary(r, h, pitch):
            x, y = self.point(q)
            rated.append((math.hypot(x - r, y - h), q))
        shortest = min(rated)[0]
        return [q for distance, q in rated if distance <= shortest + SAME_DISTANCE]

    def _stationary(self, r: float, h: float, pitch: float) -> Iterator[PitchAngles]:
        """Every set of joint angles at which the distance to (r, h) may be least."""
        a, b, _, lower, upper = self
        elbows, wrists = (lower[1], upper[1]), (lower[2], upper[2])
        shapes = [(q3, q4) for q3 in elbows for q4 in wrists]
        for q4 in (*wrists, 0.0, math.pi):
            angle = self._beyond_elbow(q4)[1]
            shapes += [(-angle, q4), (math.pi - angle, q4)]
        for q3 in elbows:
            angle = math.atan2(b * math.sin(q3), a + b * math.cos(q3))
            shapes += [(q3, angle - q3), (q3, math.pi + angle - q3)]
        for q3, q4 in shapes:
            tip = self.point((0.0, q3, q4))
            yield from self._within(self._aim(r, h, math.atan2(*tip), pitch - q3 - q4, 0), q3, q4)
        for q2 in (lower[0], upper[0]):
            x, y = r - a * math.sin(q2), h - a * math.cos(q2)
            for q4 in (*wrists, 0.0, math.pi):
                angle = self._beyond_elbow(q4)[1]
                yield from self._within(q2, self._aim(x, y, q2 + angle, pitch - q2 - q4, 1), q4)
            for q3 in elbows:
                u, v = x - b * math.sin(q2 + q3), y - b * math.cos(q2 + q3)
                for q4 in (*wrists, self._aim(u, v, q2 + q3, pitch - q2 - q3, 2)):
                    yield from self._within(q2, q3, q4)

    def _aim(self, x: float, y: float, offset: float, wanted: float, joint: int) -> float:
        """The joint angle that points along (x, y); the one nearest to `wanted` where every direction is as good."""
        if math.hypot(x, y) > SAME_DISTANCE:
            return math.atan2(x, y) - offset
        return nearest_angle(wanted, self.lower[joint], self.upper[joint])

    def _within(self, *q: float) -> Iterator[PitchAngles]:
        q2, q3, q4 = (fit_angle(*item) for item in zip(q, self.lower, self.upper, strict=True))
        if q2 is not None and q3 is not None and q4 is not None:
            yield q2, q3, q4

    def _beyond_elbow(self, q4: float) -> tuple[float, float]:
        """Length and direction of the line from elbow to tool point, seen from the forearm."""
        return _polar(self.tool * math.sin(q4), self.forearm + self.tool * math.cos(q4))


def _polar(x: float, y: float) -> tuple[float, float]:
    """Length and angle from straight up of the vector (x forward, y up)."""
    return math.hypot(x, y), math.atan2(x, y)


def _directions(x: float, y: float, length: float, distance: float) -> Iterator[float]:
    """Directions in which a link of `length`, ending at (x, y), begins `distance` from the origin."""
    reach, angle = _polar(x, y)
    if reach < 1e-12 or length < 1e-12:
        return
    cosine = (reach * reach + length * length - distance * distance) / (2.0 * reach * length)
    if abs(cosine) <= 1.0 + 1e-12:
        swing = math.acos(min(max(cosine, -1.0), 1.0))
        yield angle - swing
        yield angle + swing


def _join_ends(ranges: list[Interval]) -> list[Interval]:
    """Join the last interval to the first one where it runs into it across the back of the circle."""
    if len(ranges) > 1 and ranges[-1][1] >= ranges[0][0] + _TWO_PI - LIMIT_TOLERANCE:
        first, last = ranges[0], ranges[-1]
        return [*ranges[1:-1], (last[0], first[1] + _TWO_PI)]
    return ranges
