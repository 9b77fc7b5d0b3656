"""What only one system tells of a machine: the Linux kernel of processes, mounts and its clock, Windows of accounts and drives."""
