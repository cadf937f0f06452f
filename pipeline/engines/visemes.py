"""From espeak-ng's phoneme mnemonics to mouth shapes.

Classes: the fifteen visemes of the Oculus lip-sync set (sil PP FF TH DD kk CH SS nn RR aa E ih oh ou), which go back to
MPEG-4's (ISO/IEC 14496-2, table C-1), with three of our own: lax and open mid vowels apart (ah, er) and `w`, whose lips
are rounder than any vowel's. Which phoneme belongs to which follows those tables by place of articulation. Mnemonics:
espeak-ng's documentation, `phonemes.md`, and what its English voices really send. Numbers for the shapes are our own.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from pipeline.contracts.face import INDEX

SHAPES: Final = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthPressLeft",
    "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthShrugLower", "mouthShrugUpper", "tongueOut",
)  # fmt: skip
"""The shapes that articulation moves. All others stay at rest, brows, cheeks and nose by the product contract."""
SHAPE_INDICES: Final = tuple(INDEX[shape] for shape in SHAPES)


@dataclass(frozen=True, slots=True)
class Viseme:
    """A mouth shape."""

    name: str
    shapes: tuple[tuple[int, float], ...]
    """(index in SHAPES, weight 0 to 1) of those that are not at rest."""
    dominance: float
    """How much it insists against its neighbours: lips that do not close are the mistake everybody sees (Cohen and
    Massaro's dominance, "Modeling coarticulation in synthetic visual speech", 1993)."""


MIN_DOMINANCE: Final = 0.7
MAX_DOMINANCE: Final = 4.0


def _viseme(name: str, dominance: float = 1.0, **weights: float) -> Viseme:
    """`lower`, `upper`, `stretch` and `press` set a shape's left and right half."""
    pairs = {"lower": "mouthLowerDown", "upper": "mouthUpperUp", "stretch": "mouthStretch", "press": "mouthPress"}
    shapes: list[tuple[int, float]] = []
    for key, weight in weights.items():
        names = (pairs[key] + "Left", pairs[key] + "Right") if key in pairs else (key,)
        shapes += [(SHAPES.index(shape), weight) for shape in names]
    return Viseme(name, tuple(shapes), dominance)


REST: Final = _viseme("sil")
_VISEMES: Final = {
    viseme.name: viseme
    for viseme in (
        _viseme("PP", 4.0, mouthClose=0.06, jawOpen=0.05, mouthRollLower=0.35, mouthRollUpper=0.3, press=0.4),
        _viseme("FF", 3.0, jawOpen=0.08, mouthRollLower=0.5, upper=0.18, mouthShrugLower=0.15),
        _viseme("TH", 1.5, jawOpen=0.16, lower=0.2, upper=0.08, tongueOut=0.25),
        _viseme("DD", 1.0, jawOpen=0.14, lower=0.22, upper=0.08, stretch=0.1),
        _viseme("kk", 0.7, jawOpen=0.2, lower=0.15, upper=0.05),
        _viseme("CH", 2.0, jawOpen=0.1, mouthFunnel=0.45, mouthPucker=0.2, lower=0.15, mouthShrugUpper=0.1),
        _viseme("SS", 1.5, jawOpen=0.06, stretch=0.25, lower=0.25, upper=0.1),
        _viseme("nn", 0.8, jawOpen=0.13, lower=0.15, upper=0.05),
        _viseme("RR", 1.2, jawOpen=0.14, mouthFunnel=0.28, mouthPucker=0.2),
        _viseme("w", 2.5, jawOpen=0.08, mouthPucker=0.65, mouthFunnel=0.3),
        _viseme("aa", 1.2, jawOpen=0.55, lower=0.3, upper=0.1),
        _viseme("ah", 1.0, jawOpen=0.33, lower=0.22, upper=0.06),
        _viseme("er", 1.0, jawOpen=0.22, mouthFunnel=0.25, mouthPucker=0.1, lower=0.1),
        _viseme("E", 1.0, jawOpen=0.34, stretch=0.2, lower=0.28, upper=0.12),
        _viseme("ih", 1.0, jawOpen=0.18, stretch=0.3, lower=0.25, upper=0.1),
        _viseme("oh", 1.3, jawOpen=0.38, mouthFunnel=0.45, mouthPucker=0.2),
        _viseme("ou", 1.8, jawOpen=0.16, mouthPucker=0.55, mouthFunnel=0.4),
    )
} | {"sil": REST}

_CLASSES: Final = {
    "PP": ("p", "b", "m", "m-"),
    "FF": ("f", "v"),
    "TH": ("T", "D"),
    "DD": ("t", "d", "t2", "*", "t#"),
    "kk": ("k", "g", "N", "x", "h", "H", "?", "C", "Q", "X"),
    "CH": ("tS", "dZ", "S", "Z", "S;", "Z;"),
    "SS": ("s", "z"),
    "nn": ("n", "l", "n-", "L", "l#", "n^", "@L"),
    "RR": ("r", "r-", "R", "R2", "r/"),
    "w": ("w", "hw"),
    "aa": ("A:", "A", "aa", "a", "a:", "0", "A#"),
    "ah": ("V", "@", "a#", "a2", "@2", "@5", "@-", "V#"),
    "er": ("3", "3:", "@r", "3#"),
    "E": ("E", "e", "e:", "E:", "E2", "E#"),
    "ih": ("I", "I2", "I#", "i", "i:", "i2", "j", ";", "y", "y:"),
    "oh": ("O", "O:", "O2", "o", "o:", "o2", "0#", "W"),
    "ou": ("U", "u", "u:", "U#", "u2", "Y", "Y:"),
}
_MONOPHTHONGS: Final = {symbol: name for name, symbols in _CLASSES.items() for symbol in symbols}
_GLIDES: Final = {
    "eI": ("E", "ih"), "aI": ("aa", "ih"), "OI": ("oh", "ih"), "oU": ("oh", "ou"), "aU": ("aa", "ou"),
    "aI@": ("aa", "er"), "aI3": ("aa", "er"), "aU@": ("aa", "er"), "i@": ("ih", "ah"), "i@3": ("ih", "er"),
    "e@": ("E", "er"), "E@": ("E", "er"), "A@": ("aa", "er"), "o@": ("oh", "er"), "O@": ("oh", "er"),
    "U@": ("ou", "er"), "@U": ("ah", "ou"), "ju:": ("ih", "ou"),
}  # fmt: skip
_STRESS: Final = "',%=|!"


@cache
def visemes(symbol: str) -> tuple[Viseme, ...]:
    """The mouth shapes of an espeak-ng mnemonic, one, or two for what glides. Never raises: an unknown symbol is known
    by the beginning it shares with a known one, and else is a mouth that speaks without saying what."""
    name = symbol.strip(_STRESS)
    if not name or name.startswith("_"):
        return (REST,)
    while name:
        if name in _GLIDES:
            return tuple(_VISEMES[part] for part in _GLIDES[name])
        if name in _MONOPHTHONGS:
            return (_VISEMES[_MONOPHTHONGS[name]],)
        name = name[:-1]
    return (_VISEMES["ah"],)
