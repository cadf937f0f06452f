"""Reads the general English model inside the pocketsphinx wheel (`en-us.lm.bin`) as arrays.

pocketsphinx can ask that file for one probability at a time and cannot list it (its ARPA writer crashes on trigrams),
and mixing two models needs the list. The layout is that of pocketsphinx 5 (src/lm/ngram_model_trie.c, lm_trie.c,
lm_trie_quant.c): header, counts, 16-bit quantisation tables, unigrams, bit-packed bigrams and trigrams, words. N-grams
are stored last word first. Probabilities are logarithms to base 1.0001. A test compares them with pocketsphinx's.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_HEADER = b"Trie Language Model"
_BINS = 1 << 16
_LOG_BASE = np.log(1.0001)


@dataclass(frozen=True, slots=True)
class GeneralModel:
    """A trigram model with back-off. Probabilities and back-off weights are plain numbers, not logarithms."""

    words: list[str]
    p1: Floats
    b1: Floats
    h2: Ints
    """Bigrams: word before (index into `words`), word, probability, back-off weight."""
    w2: Ints
    p2: Floats
    b2: Floats
    context3: Ints
    """Trigrams: which bigram (index into `h2`, `w2`) comes before, word, probability."""
    w3: Ints
    p3: Floats


def read(path: Path) -> GeneralModel:
    """Raises ValueError when the file is not a trigram model in pocketsphinx's binary form."""
    data = np.fromfile(path, dtype=np.uint8)
    if data[: len(_HEADER)].tobytes() != _HEADER or data[len(_HEADER)] != 3:
        raise ValueError(f"{path.name} is no trigram model of pocketsphinx 5")
    reader = _Reader(data, len(_HEADER) + 1)
    counts = [int(count) for count in reader.take(np.dtype("<u4"), 3)]
    reader.take(np.dtype("<u4"), 1)
    tables = np.exp(reader.take(np.dtype("<f4"), 3 * _BINS).astype(np.float64).reshape(3, _BINS) * _LOG_BASE)
    unigrams = reader.take(np.dtype([("p", "<f4"), ("b", "<f4"), ("next", "<u4")]), counts[0] + 1)
    return _assemble(reader, counts, tables, unigrams)


class _Reader:
    """Walks through the file."""

    def __init__(self, data: NDArray[np.uint8], at: int) -> None:
        self._data = data
        self._at = at

    def take(self, dtype: np.dtype, count: int) -> NDArray:
        size = dtype.itemsize * count
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            raise ValueError("the language model's file ends too early")
        self._at += size
        return np.frombuffer(piece.tobytes(), dtype)

    def packed(self, entries: int, entry_bits: int) -> NDArray[np.uint8]:
        """A bit-packed table: one entry more than it holds, and eight bytes so that reads past the end stay inside."""
        return self.take(np.dtype(np.uint8), ((1 + entries) * entry_bits + 7) // 8 + 8)

    def words(self) -> list[str]:
        size = int(self.take(np.dtype("<u4"), 1)[0])
        return [word.decode() for word in self.take(np.dtype(np.uint8), size).tobytes().split(b"\0")[:-1]]


def _assemble(reader: _Reader, counts: list[int], tables: Floats, unigrams: NDArray) -> GeneralModel:
    word_bits, next_bits = counts[0].bit_length(), counts[2].bit_length()
    bits2, bits3 = word_bits + 32 + next_bits, word_bits + 16
    middle, longest = reader.packed(counts[1], bits2), reader.packed(counts[2], bits3)
    bounds2 = unigrams["next"].astype(np.int64)
    size2 = int(bounds2[-1])
    before2 = _bits(middle, size2, bits2, 0, word_bits)
    bounds3 = _bits(middle, size2 + 1, bits2, word_bits + 32, next_bits)
    size3 = int(bounds3[-1])
    last2 = np.repeat(np.arange(counts[0]), np.diff(bounds2))
    # A trigram hangs below its last two words; the bigram before its last word is another entry.
    last3, middle3 = last2[_owner(bounds3)], before2[_owner(bounds3)]
    first3 = _bits(longest, size3, bits3, 0, word_bits)
    context, known = _index_of(first3 * counts[0] + middle3, before2 * counts[0] + last2)
    p3 = tables[2][_bits(longest, size3, bits3, word_bits, 16)]
    return GeneralModel(
        words=reader.words(),
        p1=np.exp(unigrams["p"][:-1].astype(np.float64) * _LOG_BASE),
        b1=np.exp(unigrams["b"][:-1].astype(np.float64) * _LOG_BASE),
        h2=before2,
        w2=last2,
        p2=tables[0][_bits(middle, size2, bits2, word_bits + 16, 16)],
        b2=tables[1][_bits(middle, size2, bits2, word_bits, 16)],
        context3=context[known],
        w3=last3[known],
        p3=p3[known],
    )


def _owner(bounds: Ints) -> Ints:
    """Of each child its parent's index, from the parents' bounds."""
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))


def _bits(table: NDArray[np.uint8], count: int, entry_bits: int, offset: int, width: int) -> Ints:
    """One field of every entry of a bit-packed table. `width` up to 33 bits."""
    at = np.arange(count, dtype=np.int64) * entry_bits + offset
    value = np.zeros(count, np.uint64)
    for byte in range(5):
        value |= table[(at >> 3) + byte].astype(np.uint64) << np.uint64(8 * byte)
    return ((value >> (at & 7).astype(np.uint64)) & np.uint64((1 << width) - 1)).astype(np.int64)


def _index_of(wanted: Ints, keys: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each wanted key stands in `keys`, and whether it stands there at all."""
    order = np.argsort(keys)
    ordered = keys[order]
    place = np.minimum(np.searchsorted(ordered, wanted), len(keys) - 1)
    return order[place], ordered[place] == wanted
