"""Cloud WAN: core networks, their policies, what is attached to them."""
