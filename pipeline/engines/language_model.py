"""A recogniser's language model per assistant version, as files: an n-gram model and a dictionary of its words.

The version's own words (`own_words`) are mixed with the general English model of the pocketsphinx wheel
(`sphinx_trie`), so that what visitors are likely to say comes out well and other words still come through. Built in a
process of its own (`language_model_child`): a second of numpy would be felt by every call. The general half, cut down,
is the same for all versions and is kept beside them.

The numbers below were chosen by measurement, `python -m benchmarks.word_error`; docs/engines.md has the figures.
"""

import os
import shutil
import tempfile
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from pipeline.contracts.spec import AssistantSpec
from pipeline.engines import own_words, sphinx_trie, trigrams
from pipeline.engines.pronunciation import read_dictionary, write_dictionary
from pipeline.engines.trigrams import Trigrams

OWN_SHARE: Final = 0.3
GENERAL_WORDS: Final = 20_000
GENERAL_BIGRAMS: Final = 300_000
GENERAL_TRIGRAMS: Final = 200_000
FORM: Final = "1"
"""Part of the files' names; changes when a change here makes old files useless."""
KEPT_VERSIONS: Final = 32
"""The folder keeps the models of so many versions, those used last."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    model: Path
    dictionary: Path


def general_files() -> ModelFiles:
    """The wheel's own model and dictionary, for a session whose version's model is not ready."""
    import pocketsphinx

    folder = Path(pocketsphinx.get_model_path("en-us"))
    return ModelFiles(folder / "en-us.lm.bin", folder / "cmudict-en-us.dict")


def files_of(version: str, folder: Path) -> ModelFiles:
    """Where the model of a version (its digest) lies, once built."""
    place = folder / f"{FORM}-{version}"
    return ModelFiles(place / "model.lm.bin", place / "words.dict")


def ready(files: ModelFiles) -> bool:
    """The folder appears whole or not at all. Marks it as used, for `forget_old`."""
    try:
        os.utime(files.model.parent)
    except FileNotFoundError:
        return False
    return True


def build(spec: AssistantSpec, folder: Path) -> ModelFiles:
    """Takes about a second, the first time in a folder some four. Raises OSError when the folder cannot be written."""
    files = files_of(spec.digest(), folder)
    if ready(files):
        return files
    source = general_files()
    dictionary = read_dictionary(source.dictionary)
    general = _general(folder, source, dictionary)
    sentences = list(own_words.sentences(spec))
    new = sorted({word for sentence, _ in sentences for word in sentence} - set(general.words))
    words = general.words + new
    own = trigrams.from_sentences(sentences, words)
    model = trigrams.mixed(own, general.widened(words), OWN_SHARE)
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        half = ModelFiles(Path(unfinished, "done", files.model.name), Path(unfinished, "done", files.dictionary.name))
        half.model.parent.mkdir()
        _write_model(half.model, model)
        write_dictionary(half.dictionary, words[2:], dictionary)
        _put(half.model.parent, files.model.parent)
    forget_old(folder)
    return files


def prepare_general(folder: Path) -> None:
    """What all versions have in common, so that the first version need not wait for it."""
    source = general_files()
    _general(folder, source, read_dictionary(source.dictionary))


def forget_old(folder: Path) -> None:
    """Remove the models used longest ago."""
    versions = sorted(folder.glob(f"{FORM}-*/"), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in versions[KEPT_VERSIONS:]:
        shutil.rmtree(place, ignore_errors=True)


def _put(finished: Path, place: Path) -> None:
    """Another process may have built the same meanwhile: then its files stand."""
    try:
        finished.rename(place)
    except OSError:
        if not place.exists():
            raise


def _general(folder: Path, source: ModelFiles, known: Container[str]) -> Trigrams:
    """The general model cut down; from the folder where it has been before."""
    path = folder / f"general-{FORM}-{GENERAL_WORDS}-{GENERAL_BIGRAMS}-{GENERAL_TRIGRAMS}.npz"
    if path.exists():
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return Trigrams(words=arrays.pop("words").tolist(), **arrays)
    full = sphinx_trie.read(source.model)
    frequent = (full.words[i] for i in np.argsort(-full.p1))
    words = [trigrams.START, trigrams.END]
    words += [word for word in frequent if word in known][:GENERAL_WORDS]
    general = trigrams.cut_down(full, words, GENERAL_BIGRAMS, GENERAL_TRIGRAMS)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".npz", delete=False) as out:
        fields = {name: getattr(general, name) for name in Trigrams.__slots__ if name != "words"}
        np.savez(out, words=np.array(words), **fields)
    Path(out.name).replace(path)
    return general


def _write_model(path: Path, model: Trigrams) -> None:
    """In pocketsphinx's binary form: it loads in 60 ms, the text form in 400."""
    import pocketsphinx

    text = path.with_name("model.arpa")
    with text.open("w", encoding="utf-8") as out:
        write_arpa(model, out)
    quiet = pocketsphinx.Config(loglevel="FATAL")
    pocketsphinx.NGramModel(quiet, pocketsphinx.LogMath(), str(text)).write(str(path))
    text.unlink()


def write_arpa(model: Trigrams, out: TextIO) -> None:
    """The ARPA form (Paul and Baker, 1992): base-10 logarithms, the back-off weight behind the words."""
    size, words = len(model.words), model.words
    p1, b1, p2, b2, p3 = (_log10(x) for x in (model.p1, model.b1, model.p2, model.b2, model.p3))
    out.write(f"\\data\\\nngram 1={size}\nngram 2={len(p2)}\nngram 3={len(p3)}\n\n\\1-grams:\n")
    out.writelines(f"{p:.4f} {w} {b:.4f}\n" for p, w, b in zip(p1, words, b1, strict=True))
    out.write("\n\\2-grams:\n")
    before, word = (part.tolist() for part in divmod(model.keys2, size))
    rows2 = zip(p2, before, word, b2, strict=True)
    out.writelines(f"{p:.4f} {words[h]} {words[w]} {b:.4f}\n" for p, h, w, b in rows2)
    out.write("\n\\3-grams:\n")
    pairs, last = divmod(model.keys3, size)
    first, before, word = (part.tolist() for part in (*divmod(pairs, size), last))
    rows3 = zip(p3, first, before, word, strict=True)
    out.writelines(f"{p:.4f} {words[g]} {words[h]} {words[w]}\n" for p, g, h, w in rows3)
    out.write("\n\\end\\\n")


def _log10(values: sphinx_trie.Floats) -> list[float]:
    return np.log10(np.maximum(values, 1e-10)).tolist()
