"""Everything of the IVR that touches a socket, a clock or a disk."""
