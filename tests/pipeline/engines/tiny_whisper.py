"""A Whisper of a few kilobytes with random weights, in CTranslate2's form: it loads, listens and says nonsense."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs.whisper_spec import WhisperSpec
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

WIDTH, HEADS, MELS, AUDIO_POSITIONS, TEXT_POSITIONS = 16, 2, 80, 1500, 448
SPECIAL = (
    "<|endoftext|> <|startoftranscript|> <|en|> <|translate|> <|transcribe|> <|startoflm|> <|startofprev|> <|nospeech|>"
    " <|notimestamps|>"
).split()
TIMES = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]


def make_tiny_whisper(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    _save_tokenizer(folder, tokens)
    _save_model(folder, tokens + SPECIAL + TIMES)
    settings = {"feature_size": MELS, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def _save_tokenizer(folder: Path, tokens: list[str]) -> None:
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL + TIMES)
    tokenizer.save(str(folder / "tokenizer.json"))


def _save_model(folder: Path, tokens: list[str]) -> None:
    random = np.random.default_rng(7)
    spec = WhisperSpec(1, HEADS, 1, HEADS)

    def linear(layer: Any, out: int, into: int) -> None:
        layer.weight = random.normal(0, 0.3, (out, into)).astype(np.float32)
        layer.bias = np.zeros(out, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, WIDTH * 2, WIDTH)
        linear(layer.linear_1, WIDTH, WIDTH * 2)

    def attention(layer: Any, *shapes: int) -> None:
        norm(layer.layer_norm)
        for part, out in zip(layer.linear, shapes, strict=True):
            linear(part, out, WIDTH)

    for conv, into in ((spec.encoder.conv1, MELS), (spec.encoder.conv2, WIDTH)):
        conv.weight = random.normal(0, 0.3, (WIDTH, into, 3)).astype(np.float32)
        conv.bias = np.zeros(WIDTH, np.float32)
    for side, positions in ((spec.encoder, AUDIO_POSITIONS), (spec.decoder, TEXT_POSITIONS)):
        side.position_encodings.encodings = random.normal(0, 0.3, (positions, WIDTH)).astype(np.float32)
        norm(side.layer_norm)
        attention(side.layer[0].self_attention, WIDTH * 3, WIDTH)
        feed_forward(side.layer[0].ffn)
    attention(spec.decoder.layer[0].attention, WIDTH, WIDTH * 2, WIDTH)
    spec.decoder.embeddings.weight = random.normal(0, 1, (len(tokens), WIDTH)).astype(np.float32)
    linear(spec.decoder.projection, len(tokens), WIDTH)
    spec.register_vocabulary(tokens)
    first = tokens.index(SPECIAL[0])
    spec.config.suppress_ids = list(range(first + 1, len(tokens)))
    spec.config.suppress_ids_begin = [first]
    spec.config.lang_ids = [tokens.index("<|en|>")]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
