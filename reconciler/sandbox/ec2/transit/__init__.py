"""Transit gateways and VPNs: EC2's own states, refusals and side effects, most of which moto lacks."""
