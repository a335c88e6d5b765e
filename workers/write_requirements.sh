#!/bin/sh
# Write what the workers' image installs: locked.txt by the lock's checksums and, without CUDA, torch.txt.
#
#   UV=/path/to/uv VARIANT=cuda|cpu [TORCH_SHA256=...] sh workers/write_requirements.sh
#
# A wheel of torch for processors has the version that the lock pins and a checksum of its own, and asks for no CUDA packages.
set -eu

locked() {
    "$UV" export --quiet --frozen --no-dev --no-emit-project --extra workers "$@"
}

: >torch.txt
case "$VARIANT" in
cuda)
    locked --output-file locked.txt
    ;;
cpu)
    : "${TORCH_SHA256:?VARIANT=cpu needs TORCH_SHA256, the checksum of the wheel in TORCH_INDEX}"
    locked --no-hashes --no-annotate >names.txt
    # Words, each an argument: names of packages have no spaces.
    # shellcheck disable=SC2046
    locked --output-file locked.txt $(
        sed -nE 's/^(torch|triton|cuda-[a-z0-9-]+|nvidia-[a-z0-9-]+)==.*/--no-emit-package \1/p' names.txt
    )
    sed -nE "s/^(torch==[^ ;]+).*/\1 --hash=sha256:$TORCH_SHA256/p" names.txt >torch.txt
    rm names.txt
    ;;
*)
    echo "VARIANT is cuda or cpu, not '$VARIANT'" >&2
    exit 1
    ;;
esac
