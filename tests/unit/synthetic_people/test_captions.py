import random

from synthetic_people import ATTRIBUTES, Person, PhotoAttributes, caption, phrase, random_caption, vocabulary

_PERSON = Person("tan", "red", "curly", "glasses", "beard", "cap")
_SCENE = PhotoAttributes("beach", "suit", "smiling")


def test_a_caption_names_every_attribute_given() -> None:
    text = caption(_PERSON.attributes() | _SCENE.attributes())
    assert text == (
        "a photo of a person, tan skin, curly red hair, glasses, a beard, a cap, at the beach, wearing a suit, smiling"
    )


def test_a_subject_token_stands_without_an_article() -> None:
    assert caption({"background": "night"}, subject="sks person") == "a photo of sks person, at night"


def test_every_phrase_contains_its_values_own_word() -> None:
    for attribute, values in ATTRIBUTES.items():
        for value in values:
            assert value in phrase(attribute, value).split()


def test_a_random_caption_names_exactly_what_it_says_it_names() -> None:
    attributes = _PERSON.attributes() | _SCENE.attributes()
    for seed in range(50):
        rng = random.Random(seed)
        text, named = random_caption(attributes, rng, rng.randint(1, 9))
        words = set(text.replace(",", "").split())
        assert {name for name, value in attributes.items() if value in words} == set(named)


def test_the_vocabulary_covers_every_caption() -> None:
    rng = random.Random(0)
    words = set(vocabulary())
    for _ in range(200):
        attributes = Person.random(rng).attributes() | PhotoAttributes.random(rng).attributes()
        assert set(random_caption(attributes, rng, 9)[0].replace(",", "").split()) <= words
