"""Files on this machine: what travels, what may be written, and how a folder is replaced. No git, no forge."""
