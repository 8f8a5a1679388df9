"""The edge: the only package that imports boto3 and botocore.  `loop` and `cli` call it; it knows the model alone."""
