"""Photos as people take them, made into training pictures: a verdict on each, and a square of pixels of each good one.

`decoding` opens bytes that nobody vouches for. It runs in a child process that holds nothing worth stealing and may open
nothing (`decoder_process`, its limits in `decoder_limits` and `landlock`, what the two sides say in `decoder_frames`), led by
`photo_decoder`. `inspection` measures what decides (size, blur, likeness to another photo), `cropping` finds the square that
shows the person, `photo_preparation` walks over all photos of a request.

Prepared pictures stay in memory: no photo is ever written to a worker's disk.
"""
