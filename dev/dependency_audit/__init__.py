"""What this project brings along: known holes in it, its licences, and the bills of materials of what we ship.

The lock is the only source: `uv` knows which packages it pins and asks an advisory data base about each version. Licences are
what the installed packages say of themselves. Nothing is kept here that could go stale.
"""
