"""The CronJobs of Kubernetes: manifests, what is installed, steps. Decides, touches nothing."""
