import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.core import transforms as tf

angles = st.floats(-np.pi, np.pi)
vectors = arrays(np.float64, 3, elements=st.floats(-1, 1))
rotations = vectors.map(lambda v: tf.exp_so3(3.0 * v))
poses = st.tuples(rotations, vectors).map(lambda rt: tf.transform(*rt))


@given(rotations)
def test_rotations_are_rotations(r):
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(r) == pytest.approx(1.0)


@given(rotations)
def test_quaternion_and_back(r):
    q = tf.quat_from_matrix(r)
    assert np.linalg.norm(q) == pytest.approx(1.0)
    np.testing.assert_allclose(tf.matrix_from_quat(q), r, atol=1e-12)


@given(vectors)
def test_log_is_the_inverse_of_exp(v):
    v = 3.0 * v
    assume(np.linalg.norm(v) < np.pi - 1e-3)
    np.testing.assert_allclose(tf.log_so3(tf.exp_so3(v)), v, atol=1e-9)


@given(arrays(np.float64, (2, 4, 3), elements=st.floats(-4, 4)))
def test_many_rotation_vectors_are_turned_as_each_alone(vectors):
    vectors[0, 0], vectors[0, 1] = 0.0, 1e-13 * vectors[0, 1]

    alone = [[tf.exp_so3(v) for v in row] for row in vectors]

    np.testing.assert_allclose(tf.exp_so3_batch(vectors), alone, rtol=0, atol=1e-14)


@given(poses, poses, vectors)
def test_group_laws(a, b, p):
    np.testing.assert_allclose(tf.invert(a) @ a, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(tf.apply(a @ b, p), tf.apply(a, tf.apply(b, p)), atol=1e-12)
    np.testing.assert_allclose(tf.invert(a @ b), tf.invert(b) @ tf.invert(a), atol=1e-12)


@given(angles, angles, angles)
def test_rpy_is_about_fixed_axes(roll, pitch, yaw):
    expected = tf.rot_axis([0, 0, 1], yaw) @ tf.rot_axis([0, 1, 0], pitch) @ tf.rot_axis([1, 0, 0], roll)
    np.testing.assert_allclose(tf.rot_rpy(roll, pitch, yaw), expected, atol=1e-12)


@given(st.floats(-50, 50))
def test_wrapped_angles_point_the_same_way(angle):
    wrapped = tf.wrap_angle(angle)
    assert -np.pi < wrapped <= np.pi
    assert np.cos(wrapped - angle) == pytest.approx(1.0)


@pytest.mark.parametrize("q", [[0, 0, 0, 0], [np.nan, 0, 0, 1], [1e-12, 0, 0, 0]])
def test_a_quaternion_without_direction_is_refused(q):
    with pytest.raises(ValueError, match="is not a rotation"):
        tf.matrix_from_quat(q)
