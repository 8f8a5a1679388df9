"""EKS: clusters and groups of nodes.  moto's know neither time nor updates, and take what EKS refuses."""
