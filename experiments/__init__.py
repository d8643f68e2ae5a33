"""The commands: flags in, one call, exit status out."""
