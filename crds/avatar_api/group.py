"""Names of the API group and its kinds, as they appear in URLs, manifests and RBAC rules."""

from dataclasses import dataclass

GROUP = "avatars.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CATEGORY = "avatars"
FINALIZER = f"{GROUP}/cleanup"


@dataclass(frozen=True)
class Kind:
    """One kind of the group: how it is spelled in manifests, URLs and on the command line."""

    kind: str
    plural: str
    singular: str
    short_name: str
    namespaced: bool


AVATAR_MODEL = Kind("AvatarModel", "avatarmodels", "avatarmodel", "avm", namespaced=True)
AVATAR_REQUEST = Kind("AvatarRequest", "avatarrequests", "avatarrequest", "avr", namespaced=True)
AVATAR_RUNTIME = Kind("AvatarRuntime", "avatarruntimes", "avatarruntime", "avrt", namespaced=False)
KINDS = (AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME)
