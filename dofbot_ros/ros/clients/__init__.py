"""The other side of the interfaces: programs that watch and command."""
