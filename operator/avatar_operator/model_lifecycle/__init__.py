"""The life of an AvatarModel: photos to a verified, hosted artifact, and its deletion.

`observation` is what is gathered, `lifecycle` the list of phases, `phases/` one file each, `actions` what phases may
ask for, `controller` the effects. Start reading at `lifecycle`.
"""
