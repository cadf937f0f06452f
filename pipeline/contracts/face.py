"""The face as values: ARKit's 52 blendshape coefficients, in ARKit's order and spelling.

Source: Apple, `ARFaceAnchor.BlendShapeLocation`.
"""

from dataclasses import dataclass
from typing import Any, Final

ARKIT_52: Final[tuple[str, ...]] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
    "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(ARKIT_52)}

Pose = tuple[float, ...]
"""52 coefficients, each 0 to 1, in the order of ARKIT_52."""
NEUTRAL: Final[Pose] = (0.0,) * 52


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """One frame of the face, stamped with the audio it belongs to."""

    session_id: str
    seq: int
    t_audio_ms: float
    fps: int
    heartbeat: bool
    """True: nothing is being said; the frame only shows that the face is alive (blinks, rest)."""
    pose: Pose

    def to_wire(self) -> dict[str, Any]:
        """The JSON of the product contract, section 8. Shapes at rest (0) are left out of `blendshapes`."""
        shapes = {ARKIT_52[i]: round(v, 3) for i, v in enumerate(self.pose) if v >= 0.0005}
        return {
            "session_id": self.session_id,
            "seq": self.seq,
            "t_audio_ms": round(self.t_audio_ms, 1),
            "fps": self.fps,
            "heartbeat": self.heartbeat,
            "blendshapes": shapes,
        }
