"""A picture becomes what the network takes: of a photo, the hand's silhouette."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("captum", reason="looking into networks needs the extra lab")
pytest.importorskip("mediapipe", reason="hands are found by MediaPipe, extra teleop")

from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.given import from_picture, read_picture
from dofbot_ros.lab.analysis.loading import load_network
from dofbot_ros.lab.imitation.imitator import shipped_network

HANDS = Path(__file__).resolve().parents[5] / "shared" / "data" / "hands"


@pytest.mark.skipif(not HANDS.is_dir(), reason="the photos of hands in ../shared/data are not here")
def test_the_hand_of_a_photo_is_cut_out_for_a_hand_network() -> None:
    network = load_network(shipped_network(12))
    given = from_picture(network, read_picture(HANDS / "rock.jpg"))
    assert tuple(given.shape) == (1, *network.inputs[0].shape)
    assert set(np.unique(given.numpy())) == {0.0, 1.0}
    assert 0.05 < float(given.mean()) < 0.6


def test_a_picture_without_a_hand_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 180, np.uint8))
    with pytest.raises(InputError, match="shows no hand"):
        from_picture(load_network(shipped_network(17)), read_picture(tmp_path / "wall.png"))
