"""A CLIP tokenizer whose every caption word is one token.

CLIP's byte-pair encoding is kept (any text can be tokenized, unknown words fall to bytes); only its merges are made
by hand. Merging each word from left to right is not enough, because an earlier word's merges also apply inside later
words ("per" + "son" from one word breaks another): so merges are appended, lowest priority last, until simulating
the encoding turns every word into one token.
"""

from __future__ import annotations

import itertools
from typing import Any

from transformers import CLIPTokenizer

from synthetic_people import vocabulary

RARE_TOKENS = ("sks", "ohwx", "zwx", "qvp")
"""Single tokens that no caption uses: names for DreamBooth subjects."""

MAX_LENGTH = 40
"""Longest caption: 36 tokens with start and end."""

_END_OF_WORD = "</w>"
Merge = tuple[str, str]


def build_tokenizer() -> CLIPTokenizer:
    """The tokenizer of the tiny base; always the same."""
    words = [*vocabulary(), *RARE_TOKENS]
    merges = _merges_for(words)
    alphabet = list(_byte_alphabet())
    pieces = [
        *alphabet,
        *(letter + _END_OF_WORD for letter in alphabet),
        *("".join(merge) for merge in merges),
    ]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    build: Any = CLIPTokenizer  # Its annotation wants merges as text; it takes pairs.
    tokenizer: CLIPTokenizer = build(vocab=vocab, merges=merges, model_max_length=MAX_LENGTH)
    return tokenizer


def _merges_for(words: list[str]) -> list[Merge]:
    merges: list[Merge] = []
    pending = True
    while pending:
        pending = False
        for word in words:
            pieces = _encode(word, merges)
            while len(pieces) > 1:
                pending = True
                merges.append((pieces[0], pieces[1]))
                pieces = _encode(word, merges)
    return merges


def _encode(word: str, merges: list[Merge]) -> list[str]:
    """Byte-pair encoding of one ASCII word: the best-ranked adjacent pair merges first, everywhere it occurs."""
    ranks = {merge: rank for rank, merge in enumerate(merges)}
    pieces = [*word[:-1], word[-1] + _END_OF_WORD]
    while len(pieces) > 1:
        pair = min(itertools.pairwise(pieces), key=lambda pair: ranks.get(pair, len(ranks)))
        if pair not in ranks:
            break
        merged: list[str] = []
        index = 0
        while index < len(pieces):
            if tuple(pieces[index : index + 2]) == pair:
                merged.append("".join(pair))
                index += 2
            else:
                merged.append(pieces[index])
                index += 1
        pieces = merged
    return pieces


def _byte_alphabet() -> tuple[str, ...]:
    """GPT-2's printable stand-in for each of the 256 byte values, in byte order."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    stand_ins = iter(range(256, 512))
    return tuple(chr(value) if value in printable else chr(next(stand_ins)) for value in range(256))
