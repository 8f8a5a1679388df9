"""Global Accelerator, which moto does not have at all."""
