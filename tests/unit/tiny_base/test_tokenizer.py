import random
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from synthetic_people import Person, PhotoAttributes, random_caption, vocabulary
from tiny_base.tokenizer import MAX_LENGTH, RARE_TOKENS, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer()


def test_every_caption_word_and_rare_token_is_one_token(tokenizer: CLIPTokenizer) -> None:
    for word in [*vocabulary(), *RARE_TOKENS]:
        assert len(tokenizer(word).input_ids) == 3, word


def test_rare_tokens_are_in_no_caption() -> None:
    assert not set(RARE_TOKENS) & set(vocabulary())


def test_the_longest_caption_fits(tokenizer: CLIPTokenizer) -> None:
    rng = random.Random(0)
    for _ in range(300):
        attributes = Person.random(rng).attributes() | PhotoAttributes.random(rng).attributes()
        assert len(tokenizer(random_caption(attributes, rng, 9)[0]).input_ids) <= MAX_LENGTH


def test_unknown_text_falls_to_bytes_and_comes_back(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("zebra on a façade", add_special_tokens=False).input_ids
    assert tokenizer.unk_token_id not in ids or tokenizer.unk_token_id == tokenizer.eos_token_id
    assert str(tokenizer.decode(ids)).strip() == "zebra on a façade"


def test_prompts_are_padded_with_the_end_token(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer("a photo", padding="max_length").input_ids
    assert len(ids) == MAX_LENGTH
    assert ids[0] == tokenizer.bos_token_id
    assert set(ids[3:]) == {tokenizer.eos_token_id}


def test_a_saved_tokenizer_reads_prompts_alike(tokenizer: CLIPTokenizer, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = CLIPTokenizer.from_pretrained(tmp_path, local_files_only=True)
    prompt = "a photo of sks person, curly red hair, on the moon"
    assert loaded(prompt).input_ids == tokenizer(prompt).input_ids
