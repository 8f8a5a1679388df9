"""Auto Scaling groups: what the program calls, with instances of EC2 that come and go; moto's know no time."""
