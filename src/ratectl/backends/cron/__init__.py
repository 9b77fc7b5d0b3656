"""The crontab lines and files of cron: text, what is installed, steps. Decides, touches nothing."""
