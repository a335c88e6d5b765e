"""The two sentences that DreamBooth trains on (Ruiz et al., 2208.12242, section 3.2)."""

from avatar_api.documents.training import SubjectWords


def instance_prompt(subject: SubjectWords) -> str:
    """What every photo of the person is called: "a photo of sks person"."""
    return f"a photo of {subject.token} {subject.class_noun}"


def class_prompt(subject: SubjectWords) -> str:
    """What the class images are called: "a photo of a person"."""
    return f"a photo of a {subject.class_noun}"
