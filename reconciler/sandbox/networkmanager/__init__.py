"""AWS Network Manager, from rows of facts and botocore's shapes."""
