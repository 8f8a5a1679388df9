"""What would keep a stack from working on this host, and how each of it is mended.  Used by the verb `doctor`.

`host` looks at this host; what is asked of AWS is in `questions`, and `aws.checkup` asks it.  What is made of both is
pure: `host_findings` and `aws_findings`.  Nothing is changed, here or in AWS.
"""

from reconciler.doctor.finding import Finding, exit_status

__all__ = ["Finding", "exit_status"]
