"""What a tenant reads of a failure of AWS: one sentence for each reason, and never a word of AWS's own."""

from avatar_operator.core.confidential import FOR_THE_PLATFORM_TEAM

PASSES = "It passes; the operator tries again."
_SENTENCES = {
    "AccessDenied": f"The operator may not do on AWS what this needs. {FOR_THE_PLATFORM_TEAM}",
    "AttemptRoleRefused": f"The operator gets no credentials for this work from the runtime's attempt role. {FOR_THE_PLATFORM_TEAM}",
    "AwsRejected": f"AWS refuses what the operator asks of it for this. {FOR_THE_PLATFORM_TEAM}",
    "AwsUnavailable": f"AWS has trouble of its own. {PASSES}",
    "AwsUnreachable": f"The operator cannot reach AWS. {FOR_THE_PLATFORM_TEAM}",
    "BucketNotFound": f"A bucket that this needs is not there. {FOR_THE_PLATFORM_TEAM}",
    "ClockSkewed": f"The clock of the operator's machine is wrong. {FOR_THE_PLATFORM_TEAM}",
    "CredentialsExpired": f"The operator's AWS credentials have expired. {FOR_THE_PLATFORM_TEAM}",
    "CredentialsInvalid": f"AWS does not take the operator's credentials. {FOR_THE_PLATFORM_TEAM}",
    "CredentialsMissing": f"The operator has no AWS credentials. {FOR_THE_PLATFORM_TEAM}",
    "InsufficientCapacity": "AWS has no machine of this kind free. It is tried again.",
    "InvalidLocation": f"A location that this needs does not read s3://bucket/key. {FOR_THE_PLATFORM_TEAM}",
    "KeyDenied": f"The operator may not use the key that this is encrypted with. {FOR_THE_PLATFORM_TEAM}",
    "KeyUnusable": f"The key that this is encrypted with cannot be used. {FOR_THE_PLATFORM_TEAM}",
    "NotFound": f"Something on AWS that this needs is not there. {FOR_THE_PLATFORM_TEAM}",
    "QuotaExceeded": f"A quota of the platform's AWS account is used up. {FOR_THE_PLATFORM_TEAM}",
    "Throttled": f"AWS asks for fewer calls at a time. {PASSES}",
}


def public_sentence(reason: str) -> str:
    """What a tenant reads.

    Args:
        reason: of the failure; each has its sentence.
    """
    return _SENTENCES[reason]
