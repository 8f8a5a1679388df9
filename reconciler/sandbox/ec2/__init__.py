"""EC2: moto's, with what lets a wrong caller pass corrected."""
