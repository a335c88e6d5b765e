"""The images that we ship: the operator, the workers' two, and sagemaker-local.

What an image is stands in its Dockerfile. `make images` has a standard tool build it (docker, podman, buildah). Where none of them
works, and for every test, the quick way makes the same image without a daemon: it reads the last stage of the Dockerfile for what
the image says (user, environment, labels, what it starts) and fills it with the same packages of the same lock, on a base of
Debian's packages. What it does not do is run the Dockerfile's commands; that they do what they should is seen by
`make images TOOL=buildah`.
"""
