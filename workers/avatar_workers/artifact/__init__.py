"""A personal model's archive: `manifest.json` and `pytorch_lora_weights.safetensors` in a tar.gz.

`archive` packs and unpacks it, `lora_weights` checks the weights, `verification` checks an unpacked directory against
its manifest. The reading side distrusts everything: an artifact comes out of a bucket, and loading a personal model
must never run code, fill a disk or write a not-a-number into a shared base.
"""
