"""The tasks of the Windows Task Scheduler: XML, what is installed, steps. Decides, touches nothing."""
