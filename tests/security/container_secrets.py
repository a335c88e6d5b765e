"""What a container of a worker knows, and no tenant should."""

KNOWN_TO_A_CONTAINER = (
    *("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2Vj" + "Ab0/" * 60, "ASIAIOSFODNN7EXAMPLE"),
    *("ip-10-0-0-1.eu-west-1.compute.internal", "vault.platform.svc.cluster.local", "169.254.170.2"),
    *("oncall@platform.example", "/opt/ml/model/private", "X-Amz-Signature=" + "0f" * 32),
)
